"""Checks and measurements on a CUDA device."""
