"""Which settings make the server load the model again."""

import asyncio
from types import SimpleNamespace

import pytest
from attrs import evolve

from aide_lsp.completion.model import ModelInfo
from aide_lsp.errors import BrokenSessionError, DeclinedError, EngineChangedError, ModelFilesError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.lsp.model.model_host import ModelHost
from aide_lsp.lsp.model.server_trouble import ServerTrouble
from aide_lsp.lsp.model.worker import Worker
from aide_lsp.settings.fields import Settings

pytestmark = pytest.mark.asyncio


def reloading(load, told):
    """A host that loads the model again where it asks for that, and notes what the user is told."""
    tasks = set()

    def reload(settings):
        tasks.add(asyncio.ensure_future(host.load(settings, ignored)))

    def ignore(*_):
        """Nothing else is looked at."""

    trouble = ServerTrouble(told.append, ignore, ignore, ignore)
    host = ModelHost(Worker(), load, ignore, trouble, told.append, reload)
    host.tasks = tasks
    return host


@pytest.mark.parametrize(
    ("changed", "loads"),
    [
        ({"model": "other"}, True),
        ({"recipe": "fast"}, True),
        ({"provider": "cpu"}, True),
        ({"threads": 2}, True),
        ({"cache_mb": 200}, True),
        ({"max_tokens": 5}, False),
    ],
)
async def test_the_model_is_loaded_again_for_settings_that_are_read_while_loading(changed, loads):
    host = reloading(lambda settings, progress: None, [])
    settings = Settings()
    assert host.claim(settings)
    assert not host.claim(evolve(settings))
    assert host.claim(evolve(settings, **changed)) is loads


async def test_shared_engine_breaks_again_and_again_then_the_editor_runs_the_model_alone():
    loaded, told = [], []

    def load(settings, progress):
        loaded.append(settings.engine)
        return SimpleNamespace(info=ModelInfo("m", "onnx", "cpu", "exact", 1, 1), engine=settings.engine)

    def job(completer):
        if completer.engine == "shared":
            raise BrokenSessionError("It has stopped.")
        return "completed"

    host = reloading(load, told)
    settings = Settings(engine="shared")
    assert host.claim(settings)
    await host.load(settings, ignored)
    assert await host.run(job, CancelToken(), 20.0) == "completed"
    assert loaded == ["shared", "shared", "local"]
    assert "alone" in host.shares
    # No message but the status.
    assert told == []
    assert host.state == "ready"
    # Other settings: another try.
    assert host.claim(evolve(settings, cache_mb=200))
    assert host.shares == ""
    await asyncio.gather(*host.tasks)


@pytest.mark.parametrize(("device", "moves"), [("cpu", False), ("cuda", True)])
async def test_model_fails_and_cannot_be_loaded_again_then_only_a_gpu_is_blamed(device, moves):
    loaded, told = [], []

    def load(settings, progress):
        loaded.append(settings.provider)
        if len(loaded) == 2:
            raise ModelFilesError("A file is missing.")
        return SimpleNamespace(info=ModelInfo("m", "onnx", device, "exact", 1, 1), number=len(loaded))

    def job(completer):
        if completer.number == 1:
            raise BrokenSessionError("It could not be run.")
        return completer.number

    host = reloading(load, told)
    settings = Settings(provider="auto")
    assert host.claim(settings)
    await host.load(settings, ignored)
    if moves:
        assert await host.run(job, CancelToken(), 20.0) == 3
        assert loaded == ["auto", "auto", "cpu"]
        assert "GPU" in told[0]
    else:
        with pytest.raises(DeclinedError, match="A file is missing"):
            await host.run(job, CancelToken(), 20.0)
        assert (loaded, told, host.state) == (["auto", "auto"], [], "failed")
    await asyncio.gather(*host.tasks)


async def test_server_changes_its_engine_again_and_again_then_that_is_no_failure():
    loaded, told, wanted = [], [], []

    def load(settings, progress):
        loaded.append(settings.provider)
        info = ModelInfo("m", "aide serve", "server", "", 1, 1, host="models.example")
        return SimpleNamespace(info=info, failure=None, number=len(loaded))

    def job(completer):
        if completer.number < wanted[-1]:
            raise EngineChangedError
        return "completed"

    host = reloading(load, told)
    settings = Settings(engine="http://models.example")
    assert host.claim(settings)
    await host.load(settings, ignored)
    for number in (3, 5):
        wanted.append(number)
        assert await host.run(job, CancelToken(), 20.0) == "completed"
    assert loaded == [settings.provider] * 5
    assert (told, host.state) == ([], "ready")
    await asyncio.gather(*host.tasks)


def ignored(share, text):
    """A progress that no one looks at."""
