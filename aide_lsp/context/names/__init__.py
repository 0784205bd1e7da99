"""Which names a module of the project has: a module for each language in which that can be known."""
