"""Generating a completion again: the verdict, and which input it names."""

from types import SimpleNamespace

import attrs
import pytest
from attrs import evolve

from aide_lsp.application import excerpts
from aide_lsp.completion.request import Figures
from aide_lsp.context import module_names
from aide_lsp.context.excerpt import Excerpt, LeftOut, Selection
from aide_lsp.context.known_names import OWN, KnownNames, NamesOf
from aide_lsp.inference.options import IN_KEY, GenerationOptions
from aide_lsp.ledger import replay as replaying
from aide_lsp.ledger.columns import COLUMNS
from aide_lsp.ledger.differences import OtherFiles, file_differences, text_differences
from aide_lsp.ledger.entry import GeneratedEvent, Provenance, entry_of, provenance_of
from aide_lsp.settings.fields import Parameters
from tests.ledger.making import OFFSET, TEXT, changed, completion_of, model_info, request_for

SALT = b"salt"


class Completer(SimpleNamespace):
    """Answers with one completion, and remembers what it was asked."""

    def clear_cache(self):
        self.asked = None

    def complete(self, request, cancel, observer=None):
        self.asked = request
        return self.answer


def completer_saying(text, **info):
    return Completer(info=model_info(**info), answer=completion_of(text=text))


def entry_for(request=None, **changes):
    completion = completion_of(7, **changes)
    return entry_of(
        GeneratedEvent(request or request_for(), completion, provenance_of(model_info()), 0.0, "hashes"), SALT
    )


def test_an_entry_holds_all_files_of_which_lines_and_names_are_read():
    """Replayed without a file, it could not name the others."""
    lines = tuple(Excerpt(f"{number}.go", 1, "x\n", 1.0) for number in range(excerpts.MOST_EXCERPTS))
    names = KnownNames(
        tuple(NamesOf(f"cart/{number}.go", ("x",)) for number in range(module_names.MOST_FILES))
    )
    entry = entry_for(excerpts=lines, names=names)
    assert len(entry.excerpts) == len(lines) + len(names.files)


OWN_MEMBERS = KnownNames((NamesOf(OWN, ("add",)),))


def test_members_of_a_type_of_the_document_depend_on_no_other_file():
    entry, completer = entry_for(names=OWN_MEMBERS), completer_saying(completion_of().text)
    completer.answer = evolve(completer.answer, names=OWN_MEMBERS)
    outcome = replaying.replay(entry, TEXT, SALT, "x.py", completer, OtherFiles(names=OWN_MEMBERS))
    assert (outcome.reproduced, outcome.differences) == (True, ())
    assert completer.asked.names == OWN_MEMBERS


def test_members_that_another_version_finds_are_named():
    entry, completer = entry_for(names=OWN_MEMBERS), completer_saying("another")
    outcome = replaying.replay(entry, TEXT, SALT, "x.py", completer, OtherFiles())
    said = [difference.message for difference in outcome.differences]
    assert said == ["other members of types in this file may come"]


def replayed(entry, completer):
    return replaying.replay(entry, TEXT, SALT, "x.py", completer, OtherFiles())


def test_same_completion_is_reproduced_from_the_same_question():
    options = {"show": "all", "min_confidence": 0.5, "context_share": 0.5}
    request = request_for(candidate=2, max_tokens=9, deadline_ms=50, **options)
    entry = entry_for(request)
    completer = completer_saying(completion_of().text)
    outcome = replayed(entry, completer)
    assert (outcome.reproduced, outcome.differences, outcome.note) == (True, (), "")
    asked = request.with_options(parameters=completion_of(7).parameters, deadline_ms=0)
    assert completer.asked == evolve(asked, language_id="python", path="x.py")
    assert outcome.lines() == [f"Reproduced: {entry.id} is the same, byte for byte."]


@pytest.mark.parametrize("cls", [GenerationOptions, Parameters, Provenance, Figures])
def test_every_attribute_is_recorded_that_says_how_a_completion_came_about(cls):
    """Otherwise `aide replay` would ask another question, and blame something else."""
    names = {one.name for one in attrs.fields(cls) if one.metadata.get(IN_KEY, True)}
    assert names - {"parameters"} <= {column.name for column in COLUMNS}
    assert "deadline_ms" not in {column.name for column in COLUMNS}


@pytest.mark.parametrize(("text", "named"), [("x = 1\n", ["path"]), (TEXT, [])])
def test_another_path_is_named_where_the_model_reads_it(text, named):
    entry, completer = entry_for(request_for(text=text)), completer_saying("another")
    for path, expected in (("/p/other.py", named), (request_for().path, [])):
        outcome = replaying.replay(entry, text, SALT, path, completer, OtherFiles())
        assert [difference.what for difference in outcome.differences] == expected


