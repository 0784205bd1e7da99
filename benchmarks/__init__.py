"""Programs that measure Aide. Not part of the package; each is run as `python -m benchmarks.NAME`."""
