"""The API key of a server: from the environment or a keyring, which may fail in any way; never repeated."""

import sys
from types import ModuleType
from typing import ClassVar

import pytest

from aide_lsp.engines import api_key
from aide_lsp.engines.api_key import KeyringError, read_key, remove_key, store_key
from tests.patience import PATIENCE

HOST = "models.example.com"


class Keyring(ModuleType):
    """Stands for the library."""

    class Backend:
        name = "a drawer"

    def __init__(self):
        super().__init__("keyring")
        self.held: dict[tuple[str, str], str] = {}
        self.keeps = True

    def get_keyring(self):
        return self.Backend()

    def get_password(self, service, user):
        return self.held.get((service, user))

    def set_password(self, service, user, password):
        if self.keeps:
            self.held[service, user] = password

    def delete_password(self, service, user):
        del self.held[service, user]


class Broken(Keyring):
    """Fails, and says more than it should."""

    secret: ClassVar[str] = "sk-s3cret"

    def get_password(self, service, user):
        raise RuntimeError(f"no session bus for {self.secret}")

    def set_password(self, service, user, password):
        self.get_password(service, user)


@pytest.fixture(autouse=True)
def keyring(monkeypatch):
    monkeypatch.delenv(api_key.VARIABLE, raising=False)
    found = Keyring()
    monkeypatch.setitem(sys.modules, "keyring", found)
    return found


def test_a_key_is_stored_for_one_host_read_and_removed(keyring):
    assert store_key(HOST, "sk-1") == "a drawer"
    assert keyring.held == {("aide", HOST): "sk-1"}
    assert (read_key(HOST), read_key("127.0.0.1:8012")) == ("sk-1", "")
    assert (remove_key(HOST), remove_key(HOST), read_key(HOST)) == (True, False, "")


def test_the_environment_counts_before_the_keyring(monkeypatch):
    store_key(HOST, "sk-1")
    monkeypatch.setenv(api_key.VARIABLE, " sk-2\n")
    assert read_key(HOST) == "sk-2"


def test_without_a_keyring_there_is_no_key_and_storing_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert read_key(HOST) == ""
    with pytest.raises(KeyringError, match=r"pip install keyring.*AIDE_API_KEY"):
        store_key(HOST, "sk-1")


@pytest.mark.parametrize("key", ["", "a b", "a\nb", "\u00e9", "x" * 4097])
def test_what_is_no_key_is_not_stored_and_not_repeated(keyring, key):
    with pytest.raises(KeyringError, match="Nothing was stored: expected 1 to 4,096 characters") as error:
        store_key(HOST, key)
    assert keyring.held == {}
    assert not key.strip() or key not in str(error.value)


def test_a_keyring_that_keeps_nothing_is_noticed(keyring):
    keyring.keeps = False
    with pytest.raises(KeyringError, match="did not keep the key"):
        store_key(HOST, "sk-1")


def test_a_keyring_that_fails_is_no_reason_to_fail_and_is_not_quoted(monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", Broken())
    assert read_key(HOST) == ""
    with pytest.raises(KeyringError, match=r"cannot be used \(RuntimeError\)") as error:
        store_key(HOST, Broken.secret)
    assert Broken.secret not in str(error.value)


def test_a_keyring_that_never_answers_is_not_waited_for(keyring, monkeypatch):
    from threading import Event

    monkeypatch.setattr(api_key, "SECONDS", 0.01)
    ended = Event()
    keyring.get_password = lambda service, user: ended.wait(PATIENCE)
    assert read_key(HOST) == ""
    ended.set()
