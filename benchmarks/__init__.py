"""Programs that measure Aide. Not part of the package; each is run as `python -m benchmarks.NAME`."""

import aide_lsp  # noqa: F401 - first of all: it turns the runtime's telemetry off
