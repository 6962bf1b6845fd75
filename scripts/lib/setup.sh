# Sourced by the scripts beside it: what they need from the system, and the environment .venv/ in the project's root.
#
#   LEAT_PYTHON   the interpreter of .venv/ (default: python3, if it is 3.11 or newer)
#   LEAT_VENV     the environment's folder (default: .venv)
#
# Everything is done once: packages that are there are not asked for again, and the package is built and installed only
# when one of its files changed since.

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VENV=${LEAT_VENV:-$ROOT/.venv}
PACKAGES_TO_BUILD=(build-essential ccache cmake libuv1-dev libxxhash-dev ninja-build pkg-config zlib1g-dev)
PACKAGES_TO_TEST=(clang-format-14 libcmocka-dev libsqlite3-dev)
PACKAGES_TO_TEST_FULLY=(clang clang-tidy libclang-rt-14-dev valgrind)

# pip says what fails; the rest is noise.
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore

say() {
    printf '%s\n' "$*" >&2
}

die() {
    say "${0##*/}: $*"
    exit 1
}

# Installs the Debian packages that are missing; says what to install, and stops, where it may not.
need_packages() {
    local package log missing=() as_root=()
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        say "no Debian packages here; taking for granted: $*"
        return
    fi
    for package in "$@"; do
        [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
    done
    [[ ${#missing[@]} -gt 0 ]] || return 0
    if [[ $(id -u) != 0 ]]; then
        as_root=(sudo)
        if ! command -v sudo >/dev/null || { [[ ! -t 0 ]] && ! sudo -n true 2>/dev/null; }; then
            die "these packages are missing; install them and come back: apt-get install ${missing[*]}"
        fi
    fi
    say "installing ${missing[*]}"
    # The lists of a new container are empty, those of an old machine may name versions that are gone.
    log=$(mktemp)
    if ! { "${as_root[@]}" apt-get -q update && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q install --yes --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        die "apt-get could not install: ${missing[*]}"
    fi
    rm -f "$log"
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# Prints the interpreter to use: LEAT_PYTHON, else python3, else Debian's, which is then installed.
choose_python() {
    local python=${LEAT_PYTHON:-}
    if [[ -n $python ]]; then
        is_new_enough "$python" || die "LEAT_PYTHON=$python is no Python 3.11 or newer"
    elif python=$(command -v python3) && is_new_enough "$python"; then
        :
    else
        python=/usr/bin/python3
    fi
    if [[ $python == /usr/bin/* || ! -x $(command -v "$python") ]]; then
        need_packages python3 python3-dev python3-venv
        is_new_enough "$python" || die "$python is older than 3.11; name a newer one: LEAT_PYTHON=/path/to/python3"
    fi
    "$python" -c 'import sys; print(sys.executable)'
}

# Runs pip in the environment, quietly unless it fails.
venv_pip() {
    "$VENV/bin/python" -m pip --quiet "$@" >&2 || die "pip could not: $*"
}

# Installs a file of requirements into the environment once, and again when it changed.
need_requirements() {
    local file=$1 stamp
    stamp=$VENV/$(basename "$file").installed
    if ! cmp -s "$file" "$stamp"; then
        say "installing Python packages of ${file#"$ROOT"/}"
        venv_pip install -r "$file"
        cp "$file" "$stamp"
    fi
}

make_venv() {
    local python
    python=$(choose_python) || exit 1
    if [[ $(cat "$VENV/made-with" 2>/dev/null) != "$python $("$python" -V)" ]]; then
        say "making ${VENV#"$ROOT"/} with $python ($("$python" -V))"
        rm -rf "$VENV" "$ROOT/build/wheel-$("$python" -c 'import sys; print(sys.implementation.cache_tag)')"
        "$python" -m venv "$VENV" || die "$python can't make an environment; it needs its module venv"
        echo "$python $("$python" -V)" >"$VENV/made-with"
    fi
    need_requirements "$ROOT/scripts/requirements-build.txt"
}

# A fingerprint of what goes into the package: names, sizes and times.
package_stamp() {
    (cd "$ROOT" && find CMakeLists.txt pyproject.toml LICENSE README.md cmake include src python \
        -name __pycache__ -prune -o -type f -printf '%p %s %T@\n' | LC_ALL=C sort | sha256sum)
}

# Builds the package and puts it into the environment, with the launcher, if one of its files changed.
install_package() {
    local stamp start=$SECONDS
    stamp=$(package_stamp)
    if [[ $(cat "$VENV/package-stamp" 2>/dev/null) != "$stamp" ]]; then
        say "building and installing the package"
        rm -f "$VENV/package-stamp"
        venv_pip install --no-build-isolation "$ROOT"
        echo "$stamp" >"$VENV/package-stamp"
        say "installed in $((SECONDS - start)) s"
    fi
}

# What both scripts begin with.
set_up() {
    need_packages "${PACKAGES_TO_BUILD[@]}"
    make_venv
    install_package
}
