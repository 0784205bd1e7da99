#!/usr/bin/env bash
# Checks that the Node and npm on PATH can build the extension; called by `make vsix`, before anything else.
set -euo pipefail
least=20.19.0 # of eslint, the most demanding of the tools in package.json
fail() {
    echo "make vsix needs Node $least or newer, and npm: $1. Install both, or run make test-editors, which installs" \
        "a Node of its own." >&2
    exit 1
}
version=$(node --version 2>/dev/null) || fail "there is no node on PATH"
version=${version#v}
[ "$(printf '%s\n' "$least" "$version" | sort -V | head -n 1)" = "$least" ] || fail "the node on PATH is $version"
npm --version >/dev/null 2>&1 || fail "there is no npm on PATH"
