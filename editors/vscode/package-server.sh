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
cp requirements.lock "$to/requirements.txt"
