#!/bin/sh
# Runs the example suite with the example plugins and looks at what came out.
# Usage: test.sh INVBENCH OUT (where the .so files are)
set -eu
cd "$(dirname "$0")"
invbench=$1
out=$2
run=$out/run
rm -rf "$run" "$out/store"

fail() {
    echo "not ok $1"
    exit 1
}
go() {
    "$invbench" "$@" --plugin "$out/reverse_sigmoid.so" \
        --plugin "$out/random_search.so"
}
cells() { # how many records hold this text
    grep -c "$1" "$run/records.jsonl" || true
}

go describe attack random-search | grep -q 'standard deviation of a step' ||
    fail "describe shows the attack's options"
echo "ok describe shows the attack's options"

go run suite.json --out "$run" --store "$out/store" || fail "the suite runs"
[ "$(cells '"status":"ok"')" -eq 3 ] || fail "all three cells are ok"
echo "ok the suite runs, all three cells are ok"

# One query a step and identity, up to the budget, and not one more.
[ "$(cells '"forward":200,')" -eq 3 ] || fail "the budget is used up exactly"
echo "ok the budget is used up exactly"

# Each cell's reconstructions are its own: the defense changed the search.
sum() { cksum <"$run/reconstructions/softmax__$1__random-search__scores__s1.npy"; }
[ "$(sum none)" != "$(sum reverse)" ] || fail "the defense changes the result"
[ "$(sum reverse)" != "$(sum rounded-reverse)" ] ||
    fail "the stack is more than its first defense"
echo "ok the defenses change the result"

go run suite.json --out "$run" --store "$out/store" 2>&1 |
    grep -q '3 there already' || fail "a second run computes nothing"
echo "ok a second run computes nothing"
