"""A real Neovim in a terminal (tmux): keys in as from a keyboard, screen and state out."""

import json
import shlex
import subprocess
import time
import uuid
from contextlib import suppress
from pathlib import Path

from tests.patience import PATIENCE

PLUGIN = Path(__file__).resolve().parents[2] / "nvim"
SECONDS = 120
"""How long anything may take before a wait fails."""

INIT = """
vim.o.swapfile = false
vim.o.shadafile = 'NONE'
vim.o.laststatus = 2
vim.o.termguicolors = true
_G.messages = {}
_G.real_notify = vim.notify
vim.notify = function(text) table.insert(_G.messages, text) end
"""

STATUSLINE = """
vim.o.statusline = "%f %m%=%{v:lua.require'aide'.statusline()} "
"""

GHOST = """
(function()
  local space, parts = vim.api.nvim_create_namespace('aide'), {}
  for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, space, 0, -1, { details = true })) do
    local details = mark[4]
    if details.virt_text_pos ~= 'eol' then
      local lines = { details.virt_text }
      vim.list_extend(lines, details.virt_lines or {})
      for _, line in ipairs(lines) do
        table.insert(parts, line[1][1])
      end
    end
  end
  return table.concat(parts, '\\n')
end)()
"""

# While a request is on its way, what is shown may still be the answer to an earlier key.
ANSWERED_GHOST = f"""
(function()
  for _, client in ipairs(vim.lsp.get_clients({{ name = 'aide' }})) do
    for _, request in pairs(client.requests) do
      if request.method == 'textDocument/inlineCompletion' and request.type == 'pending' then
        return ''
      end
    end
  end
  return {GHOST.strip()}
end)()
"""


