"""The subcommands of `aide`: one module each, with a click command of the same name."""
