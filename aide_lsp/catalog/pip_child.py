"""Runs pip in this process and ends with the process that started it.

In: pip's arguments; a pipe on stdin that the parent holds open. Out: pip's exit status. When the parent
dies, even by a signal that it cannot catch, the pipe closes and so does this process: nothing is left
running. The index hears pip's version, and nothing else of the machine.
It does not know what is fetched. Started by `wheels` as `python -m aide_lsp.catalog.pip_child`.
"""

import os
import runpy
import sys
import threading
from contextlib import suppress


def main() -> None:
    """Run `pip ARGUMENTS...`."""
    threading.Thread(target=_end_with_parent, daemon=True, name="parent-watch").start()
    with suppress(ImportError):  # without pip, what follows says so
        _say_little()
    runpy.run_module("pip", run_name="__main__", alter_sys=True)


def _say_little() -> None:
    """pip tells each index the system, kernel, processor and libraries, and has no option against it."""
    import pip
    from pip._internal.network import session

    vars(session)["user_agent"] = lambda: f"pip/{pip.__version__}"


def _end_with_parent() -> None:
    # Not sys.stdin: the lock of its buffer, held by a waiting daemon thread, would abort a normal exit.
    while os.read(sys.__stdin__.fileno() if sys.__stdin__ else 0, 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
