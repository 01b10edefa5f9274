#!/usr/bin/env bash
# The peak memory of `analyze` over many files with 200 watched accounts.
#
#   benches/memory.sh           4 GiB in 6 files, at most 300 MiB beside mapped pages
#   SIZE=1GiB LIMIT_MIB=200 benches/memory.sh --hash none      words go to `analyze`
#   STILLIN=path GENERATE=path  take these binaries and build nothing
#
# Status: 0 within the limit, 1 above it, 2 it could not run.
set -euo pipefail
cd "$(dirname "$0")/.."
. benches/prepare.sh

size=${SIZE:-4GiB}
build
data=$(logs "many-$size" --size "$size" --servers 2 --days 3 --watched 200)
python3 benches/memory.py --limit-mib "${LIMIT_MIB:-300}" --data "$data" -- \
    "$STILLIN" analyze "$data/iis" "$data/ad" -o "$cache/memory.json" "$@"
