"""`aide serve`: the model for other programs, on this machine or for a team."""

import sys
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aide_lsp.cli.options import NumberType, effective_settings, loading_options
from aide_lsp.cli.progress import terminal_progress
from aide_lsp.cli.terminal import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from aide_lsp.engines.engine import Engine
    from aide_lsp.progress import Progress
    from aide_lsp.serve.listening import ListeningPlace
    from aide_lsp.settings.fields import Settings

PORT = 7600
EXAMPLE = r'{"prompt": "def add(a, b):\n    return", "max_tokens": 8}'
"""A request that people can try."""
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--host", metavar="ADDRESS", help="Address to listen on.  [default: 127.0.0.1, this machine only]"
)
@click.option(
    "--port", type=NumberType(0, 65535), metavar="N", help=f"Port; 0: any free one.  [default: {PORT}]"
)
@click.option(
    "--socket", type=_FILE, metavar="PATH", help="Listen on a Unix socket that only you can reach, instead."
)
@click.option(
    "--token-file",
    type=_FILE,
    metavar="PATH",
    help="File with the token that clients must send.  [default: one that Aide makes, in its data folder]",
)
@click.option("--certificate", type=_FILE, metavar="PATH", help="Certificate for https, in PEM format.")
@click.option("--key", type=_FILE, metavar="PATH", help="Its key.  [default: in the certificate's file]")
@click.option(
    "--name", "names", multiple=True, metavar="HOST", help="Name by which clients reach this machine."
)
@click.option(
    "--unencrypted",
    is_flag=True,
    help="Allow http beyond this machine, although everyone on the way can read texts and the token.",
)
@click.option(
    "--idle",
    type=NumberType(0.0, 60 * 24 * 7),
    default=0.0,
    metavar="MINUTES",
    help="Exit after this many minutes without a client; 0: never.",
)
@click.option("--announce", type=_FILE, hidden=True)  # where a client of this user finds port and process
@click.option("--log", type=_FILE, hidden=True)  # where it says all it says: nobody sees a terminal
@click.option("--ray", is_flag=True, help="Serve a team: several processes, on Ray Serve (docs/team.md).")
@click.option("--config", type=_FILE, metavar="PATH", help="With --ray: what is served, and where.")
@click.option("--example", is_flag=True, help="With --ray: print a file for --config, and end.")
@click.option("--yes", is_flag=True, help="Download the model without asking.")
@loading_options
def serve(
    host: str | None,
    port: int | None,
    socket: Path | None,
    token_file: Path | None,
    certificate: Path | None,
    key: Path | None,
    names: tuple[str, ...],
    unencrypted: bool,
    idle: float,
    announce: Path | None,
    log: Path | None,
    ray: bool,
    config: Path | None,
    example: bool,
    yes: bool,
    **options: Any,
) -> None:
    """Load the model once, and serve it to several programs over HTTP.

    Only programs on this machine that have the token can use it. Ctrl-C ends it, after the requests that run.

    \b
      aide serve
      aide serve --socket ~/.aide.sock
      aide serve --host 0.0.0.0 --certificate cert.pem --key key.pem
    """
    from attrs import evolve

    if ray:
        given = any((host, port is not None, socket, token_file, certificate, key, names, idle))
        if given or any(value is not None for value in options.values()):
            raise click.UsageError("With --ray, the file of --config says what is served, and where.")
        sys.exit(_serve_team(config, example, unencrypted, yes))
    if config or example:
        raise click.UsageError("--config and --example need --ray.")
    if log is not None:
        _log_to(log)
    settings = evolve(effective_settings(None, options), engine="local")
    place = _place(host, port, socket, certificate, key, unencrypted)
    if announce is not None:
        _announce(place, announce)
    token = _token(place, token_file)
    _agree(settings, yes)
    sys.exit(_serve(place, settings, token, frozenset(names), idle, log))


def _serve_team(file: Path | None, example: bool, unencrypted: bool, yes: bool) -> int:
    from importlib.util import find_spec

    if find_spec("ray") is None:
        raise click.ClickException(
            "Ray Serve is not installed. Install Aide with its extra `team`: in Aide's folder, "
            '`pip install ".[team]"` or `uv tool install ".[team]"`.'
        )
    from aide_lsp.loading import model_folder
    from aide_lsp.team.loopback import prepare

    prepare()
    from aide_lsp.team.config import EXAMPLE, check_cpus, read_config

    if example:
        say(EXAMPLE.read_text(encoding="utf-8"), nl=False)
        return 0
    file = (file or EXAMPLE).absolute()
    config = read_config(file)
    if config.is_exposed and not unencrypted:
        raise click.UsageError(
            "Other machines can connect, and text and token would travel unencrypted. Set ssl_certfile and "
            "ssl_keyfile in http_options for https. If something else encrypts all traffic on this network, "
            "add --unencrypted."
        )
    check_cpus(config)
    with terminal_progress() as progress:
        for model in config.models.values():
            _agree(model.settings, yes)
            model_folder(model.settings, progress)
    from aide_lsp.team.cluster import run

    return run(file, config, say)


