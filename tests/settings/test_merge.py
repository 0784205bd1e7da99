"""Languages, globs, presets, limits and files that are off: what overrides what."""

import math
import time

import pytest

from aide_lsp.settings.fields import PROJECT_NUM_CONTEXT, Parameters
from aide_lsp.settings.limits import ModelLimits
from aide_lsp.settings.presets import PRESETS
from aide_lsp.settings.reader import SettingsReader

LIMITS = ModelLimits(vocab_size=1000, context_length=4096)


@pytest.fixture
def place(tmp_path):
    """A user and a project: `place(user=..., project=..., editor=...)` resolves for a document."""
    reader = SettingsReader(tmp_path / "user.toml")

    def resolve(document="src/a.py", language="python", editor=None, limits=LIMITS, request=None, **files):
        for name, text in files.items():
            (tmp_path / {"user": "user.toml", "project": ".aide.toml"}[name]).write_text(text)
        path = tmp_path / document if document else None
        return reader.resolve(path, editor, tmp_path, limits, language=language, request=request)

    return resolve


def parameters(resolved):
    assert resolved.problems == ()
    return resolved.settings.parameters


# -- languages and globs


def test_plain_keys_languages_and_globs_count_in_this_order_and_key_by_key(place):
    project = """
        ["src/**"]
        top_p = 0.3
        ["*.py"]
        top_p = 0.4
        [languages.python]
        top_p = 0.2
        top_k = 2
        """
    got = parameters(place(project="top_p = 0.1\ntop_k = 1\nseed = 1\n" + project))
    assert (got.top_p, got.top_k, got.seed) == (0.4, 2, 1)
    got = parameters(place("a.rs", "rust"))
    assert (got.top_p, got.top_k) == (0.1, 1)
    assert parameters(place("src/a.rs", "rust")).top_p == 0.3


def test_every_table_of_a_higher_place_counts_over_all_of_a_lower_one(place):
    user = "['**/*.py']\ntop_k = 1\n[languages.python]\ntop_p = 0.1\n"
    got = parameters(place(user=user, project="top_k = 2\ntop_p = 0.2\n", editor={"topP": 0.3}))
    assert (got.top_k, got.top_p) == (2, 0.3)


def test_user_globs_are_relative_to_the_project_or_to_the_machine(place, tmp_path):
    assert parameters(place(user="['src/**']\ntop_k = 1\n")).top_k == 1
    assert parameters(place(user=f"['{tmp_path}/src']\ntop_k = 2\n")).top_k == 2
    assert parameters(place(user="['/elsewhere/**']\ntop_k = 3\n")).top_k == 50


def test_without_a_home_folder_a_glob_in_it_is_reported_and_the_rest_is_in_effect(place, monkeypatch):
    def unknown():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("pathlib.Path.home", unknown)
    got = place(user="off = ['~/private/**', '*.env']\ntop_k = 3\n['~/work/**']\ntop_k = 4\n")
    assert got.settings.parameters.top_k == 3
    assert ["set HOME" in problem.message for problem in got.problems] == [True, True]
    assert place("a.env").off.glob == "*.env"


def test_document_without_a_path_has_a_language_and_fits_no_glob(place):
    got = place(None, "rust", user="[languages.Rust]\ntop_k = 1\n['**']\ntop_k = 2\n")
    assert parameters(got).top_k == 1


@pytest.mark.parametrize(
    ("written", "sent", "document", "applies"),
    [
        ("shellscript", "sh", "run", True),
        ("sh", "shellscript", "run", True),
        ("Shell", "shellscript", "run", True),
        ("typescriptreact", "typescript.tsx", "a.tsx", True),
        ("yaml", "yaml.ansible", "site.yml", True),
        ("toml", "plaintext", "a.toml", True),
        ("toml", "", "a.toml", True),
        ("bash", "zsh", "run", False),
        ("toml", "plaintext", "a.txt", False),
        ("", "", "run", False),
        ("python", "rust", "a.py", False),
    ],
)
def test_table_of_a_language_applies_whichever_name_the_editor_has_for_it(
    place, written, sent, document, applies
):
    got = place(document, sent, project=f'[languages."{written}"]\ntop_k = 7\n')
    assert parameters(got).top_k == (7 if applies else 50)


