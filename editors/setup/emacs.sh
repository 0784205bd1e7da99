#!/usr/bin/env bash
# Emacs 29 or newer, which has eglot built in: the system's, its distribution's, or that of Debian's backports.
#   usage: editors/setup/emacs.sh FOLDER    ->  FOLDER/emacs, or FOLDER/unavailable
set -uo pipefail
folder=$(realpath -m "${1:?usage: editors/setup/emacs.sh FOLDER}")
mkdir -p "$folder"

has_eglot() {
    command -v emacs >/dev/null && emacs --batch --eval '(kill-emacs (if (>= emacs-major-version 29) 0 1))'
}

install_emacs() { # [OPTIONS OF APT]...
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" emacs-nox >/dev/null
}

from_backports() {
    local codename mirror
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    mirror=$(grep -rhoE "https?://[^ ]+/debian/?( |$)" /etc/apt/sources.list.d/ /etc/apt/sources.list 2>/dev/null |
        head -1 | tr -d " ")
    echo "deb $mirror $codename-backports main" >/etc/apt/sources.list.d/aide-backports.list
    apt-get update -qq && install_emacs -t "$codename-backports"
    local result=$?
    rm -f /etc/apt/sources.list.d/aide-backports.list
    return $result
}

if ! has_eglot; then
    if ((EUID != 0)); then
        echo "Emacs 29 is not there, and only root can install it: apt-get install emacs-nox" | tee "$folder/unavailable"
        exit 0
    fi
    apt-get update -qq
    candidate=$(apt-cache policy emacs-nox | sed -n 's/.*Candidate: \([0-9]*:\)\?\([0-9]*\).*/\2/p')
    if [ "${candidate:-0}" -ge 29 ]; then install_emacs; else from_backports; fi 2>"$folder/errors"
fi
if has_eglot; then
    ln -sfn "$(command -v emacs)" "$folder/emacs"
    rm -f "$folder/errors" "$folder/unavailable"
    emacs --version | head -1
    touch "$folder/.ready"
else
    echo "Emacs 29 or newer could not be had: $(tail -1 "$folder/errors")" | tee "$folder/unavailable"
fi
