"""The ids of languages: which editors use, which files have them, and which are misspelled."""