def test_editor_tables_are_those_of_the_files(place):
    editor = {
        "languages": {"python": {"topK": 2, "topP": None}},
        "globs": {"src/**": {"top_p": 0.5}},
        "**/*.rs": {"topK": 9},
    }
    got = parameters(place(editor=editor))
    assert (got.top_k, got.top_p) == (2, 0.5)
    assert parameters(place("a.rs", "rust", editor=editor)).top_k == 9


@pytest.mark.parametrize(
    ("project", "said"),
    [
        ("languages = 5", ["languages", "a table for each language", "found 5"]),
        ("[languages]\npython = 5", ["languages.python", "a table of settings", "found 5"]),
        ("[languages.pyton]\ntop_k = 5", ["languages.pyton", "unknown language", '"python"']),
        ("[languages.python]\ntopk = 5", ["languages.python.topk", '"top_k"']),
        ("[languages.python]\ntop_k = 0", ["languages.python.top_k", "1 to 1000", "50 stays in effect"]),
        ("[languages.python]\noff = 'x'", ["languages.python.off", "a list of globs"]),
        ("['tests/**']\nmodel = 'x'", ['"tests/**".model', "a project file cannot set this"]),
        ("'tests/**' = 3", ['"tests/**"', "a table of settings", "found 3"]),
        ("['/etc/**']\ntop_k = 1", ["relative to its folder"]),
        ("['~/x']\ntop_k = 1", ["relative to its folder"]),
        ("['../x']\ntop_k = 1", ["cannot contain .."]),
        ("['a[']\ntop_k = 1", ["unclosed [", "the table is ignored"]),
        ("[pythn]\ntop_k = 1", ["pythn", "unknown setting"]),
        ("[language]\nx = 1", ['"languages"']),
        ("globs = 1", ["globs", "a table of settings for each glob"]),
        ("[presets.x]\ntop_k = 1", ["presets", "your own settings file"]),
        ("max_num_context = 5", ["a project file cannot set this"]),
        ("preset = 5", ["preset", "a string"]),
        ("preset = 'cod'", ['unknown preset "cod"; the closest name is "code"', "factual"]),
        ("off = 'secrets'", ["off", "a list of globs"]),
        ("off = [1]", ["off", "expected a glob, found 1"]),
        ("off = ['/etc']", ["off", "relative to its folder"]),
    ],
)
def test_invalid_table_when_set_then_one_problem_describes_it(place, project, said):
    got = place(project=project)
    (problem,) = got.problems
    assert [part for part in said if part not in problem.message] == []
    assert str(got.settings.parameters.top_k) == "50"


def test_a_language_that_only_the_editor_knows_is_no_problem(place):
    for language in ("perl6", "json5", "terraform", "my-language", "pythn"):
        got = place("a", language, project=f"[languages.{language}]\ntop_k = 5")
        assert (got.problems, got.settings.parameters.top_k) == ((), 5)


def test_table_that_does_not_fit_is_checked_too(place):
    assert (
        len(place("a.rs", "rust", project="[languages.python]\ntop_k = 0\n['x/**']\ntop_k = 0").problems) == 2
    )


def test_invalid_value_in_a_table_when_a_valid_one_came_before_then_that_one_stays(place):
    place(project="[languages.python]\ntop_k = 7\n['src/**']\ntop_p = 0.7\n")
    got = place(project="[languages.python]\ntop_k = 0\n['src/**']\ntop_p = 7\n")
    assert (got.settings.parameters.top_k, got.settings.parameters.top_p) == (7, 0.7)
    assert len(got.problems) == 2


# -- presets


