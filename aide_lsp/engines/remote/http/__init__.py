"""Talks HTTP with a server: one connection, its limits, streams of events, failures in words."""
