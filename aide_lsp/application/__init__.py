"""What the language server and the command line both do, written once."""
