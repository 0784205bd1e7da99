"""The ledger: a small local file that records the latest completions and how they were generated."""