@pytest.mark.parametrize(
    ("name", "temperature", "top_p", "top_k"),
    [
        ("code", (0.2, 0.5), (0.5, 0.7), (30, 70)),
        ("factual", (0.1, 0.3), (0.1, 0.5), (20, 50)),
        ("creative", (0.7, 0.9), (0.9, 1.0), (100, math.inf)),
        ("conversational", (0.5, 0.7), (0.7, 0.9), (50, 100)),
    ],
)
def test_preset_gives_values_in_its_ranges(place, name, temperature, top_p, top_k):
    got = parameters(place(project=f"preset = '{name}'"))
    assert temperature[0] <= got.temperature <= temperature[1]
    assert top_p[0] <= got.top_p <= top_p[1]
    assert top_k[0] <= got.top_k <= top_k[1]
    assert (got.num_context > Parameters().num_context) == (name == "code")


def test_parameter_set_in_the_same_or_a_higher_place_overrides_the_preset(place):
    got = parameters(place(project="preset = 'creative'\ntop_k = 7\n", editor={"topP": 0.1}))
    assert (got.top_k, got.top_p) == (7, 0.1)
    assert got.temperature == PRESETS["creative"]["temperature"]


def test_preset_overrides_parameters_of_lower_places(place):
    got = parameters(place(user="top_k = 7\n", project="top_p = 0.1\n", editor={"preset": "creative"}))
    assert (got.top_k, got.top_p) == (PRESETS["creative"]["top_k"], PRESETS["creative"]["top_p"])


def test_preset_of_a_more_special_table_overrides_plain_keys(place):
    project = "top_k = 7\npreset = 'code'\n[languages.python]\npreset = 'creative'\n"
    assert parameters(place(project=project)).top_k == PRESETS["creative"]["top_k"]
    assert parameters(place(project=project, language="rust")).top_k == 7


def test_own_presets_may_be_made_changed_and_named_by_a_project(place):
    user = "[presets.mine]\ntop_k = 3\nseed = 5\n[presets.code]\ntop_k = 4\n"
    got = parameters(place(user=user, project="preset = 'mine'"))
    assert (got.top_k, got.seed) == (3, 5)
    got = parameters(place(project="preset = 'code'"))
    assert (got.top_k, got.temperature) == (4, PRESETS["code"]["temperature"])
    assert parameters(place(editor={"presets": {"mine": {"topK": 6}}}, project="preset = 'mine'")).top_k == 6


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ("presets = 1", "tables of parameters"),
        ("[presets]\nmine = 1", "presets.mine"),
        ("[presets.mine]\ntopk = 1", 'the closest name is "top_k"'),
        ("[presets.mine]\nmodel = 'x'", "can only set parameters"),
        ("[presets.mine]\ntop_p = 2", "presets.mine.top_p"),
        ("[presets.mine]\ntemperature = nan", "NaN"),
    ],
)
def test_invalid_preset_when_made_then_it_is_reported(place, user, said):
    (problem,) = place(user=user).problems
    assert said in problem.message


def test_preset_with_more_than_the_model_can_do_is_lowered_and_reported(place):
    got = place(editor={"preset": "code"}, limits=ModelLimits(30, 512))
    assert (got.settings.parameters.top_k, got.settings.parameters.num_context) == (30, 256)
    assert all(problem.notice for problem in got.problems)
    assert [problem.key for problem in got.problems] == ["top_k", "num_context"]
    assert got.errors == []


# -- numbers and words


@pytest.mark.parametrize("seed", ["random", 3.0])
@pytest.mark.parametrize("layer", ["user", "editor", "table", "glob", "preset", "request"])
def test_every_place_may_undo_a_pinned_seed_or_write_a_whole_number_as_a_float(place, layer, seed):
    written = '"random"' if seed == "random" else seed
    project = "seed = 7\n"
    files = {
        "user": {"user": f"seed = {written}\n"},
        "editor": {"project": project, "editor": {"seed": seed}},
        "table": {"project": project + f"[languages.python]\nseed = {written}\n"},
        "glob": {"project": project + f"['*.py']\nseed = {written}\n"},
        "preset": {
            "user": f"[presets.p]\nseed = {written}\n",
            "project": project,
            "editor": {"preset": "p"},
        },
        "request": {"project": project, "request": {"seed": seed}},
    }
    got = place(**files[layer])
    assert parameters(got).seed == (None if seed == "random" else 3)
    assert got.origins["seed"][-1].value == seed
    assert place(request={"seed": 9}, **{k: v for k, v in files[layer].items() if k != "request"})


