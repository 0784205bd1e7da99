"""The server as users run it. With `--verify-later` first, nothing is verified before the model is ready."""

import sys

from aide_lsp import loading as startup
from aide_lsp.lsp.main import main

if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments[:1] == ["--verify-later"]:
        startup.SMALL_BYTES, arguments = 0, arguments[1:]
    sys.exit(main(arguments))
