"""Writing the page of `aide explain`."""

import errno
import os
from pathlib import Path

import pytest

from aide_lsp.cli.commands.explain import PageError, write_page


def test_page_when_the_disk_is_full_then_the_one_before_stays(tmp_path, monkeypatch):
    page = tmp_path / "why.html"
    page.write_text("before", encoding="utf-8")

    def replace(self, target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(PageError, match=r"why\.html cannot be written: .*Free some space"):
        write_page(page, "after")
    assert {one.name: one.read_text(encoding="utf-8") for one in tmp_path.iterdir()} == {"why.html": "before"}


def test_page_through_a_link_then_the_link_stays(tmp_path):
    (tmp_path / "real.html").write_text("before", encoding="utf-8")
    link = tmp_path / "why.html"
    link.symlink_to("real.html")
    write_page(link, "after \ud800")
    assert (link.is_symlink(), (tmp_path / "real.html").read_text(encoding="utf-8")) == (True, "after ?")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such device")
def test_page_into_a_device_then_the_device_stays():
    write_page(Path(os.devnull), "after")
    assert not Path(os.devnull).is_file()
