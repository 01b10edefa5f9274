#!/usr/bin/env bash
# The whole program against wc, ripgrep, sha256sum, DuckDB and polars, on one warm log, in one run;
# and HttpProxy logs against the W3C log of the same requests.
#
#   benches/whole.sh            1 GiB, and 1 GiB of W3C and HttpProxy; 5 rounds
#   SIZE=256MiB ROUNDS=9 benches/whole.sh
#   STILLIN=path GENERATE=path  take these binaries and build nothing
#
# Everything it makes stays in ${TMPDIR:-/tmp}/stillin-bench and is used again.
# Status: 0 all answers agree, 1 some differ, 2 it could not run. Speed does not change the status:
# a machine that does something else besides would say so too easily.
set -euo pipefail
cd "$(dirname "$0")/.."
. benches/prepare.sh

size=${SIZE:-1GiB}
rounds=${ROUNDS:-5}
build
data=$(logs "one-$size" --size "$size" --one-file)
mixed=$(logs "one-mixed-$size" --size "$size" --one-file --http-proxy)
python=$(python_with duckdb polars)
rg=$(ripgrep "$python")

"$python" benches/whole.py --stillin "$STILLIN" --rg "$rg" --rounds "$rounds" \
    --data "$data" --mixed "$mixed"
