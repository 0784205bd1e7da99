"""The heavier subcommands of `aide models`, and what they share."""
