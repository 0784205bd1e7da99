"""A configuration of a team server that cannot be: one sentence says what is expected."""

import warnings

import pytest

pytest.importorskip("ray", reason="Ray is not installed here; `make test-team` has an environment with it")

from aide_lsp.errors import SettingsError

with warnings.catch_warnings():
    # Ray's own code is not up to date.
    warnings.simplefilter("ignore")
    from aide_lsp.team.config import EXAMPLE, read_config


def test_example_is_a_configuration():
    assert read_config(EXAMPLE).is_exposed is False


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "serve.yaml cannot be read: No such file or directory."),
        ("applications: [", "serve.yaml is not valid YAML: while parsing"),
        ("applications", "expected keys and values. aide serve --ray --example prints a file"),
        ("applications: []", "applications: expected at least one."),
        ("applications: [{name: a, import_path: os:system}]", "a: import_path: expected aide_lsp.team"),
    ],
)
def test_mistake_then_one_sentence(tmp_path, text, said):
    file = tmp_path / "serve.yaml"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        read_config(file)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
