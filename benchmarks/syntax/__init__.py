"""How well, and how fast, the text around a cursor is parsed: on files of this machine."""
