"""The ledger: what made the last completions, in a small local file."""
