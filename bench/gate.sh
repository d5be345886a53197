#!/bin/bash
# make gate: how often the gate of docs/comparing.md gives a false alarm and how
# often it catches a leak. Runs suites/regression.json ten times under disjoint
# seeds with five stacks each (half an hour on two cores; kept in runs/gate and
# the store), resamples what came out (bench/gate.c), and holds two of the stacks
# against each other with `invbench compare`, run by run.
# GATE_RUNS (10), GATE_EXPERIMENTS (1000), GATE_DIR (runs/gate), GATE_STORE.
set -eu
cd "$(dirname "$0")/.."
runs=${GATE_RUNS:-10}
dir=${GATE_DIR:-runs/gate}
store=()
[ -z "${GATE_STORE:-}" ] || store=(--store "$GATE_STORE")
mkdir -p "$dir"

rounded() { # step
    echo "[{\"name\": \"round\", \"step\": $1}]"
}
measure() { # out, run, --set...
    local out=$1 first=$((20 * ($2 - 1) + 1))
    shift 2
    ./invbench run suites/regression.json --out "$out" ${store[@]+"${store[@]}"} \
        --set "seeds=[$(seq -s, "$first" $((first + 19)))]" "$@" >"$out.log" 2>&1
}

files=()
caught=0
for ((i = 1; i <= runs; i++)); do
    measure "$dir/$i" "$i" --set 'defenses=[{"id": "none", "stack": []},
        {"id": "round", "stack": [{"name": "round",
            "step": {"sweep": [0.02, 0.03, 0.05, 0.1]}}]}]'
    files+=("$dir/$i/results.json")
    measure "$dir/$i-base" "$i" --set "defenses.0.stack=$(rounded 0.05)"
    measure "$dir/$i-new" "$i" --set "defenses.0.stack=$(rounded 0.02)"
    code=0
    ./invbench compare "$dir/$i-base" "$dir/$i-new" --fail leakage:+0.02 \
        >"$dir/$i-compare.txt" || code=$?
    echo "run $i: compare exits $code"
    [ $code -eq 0 ] || [ $code -eq 10 ]
    caught=$((caught + (code == 10)))
done
echo "round 0.05 -> round 0.02: caught in $caught of $runs real pairs of runs"
build/release/bench/gate spsa "${GATE_EXPERIMENTS:-1000}" "${files[@]}"
