"""The model in the server: loading it, the thread that runs it, and what happens when it fails."""
