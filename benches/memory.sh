#!/usr/bin/env bash
# The peak memory of `analyze` over many files with 200 watched accounts.
#
#   benches/memory.sh           4 GiB in 6 files, at most 300 MiB beside mapped pages
#   MIXED=1 benches/memory.sh   4 GiB of W3C and HttpProxy in many files, at most 400 MiB
#   SIZE=1GiB LIMIT_MIB=200 benches/memory.sh --hash none      words go to `analyze`
#   STILLIN=path GENERATE=path  take these binaries and build nothing
#
# Status: 0 within the limit, 1 above it, 2 it could not run.
set -euo pipefail
cd "$(dirname "$0")/.."
. benches/prepare.sh

size=${SIZE:-4GiB}
build
name=many limit=300 arguments=(--size "$size" --servers 2 --days 3 --watched 200)
if [[ -n ${MIXED:-} ]]; then name=many-mixed limit=400 arguments+=(--http-proxy); fi
data=$(logs "$name-$size" "${arguments[@]}")
python3 benches/memory.py --limit-mib "${LIMIT_MIB:-$limit}" --data "$data" -- \
    "$STILLIN" analyze "$data" -o "$cache/memory.json" "$@"
