"""Which members the type of a name has: a module for each language in which that can be certain."""