def test_whole_numbers_may_be_written_as_floats_everywhere(place):
    user = "max_num_context = 600.0\nthreads = 2.0\n[presets.p]\ntop_k = 5.0\n"
    got = place(user=user, project="num_context = 700.0\npreset = 'p'\n", editor={"maxTokens": 9.0})
    shown = (got.settings.parameters.num_context, got.settings.parameters.top_k, got.settings.max_tokens)
    assert [(type(value), value) for value in shown] == [(int, 600), (int, 5), (int, 9)]
    assert got.errors == []


@pytest.mark.parametrize("value", ["40.5", "nan", "inf", "1e999", "'40'", "true"])
def test_what_is_no_whole_number_is_still_refused(place, value):
    (problem,) = place(project=f"top_k = {value}\n").problems
    assert "a whole number" in problem.message


@pytest.mark.parametrize("value", ["'Random'", "'none'", "''", "0.5"])
def test_no_other_word_means_a_random_seed(place, value):
    (problem,) = place(project=f"seed = {value}\n").problems
    assert 'a whole number or "random"' in problem.message


# -- the user's cap


def test_num_context_of_a_project_is_lowered_to_the_cap_and_reported(place):
    got = place(user="max_num_context = 600\n", project="num_context = 1000\n['src/**']\nnum_context = 900\n")
    assert got.settings.parameters.num_context == 600
    assert [problem.notice for problem in got.problems] == [True, True]
    assert "1000 exceeds your max_num_context. It is lowered to 600" in got.problems[0].message


def test_cap_holds_for_the_default_silently_and_for_one_request(place):
    got = place(user="max_num_context = 600\n")
    assert (got.settings.parameters.num_context, got.problems) == (600, ())
    assert place(request={"num_context": 700}).settings.parameters.num_context == 600


def test_lowest_cap_counts(place):
    got = place(user="max_num_context = 600\n", editor={"maxNumContext": 2000, "numContext": 1500})
    assert (got.settings.parameters.num_context, got.settings.max_num_context) == (600, 600)


def test_default_is_lowered_to_what_the_context_of_the_model_allows(place):
    assert parameters(place(limits=ModelLimits(1000, 512))).num_context == 256


BIG = ModelLimits(vocab_size=1000, context_length=32_768)


@pytest.mark.parametrize(
    "project",
    [
        "num_context = 32000\n",
        "[languages.python]\nnum_context = 32000\n",
        "['**']\nnum_context = 32000\n",
        "preset = 'huge'\n",
    ],
)
def test_without_a_cap_a_project_raises_num_context_to_4096_and_the_user_to_anything(place, project):
    user = "[presets.huge]\nnum_context = 32000\n"
    got = place(user=user, project=project, limits=BIG)
    assert got.settings.parameters.num_context == PROJECT_NUM_CONTEXT == 4096
    (problem,) = got.problems
    assert problem.notice
    assert "lowered to 4096" in problem.message
    assert got.origins["num_context"][-1].wanted == 32000
    assert place(editor={"numContext": 20000}, limits=BIG).settings.parameters.num_context == 20000
    assert place(request={"num_context": 20000}, limits=BIG).settings.parameters.num_context == 20000
    got = place(user="max_num_context = 30000\n" + user, limits=BIG)
    assert got.settings.parameters.num_context == 30000


def test_what_the_user_set_is_not_lowered_by_what_a_project_may_raise(place):
    got = place(user="num_context = 8000\n", project="num_context = 9000\n", limits=BIG)
    assert got.settings.parameters.num_context == 8000
    got = place(project="num_context = 6000\n", limits=BIG)
    assert (got.settings.parameters.num_context, got.problems) == (6000, ())


# -- off


def test_file_that_is_off_is_named_with_file_and_glob(place, tmp_path):
    got = place("secrets/a.py", project="off = ['secrets/**']")
    assert got.off is not None
    assert str(tmp_path / ".aide.toml") in got.off.sentence()
    assert "secrets/**" in got.off.sentence()
    assert place("src/a.py").off is None
    assert place(None).off is None


