# What whole.sh and memory.sh have in common: the binaries, the logs and the tools to compare with,
# each made once and kept. To be sourced from the root of the repository.

cache=${TMPDIR:-/tmp}/stillin-bench
mkdir -p "$cache"
# No byte code beside the scripts: the repository stays clean.
export PYTHONDONTWRITEBYTECODE=1

# Sets STILLIN and GENERATE to release binaries, unless both are given.
build() {
    if [[ -z ${STILLIN:-} || -z ${GENERATE:-} ]]; then
        cargo build --release --locked --bin stillin --example generate || exit 2
        local target=${CARGO_TARGET_DIR:-target}
        STILLIN=${STILLIN:-$target/release/stillin}
        GENERATE=${GENERATE:-$target/release/examples/generate}
    fi
    local binary
    for binary in "$STILLIN" "$GENERATE"; do
        if [[ ! -x $binary ]]; then
            echo "${0##*/}: $binary: no such program" >&2
            exit 2
        fi
    done
}

# logs NAME ARGUMENT...: prints the folder of the logs that the generator makes of these arguments.
# The sources of the generator are part of its name: old logs are not taken for new ones.
logs() {
    local version folder
    version=$(cat benches/generate.rs benches/generate/*.rs | cksum | cut -d ' ' -f 1)
    folder=$cache/$1-$version
    shift
    if [[ ! -d $folder ]]; then
        rm -rf "$folder.part"
        # A subshell in $( ) does not stop at errors by itself.
        "$GENERATE" --out "$folder.part" "$@" && mv "$folder.part" "$folder" || exit 2
    fi
    echo "$folder"
}

# python_with PACKAGE...: prints a Python that has as many of these packages as could be had.
python_with() {
    local venv=$cache/venv package
    if [[ ! -x $venv/bin/python ]] && ! python3 -m venv "$venv" >&2; then
        echo python3
        return
    fi
    for package in "$@"; do
        if ! "$venv/bin/python" -c "import $package" 2>/dev/null; then
            "$venv/bin/python" -m pip install --quiet "$package" >&2 ||
                echo "${0##*/}: $package cannot be installed" >&2
        fi
    done
    echo "$venv/bin/python"
}

# ripgrep PYTHON: prints a path of ripgrep, or nothing; PyPI has its binary where there is no package.
ripgrep() {
    local beside=${1%/*}/rg
    if command -v rg; then return; fi
    if [[ $1 != python3 && ! -x $beside ]]; then
        "$1" -m pip install --quiet ripgrep >&2 || true
    fi
    if [[ -x $beside ]]; then echo "$beside"; fi
}
