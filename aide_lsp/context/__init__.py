"""Text of other files of the project: which files are read, and which of their lines a model may read."""
