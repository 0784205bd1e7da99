"""The vocabularies of GGUF files: how text is split, and what kind each token is."""
