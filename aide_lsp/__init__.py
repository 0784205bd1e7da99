"""Aide: code completions from a model on your own machine.

Python imports this before any other module of Aide, in every process, so this is where the libraries that
report to their makers are silenced. They read the environment when they are imported; their own switches come
too late: by then ONNX Runtime has made its files.
"""

import os

__version__ = "0.1.0"

SILENT = {
    "ORT_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
}
"""Set whatever the user's environment says: nothing that Aide promises may depend on it."""

PRIVATE = 0o077
"""The umask of every process of Aide: what it writes, no one else on the machine may read."""

os.environ.update(SILENT)
