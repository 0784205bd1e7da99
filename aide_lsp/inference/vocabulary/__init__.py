"""Vocabularies: the bytes that each token stands for, and how SentencePiece merges text into tokens."""
