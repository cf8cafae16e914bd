# shellcheck shell=bash
# Read by the other scripts: goes to the repository's folder and defines `prepare`.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
venv=$PWD/.venv
stamp=$venv/.installed

# prepare LOCKFILE: .venv holds what the lock file names, hash by hash, and the package itself.
# Where it does already, nothing is asked of the network.
prepare() {
    if ! is_prepared "$1"; then
        local python
        python=$(find_python)
        # Of several starts at once one installs. The lock hangs on the open file, so it outlives
        # the Python that takes it and ends with this shell, however that ends.
        exec 9<pyproject.toml
        "$python" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
        is_prepared "$1" || install "$1" "$python"
        exec 9<&-
    fi
}

# The lock file for tests holds all of the other, with equal versions: it serves for both.
is_prepared() {
    [[ -f $stamp ]] || return 1
    local lockfile
    for lockfile in "$1" requirements-dev.txt; do
        [[ $(<"$stamp") != "$(describe "$lockfile")" ]] || return 0
    done
    return 1
}

describe() {
    echo "$1 $(cat -- "$1" pyproject.toml scripts/.environment.sh | cksum)" \
        "$("$venv/bin/python" -VV 2>&1) $venv"
}

find_python() {
    local name
    for name in python3.14 python3.13 python3.12 python3.11 python3 python; do
        if "$name" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' &>/dev/null; then
            echo "$name"
            return
        fi
    done
    echo "Python 3.11 or newer with venv is needed (Debian: apt-get install python3-venv)." >&2
    return 1
}

install() {
    local lockfile=$1 python=$2
    if [[ -f $stamp && $(<"$stamp") == requirements-dev.txt* ]]; then
        lockfile=requirements-dev.txt
    fi
    echo "Setting up .venv from $lockfile ..." >&2
    is_usable || "$python" -m venv --clear "$venv"
    rm -f -- "$stamp"
    install_uv
    "$venv/bin/python" -m uv pip sync --quiet --compile-bytecode --python "$venv/bin/python" --require-hashes "$lockfile"
    add_package
    describe "$lockfile" >"$stamp"
}

# A .venv names its folder in many places, so one that was moved is made anew.
is_usable() {
    grep -qsF -- "$venv" "$venv/bin/activate" &&
        "$venv/bin/python" -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' &>/dev/null
}

install_uv() {
    local pip=("$venv/bin/python" -m pip --disable-pip-version-check) index
    awk '/^[^ ]/ { wanted = /^uv==/ } wanted' requirements-dev.txt >"$venv/uv.txt"
    "${pip[@]}" install --quiet --require-hashes -r "$venv/uv.txt"
    # Where a machine has an index of its own, pip knows it; uv does not look there.
    index=${PIP_INDEX_URL:-$("${pip[@]}" config get global.index-url 2>/dev/null || true)}
    [[ -z $index ]] || export UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-$index}
}

# The package is used where it stands; nothing of it is built or copied.
add_package() {
    local packages
    packages=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    echo "$PWD/src" >"$packages/notion_backend.pth"
    cat >"$venv/bin/notion-backend" <<'END'
#!/bin/sh
exec "$(dirname -- "$0")/python" -m notion_backend "$@"
END
    chmod +x "$venv/bin/notion-backend"
    # Read at every start instead of compiled, even where Python is told to write no bytecode.
    "$venv/bin/python" -m compileall -q src
}
