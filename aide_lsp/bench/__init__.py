"""Measures Aide on the machine at hand: speed, reproducibility, and how it keeps up with typing."""
