"""Runs pip in this process, which ends with the process that started it.

The parent holds a pipe to stdin open. When the parent dies, even by a signal that it cannot catch, the pipe
closes and this process ends too. The index receives pip's version and nothing else about the machine.
`wheels` starts it as `python -m aide_lsp.catalog.pip_child`.
"""

import os
import runpy
import sys
import threading
from contextlib import suppress


def main() -> None:
    """Run `pip ARGUMENTS...`."""
    threading.Thread(target=_end_with_parent, daemon=True, name="parent-watch").start()
    with suppress(ImportError):  # without pip, the next line reports it
        _shorten_user_agent()
    runpy.run_module("pip", run_name="__main__", alter_sys=True)


def _shorten_user_agent() -> None:
    """Shorten the user agent: pip sends system, kernel, processor and libraries, and has no option for it."""
    import pip
    from pip._internal.network import session

    vars(session)["user_agent"] = lambda: f"pip/{pip.__version__}"


def _end_with_parent() -> None:
    # Not sys.stdin: a waiting daemon thread would hold the lock of its buffer, which aborts a normal exit.
    while os.read(sys.__stdin__.fileno() if sys.__stdin__ else 0, 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
