#!/usr/bin/env bash
# Checks, tests and packages the extension: build/aide.vsix. usage: package.sh UV PYTHON, called by `make vsix`.
set -euo pipefail
cd "$(dirname "$0")"
log=$(mktemp)
trap 'rm -f "$log"' EXIT

quietly() { # WHAT COMMAND...: what a command says matters only if it fails
    local what=$1
    shift
    "$@" >"$log" 2>&1 || {
        cat "$log" >&2
        echo "make vsix failed: $what." >&2
        exit 1
    }
}

quietly "packaging the server" ./package-server.sh "$@"
quietly "style" npm run --silent lint
quietly "types" npm run --silent typecheck
quietly "unit tests" npm run --silent test
mkdir -p ../../build
quietly "packaging the extension" npm run --silent package
echo "Built build/aide.vsix ($(du -k ../../build/aide.vsix | cut -f 1) KB): the extension, with the server in it."
