"""Settings files while they are edited: where each key is, what is invalid, what can be written there."""
