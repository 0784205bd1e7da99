"""A program in a terminal (tmux): keys in, screen out. Used for every editor."""

import shlex
import subprocess
import time
import uuid

SECONDS = 120
"""How long anything may take before a wait fails."""


class Terminal:
    """One running program."""

    def __init__(self, command, env, folder):
        self._env = env | {"TERM": "xterm-256color"}
        self._tmux = ["tmux", "-L", f"aide-{uuid.uuid4().hex[:8]}", "-f", "/dev/null"]
        words = shlex.join(str(word) for word in command)
        self.tmux("new-session", "-d", "-x", "100", "-y", "30", "-c", str(folder), words)

    def tmux(self, *arguments):
        """Run one of tmux's commands."""
        command = [*self._tmux, *arguments]
        return subprocess.run(command, env=self._env, capture_output=True, text=True, check=False).stdout

    def keys(self, *names):
        """Press keys by tmux's names, with a moment between: these programs read them one by one."""
        for name in names:
            self.tmux("send-keys", name)
            time.sleep(0.1)

    def type(self, text):
        """Type a text."""
        self.tmux("send-keys", "-l", text)

    def screen(self):
        """What the terminal shows."""
        return self.tmux("capture-pane", "-p")

    def wait(self, condition, what):
        """Wait until something is so; give it."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            time.sleep(0.2)
        raise AssertionError(f"{what}. The screen:\n{self.screen()}")

    def press_until(self, condition, key, what):
        """Press a key, and again where nothing came of it for a while: the model may still be loading."""
        pressed = 0.0

        def pressed_and_so():
            nonlocal pressed
            if not condition() and time.monotonic() - pressed > 10:
                self.keys(key)
                pressed = time.monotonic()
            return condition()

        self.wait(pressed_and_so, what)

    def close(self, artifacts):
        """End it; keep what was on the screen."""
        (artifacts / "screen.txt").write_text(self.screen(), encoding="utf-8")
        self.tmux("kill-server")
