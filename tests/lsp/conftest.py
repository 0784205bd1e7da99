"""What all tests of the language server share."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def no_user_settings(tmp_path_factory):
    """Servers under test must not see the settings of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("config")
        for name in ("XDG_CONFIG_HOME", "APPDATA", "LOCALAPPDATA"):
            patch.setenv(name, str(folder))
        yield
