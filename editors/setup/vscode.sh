#!/usr/bin/env bash
# Installs a real VS Code 1.139 workbench (code-server) with the Node it needs into a folder, and Chromium into the
# system where it is missing. Nothing is compiled: optional native parts are left out.
#   usage: editors/setup/vscode.sh FOLDER    ->  FOLDER/node/bin/node, FOLDER/code-server
set -euo pipefail
folder=$(realpath -m "${1:?usage: editors/setup/vscode.sh FOLDER}")
code_server=4.139.1
node=24.21.0

packages=()
command -v chromium >/dev/null || packages+=(chromium fonts-dejavu-core)
command -v npm >/dev/null || packages+=(npm)
if ((${#packages[@]})); then
    if ((EUID != 0)); then
        echo "Missing: ${packages[*]}. Only root can install them: apt-get install ${packages[*]}" >&2
        exit 1
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

install_in() { # FOLDER PACKAGE...: an npm folder of its own, without running the packages' scripts
    mkdir -p "$1"
    [ -f "$1/package.json" ] || echo '{"private": true}' >"$1/package.json"
    (cd "$1" && shift && npm install --silent --no-audit --no-fund --ignore-scripts "$@")
}

# The Node of the distribution may be older than the one that code-server asks for.
install_in "$folder/node" "node-linux-$(node -p process.arch)@$node"
ln -sfn "node_modules/node-linux-$(node -p process.arch)/bin" "$folder/node/bin"
export PATH="$folder/node/bin:$PATH"
install_in "$folder/code-server" "code-server@$code_server"
# What the scripts of code-server would do, without the compiling.
(cd "$folder/code-server/node_modules/code-server/lib/vscode" &&
    npm install --silent --no-audit --no-fund --ignore-scripts --omit=dev)
node "$folder/code-server/node_modules/code-server/out/node/entry.js" --version 2>/dev/null | tail -1
touch "$folder/.ready"