def test_no_place_switches_on_what_another_switched_off(place, tmp_path):
    got = place(
        "a.env", user="off = ['*.env']", project="off = []", editor={"off": ["b"]}, request={"off": []}
    )
    assert got.off is not None
    assert got.off.glob == "*.env"
    assert got.settings.off == ("*.env", "b")


def test_project_file_further_in_does_not_switch_on(place, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / ".aide.toml").write_text("top_k = 7\n")
    got = place("in/secrets/a.py", project="top_k = 1\noff = ['**/secrets/**']")
    assert got.off is not None
    assert got.settings.parameters.top_k == 7


def test_one_invalid_glob_leaves_the_others_in_effect(place):
    got = place("secrets/a.py", project="off = ['a[', 'secrets/**', 3]")
    assert got.off is not None
    assert len(got.problems) == 2


def test_link_into_a_folder_that_is_off_is_off(place, tmp_path):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "a.py").write_text("")
    (tmp_path / "b.py").symlink_to(tmp_path / "secrets" / "a.py")
    assert place("b.py", project="off = ['secrets/**']").off is not None


def test_rules_of_a_file_that_breaks_stay(place):
    place("secrets/a.py", project="off = ['secrets/**']")
    assert place("secrets/a.py", project="off = [").off is not None
    assert place("secrets/a.py", project="off = 5").off is not None


# -- other files


def test_a_project_lowers_the_share_of_other_files_and_never_raises_it(place):
    got = place(user="context_share = 0.3", project="context_share = 0.1\n['src/**']\ncontext_share = 0.2\n")
    assert (got.settings.context_share, got.problems) == (0.2, ())
    got = place(user="context_share = 0.2", project="[languages.python]\ncontext_share = 0.5\n")
    assert got.settings.context_share == 0.2
    (problem,) = got.problems
    assert problem.notice
    assert "0.5 exceeds your own value, which a project file can only lower. It is lowered to 0.2" in str(
        problem.message
    )
    assert got.origins["context_share"][-1].wanted == 0.5
    assert place(editor={"contextShare": 0.5}).settings.context_share == 0.5


@pytest.mark.parametrize(
    ("user", "project", "editor", "share", "of_card"),
    [
        ("", "", None, None, 0.5),
        ("", "context_share = 0.1", None, None, 0.1),
        ("", "context_share = 0", None, None, 0.0),
        ("", "context_share = 0\n['src/**']\ncontext_share = 0.2\n", None, None, 0.2),
        ("", "context_share = 0.1", 0.3, 0.3, None),
        ("context_share = 0", "context_share = 0.1", None, 0.0, None),
        ("context_share = 0.3", "context_share = 0.1", None, 0.1, None),
    ],
)
def test_if_no_one_sets_the_share_of_other_files_a_project_lowers_that_of_the_models_card(
    place, user, project, editor, share, of_card
):
    got = place(user=user, project=project, editor={"contextShare": editor}).settings
    assert got.context_share == share
    assert of_card is None or got.most_card_share == of_card


def test_a_file_may_be_completed_and_not_read_for_others(place, tmp_path):
    got = place("gen/a.py", user="context_off = ['*.sql']", project="context_off = ['gen/**']")
    assert got.off is None
    assert got.context_off is not None
    assert got.context_off.reason() == f'{tmp_path}/.aide.toml lists "gen/**" under context_off'
    assert got.settings.context_off == ("*.sql", "gen/**")
    assert place("src/a.py").context_off is None
    assert place("src/a.sql", editor={"contextOff": []}).context_off is not None


def test_rules_of_all_project_files_say_what_is_not_read(place, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / ".aide.toml").write_text("['*.rs']\ncontext_off = ['**']\n")
    project = "context_off = ['**/gen/**']\noff = ['secrets/**']\n"
    reasons = {
        path: got.reason().partition(" lists ")[2]
        if (got := place(path, project=project).context_off)
        else None
        for path in ("in/gen/a.py", "in/a.rs", "in/a.py", "secrets/a.py")
    }
    assert reasons == {
        "in/gen/a.py": '"**/gen/**" under context_off',
        "in/a.rs": '"**" under context_off in ["*.rs"]',
        "in/a.py": None,
        "secrets/a.py": '"secrets/**" under off',
    }


