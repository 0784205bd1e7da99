"""The syntax of the languages that Aide completes: grammars, syntax trees, and what is open at a place."""