def test_another_path_is_named_where_the_model_reads_other_files():
    entry, completer = entry_for(excerpts=THEN), completer_saying("another")
    outcome = replaying.replay(entry, TEXT, SALT, "/p/other.py", completer, files_now(DB, MODELS))
    assert [difference.what for difference in outcome.differences] == ["file", "file", "path"]


def test_other_completion_from_the_same_inputs_points_to_the_doctor():
    outcome = replayed(entry_for(), completer_saying("another"))
    assert not outcome.reproduced
    assert "aide doctor" in outcome.note
    outcome = replayed(entry_for(), completer_saying("another", replays=False))
    assert "even with the same seed" in outcome.note


@pytest.mark.parametrize(
    ("what", "value", "said"),
    [
        ("model", "other", "the model: other then, fake now"),
        ("source_sha256", "c" * 64, "the model's file (sha256): cccccccccccc then, abababababab now"),
        ("recipe", "fast", "the recipe: fast then, exact now"),
        ("device", "cuda", "the device: cuda then, cpu now"),
        ("processor", "x86_64", "the kind of processor: x86_64 then, x86_64+fma now"),
        ("runtime", "1.0", "the version of ONNX Runtime: 1.0 then, "),
        ("aide", "0.0.1", "the version of Aide: 0.0.1 then, "),
    ],
)
@pytest.mark.parametrize("same", [True, False])
def test_provenance_that_differs_is_named_whatever_the_outcome(what, value, said, same):
    entry = changed(entry_for(), **{what: value})
    outcome = replayed(entry, completer_saying(completion_of().text if same else "another"))
    assert outcome.reproduced is same
    assert [difference.what for difference in outcome.differences] == [what]
    assert said in "\n".join(outcome.lines())


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ({"recipe": "fast"}, "the recipe: fast then, exact now"),
        ({"runtime": "1.0"}, "the version of the server: 1.0 then, 1.30.0 now"),
        ({"source_sha256": "c" * 64}, "the model's digest (sha256): cccccccccccc then, abababababab now"),
        # Entries of older versions of Aide.
        ({"recipe": "", "device": "server", "processor": ""}, "models.example promises the same completion"),
        ({"runtime": "", "source_sha256": ""}, "models.example promises the same completion"),
    ],
)
def test_what_a_server_ran_that_differs_is_named(then, said):
    entry = changed(entry_for(), host="models.example", **then)
    outcome = replayed(entry, completer_saying("another", host="models.example"))
    assert [difference.what for difference in outcome.differences] == [*then][: len(outcome.differences)]
    assert said in "\n".join(outcome.lines())


@pytest.mark.parametrize(("what", "value"), [("top_k", 5_000), ("num_context", 4_096)])
def test_parameter_beyond_the_model_is_named_and_the_model_not_asked(what, value):
    entry = entry_for()
    entry = changed(entry, **{what: value})
    outcome = replayed(entry, completer_saying(""))
    assert (outcome.reproduced, outcome.ran) == (False, False)
    assert [difference.what for difference in outcome.differences] == [what]
    assert f"found {value}" in outcome.lines()[1]


@pytest.mark.parametrize(
    ("text", "offset", "differs"),
    [
        (TEXT, OFFSET, []),
        ("#" + TEXT, OFFSET + 1, ["before"]),
        (TEXT.replace("d", "D", 1), OFFSET, ["before"]),
        (TEXT + "#", OFFSET, ["after"]),
        (TEXT, OFFSET - 1, ["before", "after"]),
        (TEXT.replace("\n", "\r\n"), OFFSET + 1, ["before", "after"]),
    ],
    ids=["same", "longer", "other", "after", "moved", "line ends"],
)
def test_text_that_differs_is_named_by_its_side_of_the_cursor(text, offset, differs):
    found = text_differences(entry_for(), text, offset, SALT)
    assert [difference.what for difference in found] == differs


def files_now(*texts):
    """A project with these files, all of which are read: pairs of path and text."""
    held = dict(texts)
    return OtherFiles(Selection(files=tuple(held)), held.get)


THEN = (Excerpt("src/db.py", 2, "b = 2\nc = 3\n", 1.0), Excerpt("src/models.py", 1, "class User:\n", 2.0))
DB, MODELS = ("src/db.py", "a = 1\nb = 2\nc = 3\n"), ("src/models.py", "class User:\n    pass")
OTHER_LINES = Excerpt("src/db.py", 1, "a = 1\n", 1.0)


