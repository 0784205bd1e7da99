"""Replays the typing of real code, and measures how well a server keeps up: `python -m benchmarks.typing`."""

from pathlib import Path

import click

from aide_lsp.cli.errors import json_text
from aide_lsp.cli.options import json_option
from aide_lsp.cli.terminal import say
from aide_lsp.errors import AideError

FROM_0, ABOVE_0 = click.FloatRange(0, 1e9), click.FloatRange(0, 1e9, min_open=True)


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--traces", default=3, show_default=True, type=click.IntRange(1), help="Traces to replay.")
@click.option("--seconds", default=40.0, show_default=True, type=ABOVE_0, help="At most, for each trace.")
@click.option("--seed", default=1, show_default=True, help="Chooses places, keys and times.")
@click.option("--command", help="Another language server.  [default: aide-lsp with your settings]")
@click.option(
    "--limit-ms",
    default=750.0,
    show_default=True,
    type=FROM_0,
    help="When the editor stops waiting; 0: never.",
)
@click.option(
    "--debounce-ms", default=0.0, show_default=True, type=FROM_0, help="Request only after a pause this long."
)
@click.option("--patient", is_flag=True, help="Wait for each answer before the next key.")
@json_option("the figures")
def main(
    files: tuple[Path, ...],
    traces: int,
    seconds: float,
    seed: int,
    command: str | None,
    limit_ms: float,
    debounce_ms: float,
    patient: bool,
    as_json: bool,
) -> None:
    """Type real code again, key by key in real time, and count the answers that come before the next key.

    FILES are typed again, in pairs; without any, files of Python's standard library. They are not changed.
    Takes two minutes. Other programs that run at the same time spoil the figures.
    """
    import asyncio
    import tempfile

    from attrs import asdict

    from aide_lsp.cli.progress import terminal_progress
    from benchmarks.typing.figures import figures, rows
    from benchmarks.typing.keeping_up import make_traces, measure
    from benchmarks.typing.lsp_client import OWN_SERVER
    from benchmarks.typing.replay import Pace
    from benchmarks.typing.sources import module_sources, read_source

    try:
        made = make_traces([read_source(path) for path in files] or module_sources(), traces, seed)
    except AideError as error:
        raise click.ClickException(str(error)) from error
    pace = Pace(patient, limit_ms, seconds)
    server = _command(command) if command else OWN_SERVER
    with terminal_progress() as progress, tempfile.TemporaryDirectory(prefix="aide-typing-") as folder:
        # A benchmark's completions would push the user's own out of the ledger.
        settings = {"ledger": "off"}
        name, replayed = asyncio.run(
            measure(server, settings, made, pace, Path(folder), progress, debounce_ms)
        )
    found = figures(replayed)
    if as_json:
        facts = {"server": name, "traces": [trace.name for trace in made]}
        say(json_text({**facts, **asdict(found)}, indent=None))
        return
    say(f"{name}, {len(made)} traces; with the same files and seed, keys and times are the same")
    for title, text in rows(found):
        say(f"{title:<34} {text:>18}")


def _command(words: str) -> list[str]:
    """Split a command; reject one that cannot be started before anything is measured."""
    import shlex
    import shutil

    try:
        found = shlex.split(words)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="--command") from error
    if not found or shutil.which(found[0]) is None:
        name = found[0] if found else words
        raise click.BadParameter(f"there is no program {name!r}.", param_hint="--command")
    return found


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.typing")
