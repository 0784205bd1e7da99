"""Explain a completion: what the model read, what each token was drawn from, and what ended it."""
