"""The figures in the documentation."""