def _place(
    host: str | None,
    port: int | None,
    socket: Path | None,
    certificate: Path | None,
    key: Path | None,
    unencrypted: bool,
) -> "ListeningPlace":
    """Begin to listen, before the model takes time."""
    from aide_lsp.serve.listening import listen_socket, listen_tcp, open_tls
    from aide_lsp.server_address import is_loopback

    if socket is not None:
        if host or port is not None or certificate or key:
            raise click.UsageError("--socket is instead of --host, --port, --certificate and --key.")
        return listen_socket(socket.absolute())
    if key and not certificate:
        raise click.UsageError("--key needs --certificate.")
    address = _address(host or "127.0.0.1")
    tls = open_tls(certificate, key) if certificate else None
    if tls is None and not unencrypted and not is_loopback(address):
        raise click.UsageError(
            f"On {address}, other machines can connect, and text and token would travel unencrypted. Add "
            "--certificate and --key for https. If something else encrypts all traffic on this network, add "
            "--unencrypted."
        )
    return listen_tcp(address, PORT if port is None else port, tls)


def _log_to(file: Path) -> None:
    """Write what this process prints to a file, at its end: whoever has opened it may not append."""
    import os

    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def _announce(place: "ListeningPlace", file: Path) -> None:
    """Write down where this process listens."""
    import json
    import os

    draft = file.with_name(f".{file.name}.{os.getpid()}")
    said = {"port": place.listener.getsockname()[1], "process": os.getpid()}
    draft.write_text(json.dumps(said), encoding="ascii")
    draft.replace(file)


def _address(host: str) -> str:
    """Return the address that the user means. By name it could be any machine that the hosts file says."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        return str(ip_address(host.strip("[]")))
    except ValueError:
        raise click.UsageError(
            f'"{host}" is not an address. Use one of this machine, such as 127.0.0.1, or 0.0.0.0 for all of '
            "them; --name is for the name by which clients reach it."
        ) from None


def _agree(settings: "Settings", yes: bool) -> None:
    """Ask before a model is downloaded."""
    from aide_lsp.loading import missing_model

    missing = missing_model(settings)
    if missing is None or yes:
        return
    from aide_lsp.disk import megabytes

    what = f"{missing.name} ({megabytes(missing.size)})"
    if not sys.stdin.isatty():
        raise click.ClickException(
            f"The model {what} is not downloaded yet, and there is no terminal to ask for your consent. Add "
            "--yes to give it."
        )
    click.confirm(f"Download {what}?", default=True, abort=True, err=True)


def _token(place: "ListeningPlace", token_file: Path | None) -> tuple[Path | None, str]:
    """Return the token that clients must send and its file; none: only the user can connect."""
    from aide_lsp.catalog.store import data_folder
    from aide_lsp.serve.token_file import own_token, read_token

    if token_file is not None:
        return token_file.absolute(), read_token(token_file)
    return own_token(data_folder()) if place.path is None else (None, "")


def _serve(
    place: "ListeningPlace",
    settings: "Settings",
    token: tuple[Path | None, str],
    names: frozenset[str],
    idle: float,
    log: Path | None,
) -> int:
    from aide_lsp.loading import model_folder

    file, secret = token
    with terminal_progress() as progress:

        def ready(engine: "Engine") -> None:
            where = _whereabouts(place, engine)
            say(where if log is not None else _welcome(where, place, file))
            _verify(engine, settings, progress)

        # Here, where Ctrl-C ends it as in every other command.
        model_folder(settings, progress)
        load = _begin_to_load(settings, progress)
        from aide_lsp.serve.main import ServeOptions, serve

        return serve(
            place,
            load,
            ready,
            ServeOptions(secret, names, idle, lambda sentence: say(sentence, err=True), log is not None),
        )


def _begin_to_load(settings: "Settings", progress: "Progress") -> "Callable[[], Engine]":
    """Load the engine in a thread; return what waits for it.

    The HTTP server is imported meanwhile: the runtime does not need Python while it loads a graph. What both
    import is imported first.
    """
    import gc
    from concurrent.futures import Future
    from threading import Thread

    gc.disable()  # until it is loaded: little of what is created is garbage
    import aide_lsp.engines.engine  # noqa: F401
    from aide_lsp.loading import load_engine

    loading: Future[Engine] = Future()

    def load() -> None:
        try:
            loading.set_result(load_engine(settings, progress))
        except BaseException as error:
            loading.set_exception(error)

    Thread(target=load, name="aide-load", daemon=True).start()
    return loading.result


def _verify(engine: "Engine", settings: "Settings", progress: "Progress") -> None:
    """Read the weights in full. If they are damaged, this process ends; the next one converts them again.

    Raises:
        ModelFilesError: they are.
    """
    from aide_lsp.errors import ModelFilesError
    from aide_lsp.inference.onnx.verifying import read_in_background
    from aide_lsp.loading import remove_damaged

    folder = engine.info.folder
    if folder is not None and (damage := read_in_background(folder)):
        remove_damaged(settings, progress)
        raise ModelFilesError(" ".join(damage))


def _whereabouts(place: "ListeningPlace", engine: "Engine") -> str:
    return f"Aide serves {engine.info.id} ({engine.info.runs_on}) at {place.path or place.url}"


def _welcome(first: str, place: "ListeningPlace", token_file: Path | None) -> str:
    """Say how it is used, to a person at a terminal."""
    header = f' -H "Authorization: Bearer $(cat {_quoted(token_file)})"' if token_file else ""
    where = f"--unix-socket {_quoted(place.path)} http://localhost" if place.path else place.url
    lines = [
        first,
        f"Token: in {token_file}" if token_file else "No token: only you can connect.",
        "",
        "Try it:",
        f"  curl{header} {where}/v1/completions -d '{EXAMPLE}'",
        "",
        "Ctrl-C ends it.",
    ]
    return "\n".join(lines)


def _quoted(path: Path) -> str:
    import shlex

    return shlex.quote(str(path))
