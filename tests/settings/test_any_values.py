"""Thousands of cases against the settings loader: no crash, no invalid value accepted, none silently ignored.

Drawn from lists of lines and pairs, so that they are cheap. What is wrong is decided here once more, by plain
rules, and not by the code under test.
"""

import math
import tomllib

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from aide_lsp.settings.fields import FIELDS, camel, check_value, value_of
from aide_lsp.settings.limits import ModelLimits
from aide_lsp.settings.reader import SettingsReader

LIMITS = ModelLimits(vocab_size=1000, context_length=2048)
CASES = hypothesis_settings(
    max_examples=1000,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
LITERALS = [
    *("0", "1", "-1", "7", "0.5", "1.0", "1.5", "-0.0", "1e-300", "1e999", "nan", "-inf", "+inf"),
    *("50", "1000", "1001", "2048", "2049", "9223372036854775808", "-" + "9" * 400, "1" + "0" * 5000),
    *(
        "true",
        "false",
        '""',
        '"7"',
        '"code"',
        '"mine"',
        '"random"',
        '"cod"',
        '"auto"',
        '"cpu"',
        '"http://127.0.0.1:8012"',
        '"https://evil.example"',
        '"\\u0000"',
        "1979-05-27",
    ),
    *("[]", "[1]", '["x/**"]', '["a["]', '["/etc"]', "[[[]]]", "{}", "{top_k = 0}", "{a = {b = 1}}"),
    *("{temperature = 9}", "{python = {top_k = 3}}", "{python = 3}", "{mine = {top_k = 9999}}"),
]
TABLES = [
    "languages.python",
    "languages",
    "'src/**'",
    "'*.py'",
    "'['",
    "presets.mine",
    "presets",
    "globs",
    "x",
]
NAMES = [*FIELDS, *map(camel, FIELDS), "languages", "globs", "presets"]
LINES = [f"{name} = {value}" for name in [*NAMES, "tmp", "'*.md'", "'a b'"] for value in LITERALS]
toml_files = st.lists(
    st.sampled_from(LINES) | st.sampled_from([f"[{table}]" for table in TABLES]), max_size=7
).map("\n".join)
VALUES = [
    *(None, True, False, 0, 1, -1, 7, 0.5, 2.5, 999, 1001, -0.0, math.nan, math.inf, 10**400, 10**5000),
    *(
        7.0,
        "random",
        "",
        "7",
        "code",
        "mine",
        "cpu",
        "x" * 99,
        "\ud800",
        [],
        [None],
        ["x/**", "a["],
        {},
        {"topK": 0},
    ),
    *({"python": {"topK": 4, "seed": None}}, {"**": {"topP": 9}}, {"mine": {"top_p": 3, "topK": 5}}),
]
PAIRS = [(name, value) for name in [*NAMES, "aide", "a/**", "", "\ud800"] for value in VALUES]
nested = st.lists(st.sampled_from(PAIRS), max_size=4).map(dict)
editors = nested | st.tuples(st.sampled_from(["aide", "languages", "globs", "**", "x"]), nested, nested).map(
    lambda drawn: {**drawn[1], drawn[0]: drawn[2]}
)


def is_whole(value) -> bool:
    """Whether a value is a whole number, however it is written."""
    return type(value) is int or (type(value) is float and value.is_integer())


RULES = {
    "temperature": lambda v: type(v) in (int, float) and 0 <= v <= 1,
    "top_p": lambda v: type(v) in (int, float) and 0 <= v <= 1,
    "top_k": lambda v: is_whole(v) and 1 <= v <= LIMITS.vocab_size,
    "num_context": lambda v: is_whole(v) and 1 <= v <= LIMITS.most_context,
    "seed": lambda v: v is None or v == "random" or is_whole(v),
    "preset": lambda v: v is None or type(v) is str,
    "threads": lambda v: is_whole(v) and 0 <= v <= 256,
    "provider": lambda v: v in ("auto", "cpu", "cuda"),
    "engine": lambda v: v in ("local", "http://127.0.0.1:8012", "https://evil.example"),
    "context_share": lambda v: v is None or (type(v) in (int, float) and 0 <= v <= 0.5),
    "max_num_context": lambda v: v is None or (is_whole(v) and v >= 1),
}
KEYS = {**{key: key for key in RULES}, **{camel(key): key for key in RULES}}


def check(resolved, *sources) -> None:
    """The result is valid; what is invalid in the plain keys of a source is reported."""
    settings = resolved.settings
    assert [key for key in FIELDS if check_value(key, value_of(settings, key), LIMITS)] == []
    assert [key for key, rule in RULES.items() if not rule(value_of(settings, key))] == []
    assert all(type(value_of(settings, key)) in (int, type(None)) for key in ("top_k", "seed", "threads"))
    assert settings.preset is None or settings.preset in resolved.presets
    if settings.max_num_context is not None:
        assert settings.parameters.num_context <= settings.max_num_context
    assert all(isinstance(glob, str) and glob for glob in (*settings.off, *settings.context_off))
    assert all(p.message.isprintable() and len(p.message) < 1000 for p in resolved.problems)
    reported = {problem.key for problem in resolved.problems}
    for source in sources:
        wrong = {name for name, value in source.items() if name in KEYS and not RULES[KEYS[name]](value)}
        assert wrong - reported == set()


def table_of(text: str) -> dict:
    """What a TOML text sets; nothing if it is not TOML."""
    try:
        return tomllib.loads(text)
    except ValueError:
        return {}


@pytest.fixture
def places(tmp_path):
    """A user's file and a project's file, in a folder."""
    return tmp_path / "user.toml", tmp_path / ".aide.toml", tmp_path


@given(toml_files)
@CASES
def test_any_file_of_the_user(places, text):
    user, _, folder = places
    user.write_text(text, encoding="utf-8")
    check(
        SettingsReader(user).resolve(folder / "src" / "a.py", None, folder, LIMITS, language="python"),
        table_of(text),
    )


@given(toml_files)
@CASES
def test_any_file_of_a_project(places, text):
    user, project, folder = places
    project.write_text(text, encoding="utf-8")
    got = SettingsReader(user).resolve(folder / "src" / "a.py", None, folder, LIMITS, language="python")
    check(got, table_of(text))
    assert got.settings.model is None
    assert got.settings.provider == "auto"
    assert (got.settings.engine, got.settings.engine_model) == ("local", None)
    assert got.settings.max_num_context is None
    assert got.settings.context_share is None
    assert 0 <= got.settings.most_card_share <= 0.5
    assert "mine" not in got.presets


@given(editors, nested)
@CASES
def test_any_settings_of_an_editor_and_any_request(places, editor, request_values):
    user, _, folder = places
    reader = SettingsReader(user)
    before = reader.resolve(folder / "src" / "a.py", {"topK": 3}, folder, LIMITS, language="python")
    got = reader.resolve(
        folder / "src" / "a.py", editor, folder, LIMITS, language="python", request=request_values
    )
    inner = editor.get("aide")
    source = inner if isinstance(inner, dict) else editor
    check(got, *({k: v for k, v in one.items() if v is not None} for one in (source, request_values)))
    assert before.settings.parameters.top_k == 3


@given(st.binary(max_size=40) | toml_files.map(lambda text: text[1:-1]))
@CASES
def test_any_bytes_in_place_of_a_file(places, content):
    """What cannot be read changes nothing."""
    user, project, folder = places
    project.write_bytes(content if isinstance(content, bytes) else content.encode())
    got = SettingsReader(user).resolve(folder / "a.py", {"topK": 3}, folder, LIMITS)
    check(got)
    if any("cannot be read" in problem.message for problem in got.problems):
        assert (got.settings.parameters.top_k, got.settings.parameters.top_p) == (3, 0.95)
