"""The checks of `aide doctor`. Each yields its findings when done: a slow check delays no earlier one."""

import os
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import attrs
from attrs import frozen

from aide_lsp import __version__
from aide_lsp.disk import bytes_in
from aide_lsp.errors import AideError, MemoryShortError
from aide_lsp.server_address import SHARED, server_address
from aide_lsp.settings.fields import Settings

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer
    from aide_lsp.completion.request import Completion
    from aide_lsp.engines.shared.client import EngineFacts

SLOW_TOKENS_PER_SECOND = 5.0  # slower completions are not worth waiting for


@frozen
class Finding:
    """The result of one check."""

    level: Literal["ok", "warn", "fail"]
    what: str
    "What was checked."
    detail: str
    "The result."
    repair: str = ""
    "How to fix it; empty: there is nothing to fix."

    def line(self) -> str:
        """Render for a terminal."""
        repair = f"\n       -> {self.repair}" if self.repair else ""
        return f"{self.level.upper():>5}  {self.what}: {self.detail}{repair}"

    def as_dict(self) -> dict[str, Any]:
        """Render for JSON."""
        return attrs.asdict(self)


def examine(settings: Settings, quick: bool) -> Iterator[Finding]:
    """Run all checks; with `quick`, those that do not load the model."""
    yield Finding("ok", "Aide", f"{__version__}, Python {sys.version.split()[0]} at {sys.prefix}")
    runtime = check_runtime()
    yield runtime
    yield from check_leftovers()
    yield from check_settings()
    if server_address(settings.engine) is not None:
        yield from check_server(settings, quick)
        return
    folder = None
    for finding in check_model(settings):
        folder = finding if isinstance(finding, Path) else folder
        if isinstance(finding, Finding):
            yield finding
    if folder is not None:
        yield check_memory(folder)
        if not quick and runtime.level != "fail":
            yield from self_test(folder, settings)
    if settings.engine == SHARED and not quick:
        yield check_shared(settings)


def check_runtime() -> Finding:
    """Check that exactly one distribution of the package `onnxruntime` is installed."""
    from aide_lsp.inference.onnx.runtime import installed_runtimes, offered_providers

    found = installed_runtimes()
    python = f"{sys.executable} -m pip"
    if len(found) == 2:
        both = " and ".join(f"{name} {number}" for name, number in found.items())
        # Uninstalling one removes files of the other, which must then be installed again.
        repair = f"{python} uninstall -y onnxruntime && {python} install --force-reinstall onnxruntime-gpu"
        return Finding("fail", "ONNX Runtime", f"{both} overwrite each other's files", repair)
    if not found:
        return Finding("fail", "ONNX Runtime", "not installed", f"{python} install onnxruntime")
    name, number = next(iter(found.items()))
    offered = ", ".join(offered_providers())
    return Finding("ok", "ONNX Runtime", f"{name} {number}, built for {offered}")


def check_leftovers() -> Iterator[Finding]:
    """Find what ONNX Runtime's telemetry left on disk while it was enabled."""
    for folder in _telemetry_folders():
        detail = f"ONNX Runtime's telemetry left an id of this machine and unsent reports in {folder}"
        command = f'rmdir /s /q "{folder}"' if os.name == "nt" else f"rm -r {shlex.quote(str(folder))}"
        origin = "Aide disables telemetry; if the folder returns, another program uses ONNX Runtime"
        yield Finding("warn", "Leftovers", f"{detail} ({origin})", command)


def _telemetry_folders() -> Iterator[Path]:
    places = {Path(os.environ[name]) for name in ("XDG_CACHE_HOME", "LOCALAPPDATA") if os.environ.get(name)}
    with suppress(RuntimeError):  # there is no home folder
        library = Path.home() / "Library"
        places |= {Path.home() / ".cache", library / "Caches", library / "Application Support"}
    for place in sorted(places):
        folder = place / "Microsoft" / "DeveloperTools" / ".onnxruntime"
        with suppress(OSError):  # it is not readable
            if folder.is_dir():
                yield folder


def check_settings() -> Iterator[Finding]:
    """Check the user's own settings file."""
    from aide_lsp.settings.files import user_file
    from aide_lsp.settings.reader import SettingsReader

    resolved = SettingsReader().resolve()
    yield Finding("ok", "Settings file", f"{user_file()}{'' if user_file().exists() else ' (none yet)'}")
    for problem in resolved.problems:
        yield Finding("warn", "Settings", problem.message, f"edit {problem.source}")


