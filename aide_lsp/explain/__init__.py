"""How a completion came about: what the model read, what each token was drawn from, and what ended it."""
