"""Temporary files of a test run: one folder, which its end removes with whatever is left in it."""

import os
import shutil
import tempfile

import pytest

_PATCH = pytest.MonkeyPatch()
_MADE: list[str] = []


def pytest_configure() -> None:
    """Before tests are collected: some modules make a folder when they are imported."""
    usual = tempfile.gettempdir()
    # Those of a failed test stay, as ever.
    if "PYTEST_DEBUG_TEMPROOT" not in os.environ:
        _PATCH.setenv("PYTEST_DEBUG_TEMPROOT", usual)
    # Short: paths of sockets are limited.
    folder = tempfile.mkdtemp(prefix="aide-")
    _MADE.append(folder)
    for name in ("TMPDIR", "TEMP", "TMP"):
        _PATCH.setenv(name, folder)
    _PATCH.setattr(tempfile, "tempdir", folder)


def pytest_unconfigure() -> None:
    """After the last test, and after a run that ended before it began: then there is no folder to remove."""
    _PATCH.undo()
    while _MADE:
        shutil.rmtree(_MADE.pop(), ignore_errors=True)