def check_server(settings: Settings, quick: bool) -> Iterator[Finding]:
    """Say where text is sent; unless `quick`, have the server say what it is, and complete a line of ours."""
    from aide_lsp.engines.remote.look import look_at_server
    from aide_lsp.loading import server_choice
    from aide_lsp.settings.fields import label

    choice = server_choice(settings)
    where = "this machine" if choice.address.is_loopback else "another machine"
    detail = (
        f"text around the cursor is sent to {choice.address.host} ({where}); files with secrets never are"
    )
    yield Finding("ok", "Privacy", detail)
    if quick:
        return
    report = look_at_server(choice)
    if report.name:
        yield Finding("ok", "Server", f"{report.name} {report.version}".strip() + f", model {report.model}")
        if report.host != choice.address.host:
            yield Finding("warn", "Privacy", f"{choice.address.host} sends the text on to {report.host}")
        ignored = [label(key) for key in report.ignored]
        if ignored:
            yield Finding("warn", "Parameters", f"without effect on this server: {', '.join(ignored)}")
        if not report.replays:
            yield Finding("ok", "Seed", "this server does not promise the same completion for the same seed")
    if report.problem:
        yield Finding("fail", "Server", report.problem, "aide engine check")
        return
    rate = f", {report.tokens_per_second:.0f} tokens/s" if report.tokens_per_second else ""
    yield Finding("ok", "Speed", f"first token after {report.first_token_ms:.0f} ms{rate}")


def check_shared(settings: Settings) -> Finding:
    """Join the engine that editors share, or start it, and time a question to it."""
    from aide_lsp.engines.shared.open import join_shared
    from aide_lsp.engines.shared.place import SharingError
    from aide_lsp.inference.cancel import CancelToken
    from aide_lsp.loading import shared_choice

    started = time.perf_counter()
    try:
        joined = join_shared(shared_choice(settings), lambda share, text: None)
    except SharingError as error:
        detail = f"each editor runs the model alone: {error}"
        return Finding("warn", "Shared engine", detail, 'repair that, or set engine = "local"')
    except AideError as error:
        return Finding("fail", "Shared engine", str(error))
    ready = time.perf_counter()
    joined.client.look(CancelToken())
    asked = time.perf_counter()
    joined.client.look(CancelToken())
    round_trip = (time.perf_counter() - asked) * 1000
    how = f"started in {ready - started:.1f} s" if joined.was_started else _in_use(joined.facts)
    joined.presence.close()
    joined.client.connection.close()
    return Finding("ok", "Shared engine", f"{how}; a question takes {round_trip:.1f} ms there and back")


def _in_use(facts: "EngineFacts") -> str:
    """Say for how long an engine has run, and who uses it besides this process."""
    from datetime import datetime, timedelta

    since = datetime.now() - timedelta(seconds=facts.age)
    others = max(0, facts.clients - 1)
    clients = f"{others or 'no'} other client{'s' * (others != 1)}"
    return f"it has run since {since:%H:%M} on {since.day} {since:%B}, and has {clients}"


def check_model(settings: Settings) -> Iterator[Finding | Path]:
    """Check the model's files against their manifest. Yields their folder if they match."""
    from aide_lsp.catalog import store
    from aide_lsp.inference.onnx.model_folder import verify_files
    from aide_lsp.loading import card_of, choose_recipe

    try:
        card = card_of(settings)
        recipe = choose_recipe(settings, card)
        folder = store.converted_folder(card, recipe)
    except AideError as error:
        yield Finding("fail", "Model", str(error), "aide models list")
        return
    if not folder.exists():
        missing = "converted" if store.model_file(card) else "fetched"
        yield Finding("warn", "Model", f"{card.id} is not {missing} yet", f"aide models fetch {card.id}")
        return
    repair = f"aide models convert {card.id}" + (
        f" --recipe {settings.recipe}" if settings.recipe != "auto" else ""
    )
    try:
        altered = verify_files(folder)
    except AideError as error:
        altered = [str(error)]
    if altered:
        yield Finding("fail", "Model files", " ".join(altered), repair)
        return
    megabytes = bytes_in(folder) / 1e6
    yield Finding("ok", "Model files", f"{card.id}, {megabytes:.0f} MB, checksums match, in {folder}")
    yield folder


def check_memory(folder: Path) -> Finding:
    """Check that there is enough free memory to load the model."""
    import psutil

    from aide_lsp.inference.memory import shortage
    from aide_lsp.inference.onnx.model_folder import read_model_folder
    from aide_lsp.inference.onnx.runtime import thread_count

    packed = read_model_folder(folder).in_integers
    if (sentence := shortage(bytes_in(folder), packed, thread_count(0))) is not None:
        return Finding("fail", "Memory", sentence)
    needed = memory_needed(folder)
    memory = psutil.virtual_memory()
    free = f"{memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB free"
    detail = f"{free}, {needed / 1e9:.1f} GB needed"
    if memory.available < needed:
        return Finding("warn", "Memory", detail, "close other programs, or choose a smaller model")
    return Finding("ok", "Memory", detail)


