#!/usr/bin/env bash
# Helix from a newer Debian suite, unpacked next to the system. That suite moves: if it cannot be used, the reason
# is written down and the tests that need it are skipped with it.
#   usage: editors/setup/helix.sh FOLDER    ->  FOLDER/root/usr/bin/hx, or FOLDER/unavailable
set -uo pipefail
folder=$(realpath -m "${1:?usage: editors/setup/helix.sh FOLDER}")
mkdir -p "$folder"
if "$(dirname "$0")/newer-debian" "$folder" hx hx 2>"$folder/errors"; then
    rm -f "$folder/errors" "$folder/unavailable"
    touch "$folder/.ready"
else
    echo "Helix could not be had: $(tail -1 "$folder/errors")" | tee "$folder/unavailable"
fi
