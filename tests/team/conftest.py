"""Models for the tests of the team server."""

import pytest


@pytest.fixture(scope="module")
def data(tmp_path_factory, real_model_dir):
    """Aide's data folder, with the real model and a small one."""
    # It needs Ray, which whoever asks for this has looked for.
    from tests.team.team_server import add_small_model

    folder = tmp_path_factory.mktemp("data")
    (folder / "models").mkdir()
    (folder / "models" / real_model_dir.parent.name).symlink_to(real_model_dir.parent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIDE_DATA_DIR", str(folder))
        add_small_model(folder)
        yield folder
