#!/usr/bin/env bash
# Kakoune: the system's, or its distribution's. (kakoune-lsp, its language client, is not in Debian.)
#   usage: editors/setup/kakoune.sh FOLDER    ->  FOLDER/kak, or FOLDER/unavailable
set -uo pipefail
folder=$(realpath -m "${1:?usage: editors/setup/kakoune.sh FOLDER}")
mkdir -p "$folder"

if ! command -v kak >/dev/null && ((EUID == 0)); then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends kakoune >/dev/null
fi
if command -v kak >/dev/null; then
    ln -sfn "$(command -v kak)" "$folder/kak"
    rm -f "$folder/unavailable"
    kak -version
    touch "$folder/.ready"
else
    echo "Kakoune is not there, and only root can install it: apt-get install kakoune" | tee "$folder/unavailable"
fi
