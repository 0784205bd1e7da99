"""A folder for the commands of one module."""

import pytest


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The workspace folder."""
    return tmp_path_factory.mktemp("workspace")
