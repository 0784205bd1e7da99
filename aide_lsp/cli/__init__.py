"""The command `aide`, and what its subcommands share: options, places, progress, errors."""
