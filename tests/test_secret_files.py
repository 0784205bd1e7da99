"""Files that hold secrets get no completions unless their user says so."""

from pathlib import Path

import pytest

from aide_lsp.secret_files import HARMLESS, SECRET_FILES, secret_glob
from aide_lsp.settings import FIELDS
from aide_lsp.settings_layers import SettingsReader
from aide_lsp.settings_limits import fault_of

SECRET = [
    ".env", "app/.env.local", "prod.env", "keys/server.pem", "id_rsa", "deep/er/id_ed25519", ".ssh/config",
    ".aws/credentials", "infra/prod.tfvars", "config/secrets.yaml", ".npmrc", ".git-credentials",
]  # fmt: skip
PLAIN = [
    "env.py", ".env.example", "sample.env", "keyboard.py", "id_rsa.pub", "secrets.py", "credentials.ts",
    "settings.toml", "src/environment.ts", "aws/credentials",
]  # fmt: skip


@pytest.mark.parametrize("name", SECRET)
def test_files_that_hold_secrets_are_off_and_it_is_said_why(name, tmp_path):
    off = SettingsReader(tmp_path / "none").resolve(tmp_path / name).off
    assert off is not None
    assert "secrets" in off.sentence()
    assert "complete_secrets = true" in off.sentence()


@pytest.mark.parametrize("name", PLAIN)
def test_other_files_are_on(name, tmp_path):
    assert SettingsReader(tmp_path / "none").resolve(tmp_path / name).off is None


def test_a_link_to_a_secret_file_is_off(tmp_path):
    (tmp_path / ".env").write_text("TOKEN=1\n")
    (tmp_path / "plain.txt").symlink_to(tmp_path / ".env")
    assert SettingsReader(tmp_path / "none").resolve(tmp_path / "plain.txt").off is not None


def test_the_user_may_allow_them_but_no_project(tmp_path):
    user = tmp_path / "settings.toml"
    user.write_text("complete_secrets = true\n")
    assert SettingsReader(user).resolve(tmp_path / ".env").off is None
    (tmp_path / ".aide.toml").write_text("complete_secrets = true\n")
    resolved = SettingsReader(tmp_path / "none").resolve(tmp_path / ".env", folder=tmp_path)
    assert resolved.off is not None
    assert any("complete_secrets" in problem.message for problem in resolved.problems)


def test_what_the_user_lists_under_off_is_said_to_be_theirs(tmp_path):
    user = tmp_path / "settings.toml"
    user.write_text('off = [".env"]\n')
    off = SettingsReader(user).resolve(tmp_path / ".env").off
    assert off is not None
    assert off.source == str(user)


@pytest.mark.parametrize("glob", [*SECRET_FILES, *HARMLESS])
def test_each_glob_is_a_proper_one(glob):
    assert fault_of(FIELDS["off"], [glob]) is None


def test_a_path_without_a_root_works_too():
    assert secret_glob(Path("app/.env")) == ".env"
