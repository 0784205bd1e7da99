"""The program that counts what is read again while someone types in a project."""

import pytest

from aide_lsp.completion.completer import Completer
from aide_lsp.engines.local import LoadedModel, LocalModel
from benchmarks.context import keys as program
from benchmarks.context.keys import Silent
from benchmarks.real_code.packages import Part
from tests.benchmarks.real_code.test_real_code_packages import write_archive
from tests.fakes import CONTROL_TOKENS, END, ByteTokenizer, description

FUNCTION = """def {0}_{1}(path):
    found = look.at_{1}(path)
    kept_{1} = found.lines({0})
    return kept_{1}[{0}]


"""
WORDS = ("apple", "bread", "cheese", "dates", "eggs", "figs", "grapes", "honey", "ice", "jam", "kale")
FILES = {
    f"src/{name}.py": "import look\n\n\n" + "".join(FUNCTION.format(name, word) for word in WORDS)
    for name in ("orders", "users", "items")
}
WITHOUT, OTHERS = (f'{{"num_context": 6000, "context_share": {share}}}' for share in (0.0, 0.25))


class Files(ByteTokenizer):
    """Has the tokens that name other files."""

    def token_id(self, special):
        return {"<|repo_name|>": 261, "<|file_sep|>": 262}.get(special) or CONTROL_TOKENS.get(special)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Call the program on one project, with a tokenizer of bytes; return the cells of both rows."""
    members = {f"shelf-1/{path}": text.encode() for path, text in FILES.items()}
    archive = write_archive(tmp_path / "npm-shelf-1.0.tar.gz", members)
    part = Part("shelf", "python", "*")
    monkeypatch.setattr(program, "projects", lambda dev, cache: [(archive, part, FILES)] if dev else [])

    def completer(settings, fim):
        session, described = Silent(263, 8192, END), description(fim=fim or "qwen2.5-coder")
        return Completer(LocalModel(LoadedModel(Files(), session, described), cache_mb=settings.cache_mb))

    def run(*more: str):
        monkeypatch.setattr(program, "silent_completer", completer)
        program.main(["--cache", str(tmp_path), "--without", WITHOUT, "--with", OTHERS, *more])
        rows = capsys.readouterr().out.strip().split("\n")[-2:]
        return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]

    return run


def test_other_files_make_the_prompt_longer_but_are_not_read_again_at_each_key(run):
    without, others = run()
    assert (without[0], others[0]) == (f"`{WITHOUT}`", f"`{OTHERS}`")
    assert int(without[1]) == int(others[1]) > 100
    assert int(without[2]) + 500 < int(others[2])
    assert float(others[3]) < 10


def test_with_the_suffix_last_more_is_read_again(run):
    (_, _, _, suffix_first, *_), _ = run()
    (_, _, _, suffix_last, *_), _ = run("--format", "qwen2.5-coder-psm")
    assert float(suffix_first) + 50 < float(suffix_last)