def memory_needed(folder: Path) -> int:
    """Estimate the bytes of memory that a converted model takes, from its files."""
    from aide_lsp.inference.onnx.model_folder import memory_in_use, read_model_folder

    return memory_in_use(bytes_in(folder), read_model_folder(folder).in_integers)


def self_test(folder: Path, settings: Settings) -> Iterator[Finding]:
    """Load the model, report the device it runs on, and complete a sample with a cold and a warm KV cache."""
    try:
        started = time.perf_counter()
        completer = _load(folder, settings)
        loaded = time.perf_counter() - started
        yield _device_finding(completer, settings, loaded)
        yield _bits_finding(completer)
        cold, warm = (_complete_sample(completer, settings) for _ in range(2))
    except AideError as error:
        yield Finding("fail", "Self-test", str(error), _repair_of(error, settings))
        return
    yield _speed_finding(cold)
    yield _repeat_finding(cold, warm)


def _repair_of(error: AideError, settings: Settings) -> str:
    """Return what may help a model that cannot be loaded or run."""
    from aide_lsp.inference.onnx.runtime import cuda_problem

    if isinstance(error, MemoryShortError):
        return ""  # the message says what helps, and converting again does not
    may_move = settings.provider != "cpu" and cuda_problem() is None
    return "aide models convert" + (', or set provider = "cpu"' if may_move else "")


def _device_finding(completer: "Completer", settings: Settings, loaded: float) -> Finding:
    import psutil

    info = completer.info
    used = psutil.Process().memory_info().rss / 1e9
    detail = f"{info.device.upper()}; loaded in {loaded:.1f} s, {used:.1f} GB in use"
    if info.device_note:
        level: Literal["ok", "warn"] = "ok" if settings.provider == "auto" else "warn"
        return Finding(level, "Device", f"{detail} ({info.device_note})")
    return Finding("ok", "Device", detail)


def _bits_finding(completer: "Completer") -> Finding:
    """Seeds reproduce completions only if results do not depend on the earlier contents of the KV cache."""
    if completer.self_test():
        return Finding("ok", "Same bits", "a cold and a warm KV cache give the same logits")
    detail = "a cold and a warm KV cache give different logits: one seed can give different completions"
    return Finding("fail", "Same bits", detail, "please report this, along with the lines above")


def _speed_finding(cold: "Completion") -> Finding:
    rate = cold.tokens_per_second
    first = f"first token after {cold.first_token_ms:.0f} ms"
    detail = f"{cold.prompt_tokens} tokens prefilled, {first}, {rate:.0f} tokens/s"
    if 0 < rate < SLOW_TOKENS_PER_SECOND:
        return Finding("warn", "Speed", detail, "close other programs, or choose a smaller model")
    return Finding("ok", "Speed", detail)


def _repeat_finding(cold: "Completion", warm: "Completion") -> Finding:
    if cold.text and cold.text == warm.text:
        return Finding("ok", "Self-test", "the sample completes, and the same seed gives the same completion")
    if not cold.generated_tokens:
        return Finding("fail", "Self-test", f"no completion for the sample: {cold.empty_message}")
    if not cold.text and not warm.text:
        return Finding("warn", "Self-test", f"no completion for the sample: {cold.empty_message}")
    return Finding("fail", "Self-test", "the same seed gave two different completions; please report this")


def _load(folder: Path, settings: Settings) -> "Completer":
    from aide_lsp.loading import open_completer

    return open_completer(folder, settings)


def _complete_sample(completer: "Completer", settings: Settings) -> "Completion":
    """Complete the sample with a fixed seed, without the completion cache."""
    from aide_lsp.application import requests
    from aide_lsp.cli.sample import NAME, sample
    from aide_lsp.settings.fields import with_values

    # What is tested is the model, not whether what it generates would be shown, or comes in time.
    settings = with_values(settings, {"seed": 1, "show": "all", "min_confidence": 0.0, "deadline_ms": 0})
    text, offset = sample()
    # Otherwise the second completion would come from the completion cache, and prove nothing.
    completer.clear_cache()
    request = requests.request_of(settings, text, offset, str(Path(NAME).absolute()))
    (completion,) = requests.complete(completer, settings, request)
    return completion
