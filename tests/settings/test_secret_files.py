"""Files that hold secrets get no completions unless the user allows it."""

from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from aide_lsp.settings.fields import FIELDS
from aide_lsp.settings.limits import error_in
from aide_lsp.settings.reader import SettingsReader
from aide_lsp.settings.secret_files import CODE, PUBLIC, SAMPLES, SECRET_FILES, secret_glob

DATA = Path(__file__).parent / "data"
SECRET = (DATA / "secret_names.txt").read_text(encoding="utf-8").split()
PLAIN = (DATA / "plain_names.txt").read_text(encoding="utf-8").split()
COPIES = [
    "{}~",
    "{}.bak",
    "{}.BAK",
    "{}.bak2",
    "{}.old",
    "{}.orig",
    "{}.save",
    "{}.swp",
    "{}.swo",
    "{}.tmp",
    "{}.1",
    "{}.~1~",
    "{}.2024-01-01",
    "{}.20240101",
    "#{}#",
    ".#{}",
    "{}.backup",
    "{}-backup",
    "{}_old",
    "{}.bak~",
    "{}.rpmsave",
    "{}.dpkg-old",
    "{}.",
    "Copy of {}",
    "Copy (2) of {}",
    "{} copy",
    "{} copy 2",
    "{} (1)",
    "{} - Copy",
    "{} - Copy (2)",
    "{} (copy)",
]


@pytest.mark.parametrize("name", SECRET)
def test_files_that_hold_secrets_are_found(name):
    assert secret_glob(PurePosixPath(name)) is not None
    assert secret_glob(PurePosixPath("/home/me/work") / name.upper()) is not None
    assert secret_glob(PureWindowsPath("C:/work") / name) is not None


@pytest.mark.parametrize("name", PLAIN)
def test_other_files_are_not(name):
    assert secret_glob(PurePosixPath(name)) is None
    assert secret_glob(PurePosixPath("/home/me/work") / name) is None


@pytest.mark.parametrize("copy", COPIES)
def test_backups_and_copies_count_as_what_they_are_copies_of(copy):
    names = (
        ".env",
        "id_rsa",
        "server.pem",
        "secrets.yaml",
        "kubeconfig",
        ".aws/credentials",
        "wp-config.php",
    )
    for name in names:
        path = PurePosixPath(name)
        assert secret_glob(path.with_name(copy.format(path.name))) is not None, copy.format(name)
    for name in (".env.example", "id_rsa.pub", "environment.py", "main.rs"):
        assert secret_glob(PurePosixPath(copy.format(name))) is None, copy.format(name)


@pytest.mark.parametrize(
    "name", ["server copy.pem", "credentials (1).json", "secrets.bak.yaml", ".server.pem.swp"]
)
def test_a_mark_may_stand_before_the_extension(name):
    assert secret_glob(PurePosixPath(name)) is not None


@pytest.mark.parametrize("name", ["a/.env", ".env", "untitled:/x/.env", "C:\\p\\.env", ".env::$DATA"])
def test_any_text_of_a_path_will_do(name):
    assert secret_glob(PurePosixPath(name)) == ".env"


def test_the_glob_named_is_the_one_that_fits():
    assert secret_glob(PurePosixPath("server.pem")) == "*.pem"
    assert secret_glob(PurePosixPath(".aws/config")) == "**/.aws/**"


@pytest.mark.parametrize("files", SECRET_FILES, ids=lambda files: files.kind)
def test_the_examples_of_the_documentation_fit(files):
    assert [name for name in files.examples if secret_glob(PurePosixPath(name)) is None] == []


@pytest.mark.parametrize(
    "part", ["a", ".", "_1", "~", " copy", "-", ".sw", "a/", "_sk", "#", "copy of ", "(", "{"]
)
def test_no_name_is_slow(part):
    """Seconds for a name that was made to be slow; a millisecond is usual."""
    from time import process_time

    before = process_time()
    for length in (1, 50, 250, 4000):
        secret_glob(PurePosixPath("id_" + part * (length // len(part)) + ".x"))
    assert process_time() - before < 1


# -- in effect


def test_the_reason_for_no_completions_is_reported(tmp_path):
    off = SettingsReader(tmp_path / "none").resolve(tmp_path / ".ENV.local~").off
    assert off is not None
    assert "secrets" in off.sentence()
    assert "complete_secrets = true" in off.sentence()


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


def test_what_the_user_lists_under_off_is_reported_as_theirs(tmp_path):
    user = tmp_path / "settings.toml"
    user.write_text('off = [".env"]\n')
    off = SettingsReader(user).resolve(tmp_path / ".env").off
    assert off is not None
    assert off.source == str(user)


@pytest.mark.parametrize("glob", [*(g for f in SECRET_FILES for g in f.globs), *SAMPLES, *CODE, *PUBLIC])
def test_each_glob_is_a_proper_one(glob):
    assert error_in(FIELDS["off"], [glob]) is None


def test_a_path_without_a_root_works_too():
    assert secret_glob(Path("app/.env")) == ".env"
