"""Comparison with llama.cpp on the same weights."""
