#!/usr/bin/env bash
# Puts into server/ what the extension installs the server from: the wheel of this checkout, and the versions that
# it was tested with. usage: package-server.sh UV PYTHON, called by `make vsix`.
set -euo pipefail
uv=${1:?} python=${2:?}
cd "$(dirname "$0")/../.."
to=editors/vscode/server
rm -rf "$to"
mkdir -p "$to"
"$uv" build -q --wheel --no-build-isolation --python "$python" --out-dir "$to" .
rm -f "$to/.gitignore"
# The lock file holds what developers need too; taken as constraints it gives the same versions without that.
"$uv" pip compile -q pyproject.toml --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
    --constraints requirements.lock --output-file "$to/requirements.txt"
