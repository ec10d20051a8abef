#!/usr/bin/env bash
# Installs the programs that the tests run and that pip does not have, where they are missing.
set -euo pipefail
PATH="$PATH:/usr/sbin"

missing=()
need() { # <Debian package> <what shows that it is there>...
    package="$1"
    shift
    for sign in "$@"; do
        if command -v "$sign" >/dev/null || compgen -G "$sign" >/dev/null; then return; fi
    done
    missing+=("$package")
}

need postgresql initdb "/usr/lib/postgresql/*/bin/initdb"
need chromium /usr/bin/chromium
need fonts-noto-cjk "/usr/share/fonts/*/noto/NotoSansCJK-*"
need nginx-light nginx
need libfaketime "/usr/lib/*/faketime/libfaketimeMT.so.1"
[ "${#missing[@]}" -gt 0 ] || exit 0

echo "Installing ${missing[*]} ..."
if ! command -v apt-get >/dev/null; then
    echo "error: the tests need these Debian packages: ${missing[*]}" >&2
    echo "  to try: install what has the same programs on this system" >&2
    exit 1
fi
as_root=""
[ "$(id -u)" -eq 0 ] || as_root="sudo"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
$as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
