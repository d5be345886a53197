#!/bin/sh
# tools/reference.sh [OUT [SUITE...]]: runs suites and writes their entries to
# OUT (results/), verifying each by three cells. Suites on real data are left
# out where INVBENCH_DATA does not name a directory.
set -eu
cd "$(dirname "$0")/.."
program=${INVBENCH_PROGRAM:-./invbench}
out=${1:-results}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- suites/quick.json suites/orl.json \
    suites/fredrikson2015.json suites/mnist.json suites/regression.json
runs=${INVBENCH_RUNS:-runs/reference}
data=${INVBENCH_DATA:-}
failed=
for suite in "$@"; do
    name=$(basename "$suite" .json)
    if [ ! -f "$suite" ]; then
        echo "$suite: not there, left out" >&2
        continue
    fi
    sheets=
    # Real people's photographs are not ours to pass on.
    grep -q '"name": *"synthfaces"' "$suite" || sheets=--no-sheets
    if [ -n "$sheets" ] && [ ! -d "$data" ]; then
        echo "$suite: needs real data; set INVBENCH_DATA. Left out." >&2
        continue
    fi
    # A run some of whose cells failed (3) is an entry all the same.
    "$program" run "$suite" --out "$runs/$name" ${data:+--data "$data"} ||
        [ $? -eq 3 ]
    "$program" submit "$runs/$name" --out "$out/$name" --force \
        --by "the invbench authors" --title "Reference run of $name" \
        $sheets ${data:+--data "$data"}
    "$program" verify "$out/$name" --cells 3 --record \
        ${data:+--data "$data"} || failed="$failed $name"
done
[ -z "$failed" ] || { echo "not verified:$failed" >&2 && exit 1; }
