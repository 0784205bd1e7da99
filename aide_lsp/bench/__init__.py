"""Measures Aide on your machine: speed, fidelity, reproducibility."""
