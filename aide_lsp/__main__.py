"""`python -m aide_lsp` is the command `aide`."""

from aide_lsp.entry import main

main()
