#!/usr/bin/env bash
# Neovim 0.12 or newer from a newer Debian suite, unpacked next to the system. That suite moves: if it cannot be used, the reason
# is written down and the tests that need it are skipped with it.
#   usage: editors/setup/nvim012.sh FOLDER    ->  FOLDER/root/usr/bin/nvim, or FOLDER/unavailable
set -uo pipefail
folder=$(realpath -m "${1:?usage: editors/setup/nvim012.sh FOLDER}")
mkdir -p "$folder"
if "$(dirname "$0")/newer-debian" "$folder" neovim nvim 2>"$folder/errors"; then
    rm -f "$folder/errors" "$folder/unavailable"
    touch "$folder/.ready"
else
    echo "Neovim 0.12 or newer could not be had: $(tail -1 "$folder/errors")" | tee "$folder/unavailable"
fi
