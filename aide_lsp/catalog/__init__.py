"""Knows models on disk and on the network: cards, download, conversion. Completing never calls it."""
