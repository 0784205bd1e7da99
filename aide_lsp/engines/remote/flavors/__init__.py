"""Kinds of servers: how each shows what it is, how it is asked for a completion, and how it answers."""
