"""`python -m aide_lsp` is the command `aide`."""

from aide_lsp.cli import main

main(prog_name="aide")
