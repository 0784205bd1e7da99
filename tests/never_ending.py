"""A conversion that never ends: reads its job and waits to be killed."""

import sys

if __name__ == "__main__":
    sys.stdin.read()
