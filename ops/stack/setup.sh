#!/bin/sh
# Makes .venv from requirements.lock, every file checked by its hash. Does nothing when it is current.
set -eu
cd "$(dirname "$0")/../.."

say() { printf '%s\n' "$*" >&2; }
refuse() { say "$*"; exit 1; }

# A Python that we have tried, with what makes environments.
find_python() {
    for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
        [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 || continue
        "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' || continue
        if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
        without_venv=$candidate
    done
    [ -z "${without_venv:-}" ] || refuse "$without_venv has no venv: install it (on Debian and Ubuntu: apt install python3-venv)."
    refuse "Darkroom needs Python 3.11 to 3.14. None was found; name one with PYTHON=/path/to/python make …"
}

# pip's own settings, which uv does not read: the environment first, then pip's files.
pip_setting() {
    name=PIP_$(printf '%s' "$1" | tr 'a-z-' 'A-Z_')
    eval "value=\${$name:-}"
    [ -n "$value" ] || value=$(.venv/bin/python -m pip config list 2>/dev/null | sed -n "s/^[a-z]*\.$1='\(.*\)'\$/\1/p" | tail -n 1)
    printf '%s' "$value"
}

install_uv() {
    awk '/^uv==/ { found = 1 } found { print } found && !/\\$/ { exit }' requirements.lock > .venv/uv.lock
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.lock
}

with_uv() (
    index=$(pip_setting index-url) extra=$(pip_setting extra-index-url)
    links=$(pip_setting find-links) cert=$(pip_setting cert)
    [ -z "$index" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"
    [ -z "$extra" ] || export UV_INDEX="${UV_INDEX:-$extra}"
    [ -z "$links" ] || export UV_FIND_LINKS="${UV_FIND_LINKS:-$links}"
    [ -z "$cert" ] || export SSL_CERT_FILE="${SSL_CERT_FILE:-$cert}"
    [ -t 2 ] || set -- --quiet  # bars where there is a terminal, silence where there is none
    .venv/bin/uv pip install --python .venv/bin/python --require-hashes "$@" -r requirements.lock
)

with_pip() {
    .venv/bin/python -m pip install --disable-pip-version-check --require-hashes -r requirements.lock
}

current() {
    [ -f .venv/locked ] && .venv/bin/python -c '' 2>/dev/null && [ "$(cat .venv/locked)" = "$(sha256sum requirements.lock)" ]
}

current && exit 0
mkdir -p .darkroom
exec 9> .darkroom/setup.lock
flock 9
current && exit 0

[ "$(df -Pk . | awk 'NR == 2 { print $4 }')" -ge 1500000 ] ||
    refuse "The disk of $PWD has less than 1.5 GB free, which the environment and the servers need. Make room first."
[ "$(uname -sm)" = "Linux x86_64" ] ||
    say "Darkroom was tried on x86-64 Linux only; some of its packages do not exist for $(uname -sm)."
python=$(find_python)
.venv/bin/python -c 'import pip' 2>/dev/null || {
    say "Making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
}
say "Installing the packages of requirements.lock into .venv (about 600 MB)"
# uv does in 11 seconds what takes pip 90; pip stays for networks whose settings only pip knows.
{ install_uv && with_uv; } || { say "uv could not; pip tries."; with_pip; } ||
    refuse "The packages could not be installed: see above. Is the network up, and a proxy or an index of your own needed (pip config)?"
sha256sum requirements.lock > .venv/locked
