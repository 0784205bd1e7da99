"""Types in real editors, in real time, and reports how often and how soon there was ghost text on the screen.

The editors take turns script by script (A B C, C B A, ...); all are open, one is busy.

    python -m benchmarks.seen                          # VS Code and Neovim, five languages
    python -m benchmarks.seen --llama-vim ../llama.vim --llama-server ../llama-server/build/bin/llama-server
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import attrs

from aide_lsp.errors import AideError
from benchmarks.llama_cpp.compare import default_gguf
from benchmarks.llama_cpp.engines import ROOT
from benchmarks.machine import command_line, describe
from benchmarks.seen import wire
from benchmarks.seen.env import SERVER, user_env
from benchmarks.seen.files import LANGUAGES, short, sources_of
from benchmarks.seen.llama import LlamaServer
from benchmarks.seen.neovim import AIDE_IS_READY, PLUGIN, Neovim
from benchmarks.seen.report import Seen, loads, tables
from benchmarks.seen.run import Editor, Taken, type_passage, type_script
from benchmarks.seen.script import Script, just_opened, make_script, slowly
from benchmarks.seen.timeline import first_ghost
from benchmarks.seen.vscode import VSCode
from editors.tests.vscode.workbench import ENTRY, chromium

EDITORS = {
    "nvim-0.12": ROOT / ".editors" / "nvim012" / "root" / "usr" / "bin" / "nvim",
    "nvim-0.11": ROOT / ".editors" / "nvim011" / "bin" / "nvim",
}
KINDS = ("typing", "slow", "opened", "started")
OPENED_LINES, OPENED_KEYS, OPENED_PLACES = 300, 25, 4
SLOW_KEYS = 40
START_WAIT_S = 0.25
"""Between the keys after a start."""
Make = Callable[[Path], Editor]


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; the exit status is 3 if other programs used too much of the machine."""
    options = parse(arguments)
    try:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aide-seen-")))
            makes = dict(editors(options, stack))
            seen = measure(options, makes, folder)
    except AideError as error:
        print(error, file=sys.stderr)
        return 1
    busiest = max(loads(seen), default=0.0)
    print(tables(seen), *describe(), f"Other programs used up to {busiest:.0%} of the machine.", sep="\n")
    if options.json:
        run = {
            "date": f"{date.today():%-d %B %Y}",
            "command": command_line("benchmarks.seen", arguments or sys.argv[1:]),
            "measured": options.measure,
            "settings": options.settings,
            "machine": describe(),
            "versions": versions(options),
            "others": busiest,
            "seen": [attrs.asdict(one) for one in seen],
        }
        options.json.write_text(json.dumps(run), encoding="utf-8")
    return 0 if busiest <= options.max_others else 3


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seen", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--editors", default="vscode,nvim-0.12", help="of vscode, nvim-0.12, nvim-0.11 [vscode,nvim-0.12]")
    add("--languages", default=",".join(LANGUAGES), help="what is typed [all five]")
    add("--measure", default="typing,slow,opened", help="of typing, slow, opened, started [the first three]")
    add("--keys", type=int, default=110, help="most keys of each language in a person's rhythm [110]")
    add("--settings", type=json.loads, default={}, help="Aide's settings, as JSON [the defaults]")
    add("--llama-vim", type=Path, help="a folder with llama.vim, from github.com/ggml-org/llama.vim")
    add("--llama-server", type=Path, help="llama.cpp's server (see benchmarks.llama_cpp.build_server)")
    add("--llama-settings", type=json.loads, default={}, help="of llama.vim, as JSON [its defaults]")
    add("--gguf", type=Path, help="its model [the default model's file]")
    add("--threads", type=int, default=2, help="of llama-server [2]")
    add("--seed", type=int, default=1, help="chooses places, keys, and times [1]")
    add("--max-others", type=float, default=0.15, help="share of the machine that others may use [0.15]")
    add("--json", type=Path, help="write every key and every ghost text to this file")
    add("--wire", type=Path, help="note what editors and server send each other in this folder")
    options = parser.parse_args(arguments)
    for name, known in (("editors", ("vscode", *EDITORS)), ("languages", LANGUAGES), ("measure", KINDS)):
        chosen = options.__dict__[name].split(",")
        options.__dict__[name] = [one for one in chosen if one]
        if unknown := set(options.__dict__[name]) - set(known):
            parser.error(f"--{name} has no {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    if bool(options.llama_vim) != bool(options.llama_server):
        parser.error("--llama-vim and --llama-server belong together")
    return options


def editors(options: argparse.Namespace, stack: ExitStack) -> Iterator[tuple[str, Make]]:
    """Yield the editors by name: functions that make one in a folder."""
    for name in options.editors:
        if name == "vscode":
            yield name, _vscode(stack, options.settings, server_of(name, options))
        else:
            plugin = f"vim.opt.runtimepath:prepend({json.dumps(str(PLUGIN))})\n"
            own = json.dumps(json.dumps(options.settings))
            plugin += f"require('aide').setup({{ settings = vim.json.decode({own}) }})\n"
            yield name, _neovim(name, plugin, AIDE_IS_READY, server_of(name, options))
    if options.llama_server:
        server = LlamaServer(options.llama_server, options.gguf or default_gguf(), options.threads)
        stack.callback(server.close)
        plugin = server.plugin(options.llama_vim.resolve(), options.llama_settings)
        first = next((name for name in options.editors if name in EDITORS), "nvim-0.12")
        yield f"llama.vim in {first}", _neovim(first, plugin, "true", SERVER)


def server_of(name: str, options: argparse.Namespace) -> Path:
    """Return the program that an editor starts as its server."""
    return wire.install((options.wire / name).resolve(), SERVER) if options.wire else SERVER


def versions(options: argparse.Namespace) -> dict[str, str]:
    """Return the versions of the editors."""
    found = {}
    for name in options.editors:
        if name == "vscode":
            package = ENTRY.parents[2] / "lib" / "vscode" / "package.json"
            found["VS Code"] = json.loads(package.read_text(encoding="utf-8"))["version"]
        else:
            shown = subprocess.run([EDITORS[name], "--version"], capture_output=True, text=True, check=True)
            found[name] = shown.stdout.partition("\n")[0]
    return found


def _vscode(stack: ExitStack, settings: dict[str, Any], server: Path) -> Make:
    browser = stack.enter_context(chromium())
    return lambda home: VSCode(browser, home, user_env(home / "home", server.parent), settings, server)


def _neovim(name: str, plugin: str, ready: str, server: Path) -> Make:
    if not EDITORS[name].exists():
        raise AideError(f"{EDITORS[name]} is missing: make test-editors installs it.")
    return lambda home: Neovim(EDITORS[name], plugin, ready, home, user_env(home / "home", server.parent))


def measure(options: argparse.Namespace, makes: dict[str, Make], folder: Path) -> list[Seen]:
    """Let the editors take turns."""
    seen = {name: Seen(name) for name in makes}
    if "started" in options.measure:
        for name, make in makes.items():
            seen[name].started.append(_start(make, folder / f"started-{name}", options.seed))
    with ExitStack() as stack:
        opened = dict[str, Editor]()
        turns = list(_turns(options)) if set(options.measure) - {"started"} else []
        for name, make in makes.items() if turns else ():
            opened[name] = make(folder / name)
            stack.callback(opened[name].close)
            file = _warm_up_file(folder / name)
            opened[name].start(file)
            opened[name].wait_ready()
        for number, (kind, script, keys) in enumerate(turns):
            order = list(opened)[:: -1 if number % 2 else 1]
            for name in order:
                # The workbench opens files by name.
                place = folder / name / "files" / f"{kind[0]}{number}"
                taken = type_script(opened[name], script, place, keys)
                getattr(seen[name], kind).setdefault(script.language, []).append(taken)
                _say(f"{number + 1} of {len(turns)}, {kind}, {name}, {script.name}", taken)
    return list(seen.values())


def _turns(options: argparse.Namespace) -> Iterator[tuple[str, Script, int]]:
    for language in options.languages:
        pair = sources_of(language)[:2]
        if "typing" in options.measure:
            yield "typing", make_script(pair, options.seed), options.keys
        if "slow" in options.measure:
            yield "slow", slowly(make_script(pair, options.seed + 1), 1.0), SLOW_KEYS
    # Its next place comes after the other languages: what was read of the file is forgotten by then.
    for seed in range(options.seed, options.seed + OPENED_PLACES) if "opened" in options.measure else ():
        for language in options.languages:
            file = short(sources_of(language)[-1], OPENED_LINES)
            yield "opened", just_opened(file, seed, OPENED_KEYS), OPENED_KEYS


def _start(make: Make, folder: Path, seed: int) -> float | None:
    """Start an editor, type at once, and return the seconds until the first ghost text."""
    script = make_script([short(sources_of("python")[2], OPENED_LINES)], seed)
    passage = script.passages[0]
    file = folder / "files" / "started.py"
    file.parent.mkdir(parents=True)
    file.write_text(script.begins[0], encoding="utf-8")
    editor = make(folder)
    begins = time.monotonic()
    try:
        editor.start(file)
        editor.go(passage.line)
        script = slowly(script, START_WAIT_S)
        keys = type_passage(editor, script.passages[0], OPENED_KEYS * 2, "    ")
        time.sleep(5)
        states = editor.states()
    finally:
        editor.close()
    return next((state.since - begins for state in states if state.ghost and state.since > keys[0].at), None)


def _warm_up_file(folder: Path) -> Path:
    file = folder / "files" / "warm_up.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("def add(a, b):\n    return a + b\n", encoding="utf-8")
    return file


def _say(what: str, taken: Taken) -> None:
    first = [found for typed in taken.passages if (found := first_ghost(typed)) is not None]
    said = f"first ghost text after {min(first):.1f} s" if first else "no ghost text"
    astray = f", astray: {', '.join(taken.astray)}" if taken.astray else ""
    print(f"{what}: {said}; others {taken.others:.0%}{astray}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
