"""Runs pip in this process and ends with the process that started it.

In: pip's arguments; a pipe on stdin that the parent holds open. Out: pip's exit status. When the parent
dies, even by a signal that it cannot catch, the pipe closes and so does this process: nothing is left
running.
It does not know what is fetched. Started by `wheels` as `python -m aide_lsp.catalog.pip_child`.
"""

import os
import runpy
import sys
import threading


def main() -> None:
    """Run `pip ARGUMENTS...`."""
    threading.Thread(target=_end_with_parent, daemon=True, name="parent-watch").start()
    runpy.run_module("pip", run_name="__main__", alter_sys=True)


def _end_with_parent() -> None:
    # Not sys.stdin: the lock of its buffer, held by a waiting daemon thread, would abort a normal exit.
    while os.read(sys.__stdin__.fileno() if sys.__stdin__ else 0, 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
