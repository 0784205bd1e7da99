"""`python -m benchmarks.typing.project` against the real server with a fake model, in a package made here."""

import io
import json
import sys
import tarfile

import pytest

from benchmarks.real_code.packages import Archive, Part
from benchmarks.typing import project
from tests.benchmarks.typing.test_typing_comparison import CODE
from tests.benchmarks.typing.test_typing_replay import FAKE_SERVER


@pytest.fixture
def package(tmp_path, monkeypatch):
    path = tmp_path / "shop.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in ("src/prices.ts", "src/orders.ts", "src/carts.ts"):
            member, text = tarfile.TarInfo(f"package/{name}"), (CODE * 12).encode()
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    shop = Archive("npm", "shop", "1.0.0", "", (Part("shop", "typescript", "src/*.ts"),))
    monkeypatch.setattr(project, "read_manifest", lambda: [shop])
    monkeypatch.setattr(project, "fetch", lambda archive: path)
    monkeypatch.setattr(project, "OWN_SERVER", (sys.executable, FAKE_SERVER))


def test_both_servers_type_in_the_files_of_an_unpacked_package(package, tmp_path, capsys):
    found = tmp_path / "found.json"
    arguments = ["--package", "shop", "--traces", "1", "--seconds", "4", "--patient", "1", "--keys", "6"]
    project.main([*arguments, "--max-others", "1", "--json", str(found)])
    out, err = capsys.readouterr()
    assert "with other files" in out
    assert "memory at the end" in out
    assert err.count("keys answered") == 4
    facts = json.loads(found.read_text())
    assert set(facts["sources"]) < {"src/prices.ts", "src/orders.ts", "src/carts.ts"}
    assert [engine["name"] for engine in facts["engines"]] == ["with other files", "without"]


def test_a_package_that_is_not_known_is_named_with_those_that_are(package, capsys):
    assert project.main(["--package", "nowhere"]) == 1
    assert "There is no package nowhere; there are shop." in capsys.readouterr().err
