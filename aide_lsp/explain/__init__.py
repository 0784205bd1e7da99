"""Explains a completion: what the model read, what each token was drawn from, what ended it."""
