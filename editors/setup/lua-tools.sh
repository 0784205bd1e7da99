#!/usr/bin/env bash
# The tools that look at the plugin's Lua: StyLua (npm, as WebAssembly) and luacheck (Debian).
#   usage: editors/setup/lua-tools.sh FOLDER    ->  FOLDER/node_modules/@johnnymorganz/stylua
set -euo pipefail
folder=$(realpath -m "${1:?usage: editors/setup/lua-tools.sh FOLDER}")

packages=()
command -v luacheck >/dev/null || packages+=(lua-check)
command -v npm >/dev/null || packages+=(npm)
if ((${#packages[@]})); then
    if ((EUID != 0)); then
        echo "Missing: ${packages[*]}. Only root can install them: apt-get install ${packages[*]}" >&2
        exit 1
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi
mkdir -p "$folder"
[ -f "$folder/package.json" ] || echo '{"private": true}' >"$folder/package.json"
(cd "$folder" && npm install --silent --no-audit --no-fund --ignore-scripts @johnnymorganz/stylua@2.5.2)
touch "$folder/.ready"