@pytest.mark.parametrize(
    ("files", "read", "said"),
    [
        ([DB, MODELS], THEN, []),
        (
            [("src/db.py", DB[1].replace("\n", "\r\n")), MODELS],
            THEN[1:],
            ["src/db.py: lines 2-3 then, nothing now"],
        ),
        ([("src/db.py", "a = 1\nb = 4\nc = 3\n"), MODELS], THEN[1:], ["src/db.py has changed since"]),
        ([("src/db.py", ""), MODELS], THEN[1:], ["src/db.py has changed since"]),
        ([DB], THEN[:1], ["a file, whose name is not recorded (#PATH), is missing"]),
        ([DB, MODELS], [OTHER_LINES, THEN[1]], ["src/db.py: lines 2-3 then, lines 1-1 now"]),
        (
            [DB, MODELS, ("src/new.py", "x\ny\n")],
            [*THEN, Excerpt("src/new.py", 1, "x\ny\n", 3.0)],
            ["src/new.py: nothing then, lines 1-2 now"],
        ),
    ],
    ids=["same", "not chosen", "changed", "emptied", "missing", "other lines", "new"],
)
def test_other_files_of_which_the_model_reads_something_else_are_named(files, read, said):
    entry = entry_for(excerpts=THEN)
    found = [one.message for one in file_differences(entry, read, files_now(*files), SALT)]
    assert found == [one.replace("PATH", entry.excerpts[1].path_hash[:6]) for one in said]


def test_file_that_is_missing_is_named_where_its_name_is_recorded():
    entry = evolve(entry_for(excerpts=THEN), full_excerpts=THEN)
    found = [one.message for one in file_differences(entry, (), files_now(), SALT)]
    assert found == ["src/db.py is missing", "src/models.py is missing"]


def test_file_that_may_not_be_read_anymore_is_named_with_the_reason():
    entry = entry_for(excerpts=THEN)
    left_out = (LeftOut("src/db.py", "context_off leaves it out"),)
    files = OtherFiles(Selection(files=("src/models.py",), left_out=left_out), dict([MODELS]).get)
    found = [one.message for one in file_differences(entry, THEN[1:], files, SALT)]
    assert found == ["src/db.py is not read now: context_off leaves it out"]


@pytest.mark.parametrize("same", [True, False])
def test_other_file_that_differs_is_the_reason_and_not_a_fault_of_this_machine(same):
    entry = entry_for(excerpts=THEN)
    completer = completer_saying(completion_of().text if same else "another")
    files = files_now(("src/db.py", "new"), MODELS)
    files = evolve(files, selection=evolve(files.selection, excerpts=THEN[1:]))
    completer.answer = evolve(completer.answer, excerpts=THEN[1:])
    outcome = replaying.replay(entry, TEXT, SALT, request_for().path, completer, files)
    assert completer.asked.excerpts == THEN[1:]
    assert (outcome.reproduced, outcome.note) == (same, "")
    assert outcome.lines()[1:] == ["  src/db.py has changed since"]


def test_completion_that_was_accepted_is_taken_out_of_the_text_again():
    entry = entry_for()
    accepted = TEXT[:OFFSET] + completion_of().text + TEXT[OFFSET:]
    assert replaying.restored(entry, accepted, SALT) == TEXT
    assert replaying.restored(entry, accepted.replace(" + a", " - a"), SALT) != TEXT
    assert replaying.restored(entry, TEXT, SALT) == TEXT


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_completion_that_replaced_a_bracket_is_taken_out_and_the_bracket_put_back(line_end):
    text = f"x = 1{line_end}if f(a[b]){line_end}    b(){line_end}"
    offset = text.index("]")
    entry = entry_for(evolve(request_for(), text=text, offset=offset), text="]):", replaces=2)
    accepted = f"{text[:offset]}]):{text[offset + 2 :]}"
    assert replaying.restored(entry, accepted, SALT) == text


def test_completion_given_up_at_its_deadline_is_nothing_to_make_again():
    said = replaying.problem(entry_for(finish_reason="timeout", text=""), TEXT)
    assert "deadline" in said


def test_language_stays_when_the_file_has_another_name_now():
    entry = entry_for(request_for(language_id="rust", path=""))
    completer = completer_saying("")
    replayed(entry, completer)
    assert completer.asked.language_id == "rust"


@pytest.mark.parametrize(("recipe", "loaded"), [("fast", "fast"), ("imported", "auto")])
def test_settings_load_what_made_the_completion(recipe, loaded):
    values = replaying.settings_values(changed(entry_for(), recipe=recipe))
    assert values == {"engine": "local", "model": "fake", "recipe": loaded, "provider": "cpu"}
