"""Every program that the page names exists and says in its help how it is called."""

import re
import runpy
import sys

import pytest

from tools.generate.pages import REPOSITORY

PAGE = (REPOSITORY / "benchmarks" / "README.md").read_text(encoding="utf-8")
PROGRAMS = sorted(set(re.findall(r"python3? -m (benchmarks\.[\w.]+)", PAGE)))


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_has_a_help_that_names_its_command(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["program", "--help"])
    path = REPOSITORY / name.replace(".", "/")
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(path / "__main__.py" if path.is_dir() else f"{path}.py"), run_name="__main__")
    assert not ended.value.code
    assert f"python -m {name}" in " ".join(capsys.readouterr().out.split())


def test_page_names_every_program():
    modules = (REPOSITORY / "benchmarks").rglob("*.py")
    programs = {path for path in modules if "ArgumentParser(" in path.read_text(encoding="utf-8")}
    names = {".".join(path.relative_to(REPOSITORY).with_suffix("").parts) for path in programs}
    names = {name.removesuffix(".__main__") for name in names}
    assert names | {"benchmarks.typing"} == set(PROGRAMS)


def test_links_between_the_pages_lead_somewhere():
    pages = [REPOSITORY / "benchmarks" / "README.md", *(REPOSITORY / "benchmarks" / "results").glob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]*)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), (page.name, target)


def test_build_of_llama_cpp_finds_its_pinned_version():
    from benchmarks.llama_cpp.build_server import REQUIREMENTS

    assert "llama-cpp-python==" in REQUIREMENTS.read_text(encoding="utf-8")
