import errno
import os

import pytest

from aide_lsp.serve.token_file import TokenError, own_token


def test_when_the_disk_is_full_then_it_names_the_file_and_leaves_none(tmp_path, monkeypatch):
    def full(*places):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "link", full)
    with pytest.raises(TokenError, match=r"serve\.token cannot be written: No space left on device\. Fix"):
        own_token(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_when_the_folder_is_a_file_then_it_says_so(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(TokenError, match=r"cannot be written: .*data is a file, not a folder\. Fix"):
        own_token(tmp_path / "data")
