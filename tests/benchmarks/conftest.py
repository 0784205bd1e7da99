"""The benchmarks are programs of the repository, not of the package: put its root on the path."""

import sys

from tools.generate.pages import REPOSITORY

if str(REPOSITORY) not in sys.path:
    sys.path.insert(0, str(REPOSITORY))
