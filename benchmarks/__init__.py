"""Programs that measure Aide; not part of the package. README.md says what each answers."""

import aide_lsp  # noqa: F401 - first of all: it turns the runtime's telemetry off
