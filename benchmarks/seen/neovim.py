"""A real Neovim in a terminal: keys go in as from a keyboard, and a probe inside notes the ghost text."""

import contextlib
import fcntl
import json
import os
import pty
import socket
import struct
import subprocess
import termios
import threading
import time
from pathlib import Path
from typing import Any

from aide_lsp.errors import AideError
from benchmarks.llama_cpp.engines import ROOT
from benchmarks.seen.timeline import State

HERE = Path(__file__).parent
PLUGIN = ROOT / "editors" / "nvim"
ROWS, COLUMNS = 40, 120
SECONDS = 60
KEYS = {"Enter": b"\r", "Backspace": b"\x7f", "Below": b"\x1b[B\x1b[F"}
ANSWERS = {
    b"\x1b[5n": b"\x1b[0n",
    b"\x1b[6n": b"\x1b[1;1R",
    b"\x1b[c": b"\x1b[?62;22c",
    b"\x1b]11;?": b"\x1b]11;rgb:ffff/ffff/ffff\x07",
}
"""What a terminal answers: it is fine, its cursor's place, what it can do, its background."""
DEEPER, SHALLOWER = b"\x14", b"\x04"  # Ctrl-T and Ctrl-D indent the line by one level
AIDE_IS_READY = "(require('aide.status').of(0) or {}).state == 'ready'"
INIT = """
vim.o.swapfile, vim.o.shadafile, vim.o.termguicolors = false, 'NONE', true
vim.o.expandtab, vim.o.shiftwidth, vim.o.tabstop = true, 4, 4
vim.cmd('filetype plugin indent on')
package.path = package.path .. {path}
require('pairs')
"""


class Neovim:
    """One running Neovim. `plugin`: Lua that sets up what completes; `ready`: whether it can."""

    def __init__(self, program: Path, plugin: str, ready: str, folder: Path, env: dict[str, str]) -> None:
        self._program, self._ready, self._folder = program, ready, folder
        self._states: list[State] = []
        self._answers: dict[int, Any] = {}
        self._answered = threading.Condition()
        self._asked = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._env = env | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        path = json.dumps(f";{HERE}/?.lua")
        self._init = folder / "init.lua"
        self._init.write_text(
            INIT.replace("{path}", path)
            + plugin
            + f"\nrequire('probe').start({json.dumps(str(folder / 'probe.sock'))})\n",
            encoding="utf-8",
        )

    def start(self, file: Path | None = None) -> None:
        """Start it, with a file open."""
        listening = socket.socket(socket.AF_UNIX)
        path = self._folder / "probe.sock"
        path.unlink(missing_ok=True)
        listening.bind(str(path))
        listening.listen()
        self._terminal, inside = pty.openpty()
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        command = [str(self._program), "-u", str(self._init), "-i", "NONE", *([str(file)] if file else [])]
        self._process = subprocess.Popen(
            command,
            stdin=inside,
            stdout=inside,
            stderr=inside,
            env=self._env,
            cwd=self._folder,
            start_new_session=True,
        )
        os.close(inside)
        threading.Thread(target=self._drain, daemon=True).start()
        listening.settimeout(SECONDS)
        self._probe = listening.accept()[0]
        listening.close()
        threading.Thread(target=self._read, daemon=True).start()
        self.ask("vim.v.vim_did_enter")

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            os.write(self._terminal, b"\x1b\x1b:qa!\r")
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with contextlib.suppress(OSError):
            os.close(self._terminal)
        self._probe.close()

    def wait_ready(self) -> None:
        """Wait until the model is loaded."""
        self._until(self._ready)

    # -- what the person does

    def open(self, path: Path) -> None:
        """Open a file."""
        self._keys(b"\x1b:edit " + str(path).encode() + b"\r")
        self._until(f"vim.api.nvim_buf_get_name(0) == {json.dumps(str(path))}")
        # As people who have files with tabs set it up, or a plugin does.
        self.ask(r"vim.cmd([[let &l:expandtab = search('^\t', 'nw') == 0]])")

    def go(self, line: int) -> None:
        """Put the cursor at the end of a line, ready to type; from 0."""
        self._keys(b"\x1b" + f"{line + 1}GA".encode())
        self._until(f"vim.api.nvim_get_mode().mode == 'i' and vim.fn.line('.') == {line + 1}")

    def press(self, key: str) -> None:
        """Press a key."""
        self._keys(KEYS.get(key) or key.encode())

    def indent(self, wanted: str, unit: str) -> None:
        """Correct the indentation of the line that Enter began."""
        has = self.ask("vim.fn.indent('.')")
        width = self.ask("vim.fn.shiftwidth()")
        want = sum(self.ask("vim.bo.tabstop") if sign == "\t" else 1 for sign in wanted)
        steps = round((want - has) / width)
        self._keys((DEEPER if steps > 0 else SHALLOWER) * abs(steps))

    def text(self) -> str:
        """Return the text of the open file."""
        return "\n".join(self.ask("vim.api.nvim_buf_get_lines(0, 0, -1, false)")) + "\n"

    # -- what is seen

    def states(self) -> list[State]:
        """Return what was on the screen so far."""
        self.ask("1")
        return list(self._states)

    def ask(self, lua: str) -> Any:
        """Evaluate Lua inside.

        Raises:
            AideError: it fails, or Neovim does not answer.
        """
        with self._answered:
            self._asked += 1
            mine = self._asked
            self._probe.sendall(json.dumps({"id": mine, "lua": lua}).encode() + b"\n")
            if not self._answered.wait_for(lambda: mine in self._answers, SECONDS):
                raise AideError(f"Neovim did not answer within {SECONDS} seconds: {lua}")
            answer = self._answers.pop(mine)
        if "error" in answer:
            raise AideError(f"Neovim: {answer['error']}")
        return answer.get("value")

    def _until(self, lua: str) -> None:
        end = time.monotonic() + SECONDS
        while not self.ask(lua):
            if time.monotonic() > end:
                raise AideError(f"Not so in Neovim within {SECONDS} seconds: {lua}")
            time.sleep(0.01)

    def _keys(self, keys: bytes) -> None:
        os.write(self._terminal, keys)

    def _drain(self) -> None:
        """Read what is drawn; answer what Neovim asks a terminal, as it waits for that at its start."""
        with contextlib.suppress(OSError):
            while drawn := os.read(self._terminal, 1 << 16):
                for asked, answer in ANSWERS.items():
                    os.write(self._terminal, answer * drawn.count(asked))

    def _read(self) -> None:
        with contextlib.suppress(OSError), self._probe.makefile("r", encoding="utf-8") as lines:
            for line in lines:
                self._take(json.loads(line))

    def _take(self, message: dict[str, Any]) -> None:
        if "ghost" in message:
            self._states.append(State(message["at"], message["ghost"]))
            return
        with self._answered:
            self._answers[message["id"]] = message
            self._answered.notify_all()