class Neovim:
    """One running Neovim."""

    def __init__(
        self, program, env, folder, init="", file=None, columns=100, lines=30, plugin=PLUGIN, terminal=None
    ):
        """Start it. `init`: Lua run before `plugin` is loaded, or what loads it if None.

        `terminal`: the name by which it knows its terminal; None: that of tmux, which has all colors.
        """
        self.program, self.folder = str(program), Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.env = env | {"TERM": "xterm-256color", "XDG_DATA_HOME": str(self.folder / "nvim-data")}
        self.socket = self.folder / "nvim.sock"
        self.socket.unlink(missing_ok=True)
        self._tmux = ["tmux", "-L", f"aide-{uuid.uuid4().hex[:8]}", "-f", "/dev/null"]
        start = self.folder / "init.lua"
        path = f"vim.opt.runtimepath:prepend({json.dumps(str(plugin))})\n" if plugin else ""
        start.write_text(INIT + path + init + STATUSLINE, encoding="utf-8")
        command = [self.program, "--listen", str(self.socket), "-u", str(start), "-i", "NONE"]
        command += [str(file)] if file else []
        if terminal:  # the variables by which it would know tmux
            command = ["env", "-u", "TMUX", "-u", "COLORTERM", f"TERM={terminal}", *command]
        size = ["-x", str(columns), "-y", str(lines)]
        self.tmux("new-session", "-d", *size, shlex.join(command))
        self.wait(self.socket.exists, "Neovim did not start")
        self.wait(self._has_begun, "Neovim did not read its configuration")

    def tmux(self, *arguments):
        """Run one of tmux's commands."""
        command = [*self._tmux, *arguments]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, check=False).stdout

    def keys(self, *names):
        """Press keys by tmux's names: `Tab`, `Escape`, `C-y`."""
        self.tmux("send-keys", *names)

    def type(self, text, *then):
        """Type a text; `then`: keys pressed at once afterwards, without a look at the screen."""
        self.tmux("send-keys", "-l", text, *((";", "send-keys", *then) if then else ()))

    def command(self, text):
        """Type a command line, in normal mode."""
        self.type(f":{text}", "Enter")

    def lua(self, expression):
        """Evaluate Lua inside."""
        code = "luaeval('vim.json.encode(" + expression.replace("'", "''") + ")')"
        command = [self.program, "--server", str(self.socket), "--remote-expr", code]
        try:
            done = subprocess.run(
                command, env=self.env, capture_output=True, text=True, timeout=PATIENCE, check=False
            )
        except subprocess.TimeoutExpired:
            raise AssertionError(f"Neovim waits for something. The screen:\n{self.screen()}") from None
        out = done.stdout.strip() or done.stderr.strip()
        try:
            return json.loads(out)
        except ValueError:
            raise AssertionError(f"Neovim answered: {out}") from None

    def _has_begun(self):
        # It listens a moment after its socket is there.
        with suppress(AssertionError):
            return self.lua("vim.v.vim_did_enter") == 1

    def do(self, code):
        """Run Lua statements inside."""
        self.lua("(function() " + code.replace("\n", " ") + " return true end)()")

    def wait(self, condition, what):
        """Wait until something is so; give it. `what`: says that it is not, or is called to say it."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            time.sleep(0.05)
        raise AssertionError(f"{what() if callable(what) else what}. The screen:\n{self.screen()}")

    def open(self, path, wait=True):
        """Open a file and wait until Aide is at work in it."""
        self.keys("Escape")
        self.do(f"vim.cmd.edit(vim.fn.fnameescape({json.dumps(str(path))}))")
        if wait:
            self.wait(self.is_ready, "Aide is not ready")

    def is_ready(self):
        """Whether the server is at work in the buffer and its model loaded."""
        return self.state().get("state") == "ready"

    def state(self):
        """The server's state, as it last sent it."""
        return self.lua("require('aide.status').of(0) or vim.empty_dict()")

    def shown_seed(self):
        """The seed of what is shown; None: nothing is, or the server has not said yet."""
        return (self.state().get("shown") or {}).get("seed")

    def client_pid(self):
        """The server's process; 0: none is known."""
        found = subprocess.run(
            ["pgrep", "-P", str(self.lua("vim.fn.getpid()")), "-f", "aide-lsp"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.split()
        return int(found[0]) if found else 0

    @property
    def text(self):
        """The buffer's text."""
        return "\n".join(self.lua("vim.api.nvim_buf_get_lines(0, 0, -1, false)"))

    @property
    def cursor(self):
        """Line from 1 and bytes before the cursor."""
        return tuple(self.lua("vim.api.nvim_win_get_cursor(0)"))

    @property
    def place(self):
        """Line and column as `aide complete` counts: both from 1, columns in code points."""
        line, before = self.cursor
        return line, len(self.text.split("\n")[line - 1].encode()[:before].decode()) + 1

    @property
    def ghost(self):
        """The ghost text, as it is drawn; empty: none."""
        return self.lua(GHOST.replace("\n", " "))

    @property
    def messages(self):
        """The messages shown to the user."""
        return self.lua("_G.messages")

    def is_inserting(self):
        """Whether it is in insert mode: keys arrive later than what is run inside."""
        return self.lua("vim.api.nvim_get_mode().mode") == "i"

    def wait_ghost(self, expected=None):
        """Wait until a ghost text is shown (this one), and see it on the screen."""
        if expected is None:
            self.wait(lambda: self.lua(ANSWERED_GHOST.replace("\n", " ")), "No ghost text is shown")
        else:
            self.wait(
                lambda: self.ghost == expected,
                lambda: f"The ghost text is not {expected!r}, but {self.ghost!r}",
            )
        ghost = self.ghost
        first = next(line.strip() for line in ghost.split("\n") if line.strip())
        self.wait(lambda: first[:60] in self.screen(), f"{first!r} is not on the screen")
        return ghost

    def wait_all(self):
        """Wait for all of a completion: without a seed, its first lines may show first."""

        def is_all():
            ghost = self.ghost
            time.sleep(1)
            return ghost and ghost == self.ghost and not self.state().get("busy")

        self.wait(is_all, "The ghost text still changes")

    def screen(self, colors=False):
        """What the terminal shows."""
        return self.tmux("capture-pane", "-p", *(["-e"] if colors else []))

    def keep(self, folder):
        """Write screen, messages and logs where they outlive the session."""
        (folder / "screen.txt").write_text(self.screen(), encoding="utf-8")
        (folder / "screen.ansi").write_text(self.screen(colors=True), encoding="utf-8")
        try:
            shown = {
                "messages": self.messages,
                "vim": self.lua("vim.fn.execute('messages')"),
                "state": self.state(),
            }
            (folder / "shown.json").write_text(json.dumps(shown, indent=1), encoding="utf-8")
            log = "\n".join(self.lua("require('aide.log').all()"))
            (folder / "aide.log").write_text(log, encoding="utf-8")
        except (AssertionError, subprocess.TimeoutExpired) as error:
            (folder / "shown.json").write_text(str(error), encoding="utf-8")
        for log in Path(self.env["XDG_STATE_HOME"]).glob("nvim/lsp.log"):
            (folder / "lsp.log").write_bytes(log.read_bytes()[-200_000:])

    def close(self):
        """End it."""
        self.keys("Escape")
        self.command("qa!")
        end = time.monotonic() + 5
        while self.socket.exists() and time.monotonic() < end:
            time.sleep(0.05)
        self.tmux("kill-server")
