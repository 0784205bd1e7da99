"""The syntax of the languages that Aide completes: which parts of a text are code, strings, and comments."""
