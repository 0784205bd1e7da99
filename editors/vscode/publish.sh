#!/usr/bin/env bash
# Publishes build/aide.vsix on the Visual Studio Marketplace and on Open VSX; called by `make publish`.
# `publish.sh --check` does everything but that.
set -euo pipefail
cd "$(dirname "$0")"
node stage.mjs --publish
if [ "${1:-}" = --check ]; then
    echo "build/aide.vsix is ready to be published."
    exit
fi
: "${VSCE_PAT:?Set VSCE_PAT to your token for the Visual Studio Marketplace, as CONTRIBUTING.md (Publish) says.}"
: "${OVSX_PAT:?Set OVSX_PAT to your token for Open VSX, as CONTRIBUTING.md (Publish) says.}"
node_modules/.bin/vsce publish --packagePath ../../build/aide.vsix
node_modules/.bin/ovsx publish ../../build/aide.vsix