def test_secrets_are_not_read_for_others_even_where_they_are_completed(place):
    got = place(".env", user="complete_secrets = true")
    assert got.off is None
    assert got.context_off is not None
    assert got.context_off.reason() == 'files named ".env" commonly hold secrets'


# -- all together


def test_problems_of_all_places_come_together(place):
    got = place(user="top_k = 0\ntop_p = nan\nx = 1", project="seed = 1.5\nmodel = 'x'", editor={"topK": "a"})
    assert [problem.key for problem in got.problems] == ["top_k", "top_p", "x", "seed", "model", "topK"]


def test_thousands_of_invalid_keys_are_reported_in_short(place):
    got = place(project="\n".join(f"wrong_key_{number} = 1" for number in range(5000)))
    assert len(got.problems) == 21
    assert "4980 more values" in got.problems[-1].message


def test_invalid_keys_in_hundreds_of_tables_are_reported_in_short(place):
    got = place(project="".join(f"[languages.l{n}]\nwrong_{n} = 1\ntop_k = 0\n" for n in range(150)))
    assert len(got.problems) == 101
    assert "200 more problems are not shown" in got.problems[-1].message


def test_more_globs_than_anybody_writes_by_hand_are_refused(place):
    """They would be looked through at each key that is typed."""
    tables = "".join(f"['{number}.py']\ntop_k = 7\n" for number in range(300))
    globs = ", ".join(f"'{number}*'" for number in range(501))
    got = place("299.py", project=f"off = [{globs}]\n{tables}")
    assert got.settings.parameters.top_k == 50
    assert ["500 globs" in got.problems[1].message, "200" in got.problems[0].message] == [True, True]


def test_control_characters_in_keys_do_not_reach_messages(place):
    got = place(project='"a\\u001b[31m\\nb" = 1\n"' + "k" * 500 + '" = 1\n')
    assert all(problem.message.isprintable() and len(problem.message) < 400 for problem in got.problems)


def test_origins_show_what_was_overridden(place):
    got = place(user="top_k = 1", project="preset = 'code'\n['src/**']\ntop_k = 2\n", editor={"topK": 3})
    origins = [(origin.value, origin.table, origin.preset) for origin in got.origins["top_k"]]
    code = PRESETS["code"]["top_k"]
    assert origins == [(50, "", ""), (1, "", ""), (code, "", "code"), (2, '["src/**"]', ""), (3, "", "")]
    assert got.origins["top_k"][-1].source == "editor settings"


def test_request_is_not_remembered(place):
    place(request={"top_k": 7})
    assert place(request={"top_k": 0}).settings.parameters.top_k == 50


BRACES = "{a,b}{c,d}{e,f}{g,h}{i,j}{k,l}{m,n}{o,p}"


@pytest.mark.parametrize("form", ["tables", "off", "wild"])
def test_globs_of_one_file_are_bounded_together(place, form):
    """Each of them is within its own bound."""
    tail = "*?" * 8 if form == "wild" else ""
    globs = [f"{number}{BRACES}{tail}" for number in range(150)]
    tables = "".join(f"['{glob}']\ntop_k = 7\n" for glob in globs)
    off = f"off = [{', '.join(map(repr, globs))}]\n"
    before = time.process_time()
    got = place("149acegikmo.py", project=off if form == "off" else tables)
    assert time.process_time() - before < 2
    (problem,) = got.problems
    assert "20,000 characters" in problem.message
    assert "the last ones are ignored" in problem.message.lower()
    assert place("0acegikmo" + "x" * len(tail), project=off).off is not None


def test_as_many_globs_as_anybody_writes_are_within_the_bound(place):
    globs = ", ".join(f"'some/folder/of/a/project/{number}/**'" for number in range(500))
    got = place("some/folder/of/a/project/499/a.py", project=f"off = [{globs}]")
    assert (got.problems, got.off is not None) == ((), True)
