#!/bin/bash
# The suites on real data, made small: every stage runs, every cell is ok,
# figures are in range. Needs INVBENCH_DATA; says so and passes where it is
# not there.
set -eu
cd "$(dirname "$0")/.."
data=${INVBENCH_DATA:-../shared/data}
if [ ! -d "$data/orl" ] || [ ! -d "$data/mnist" ]; then
    echo "skipped: no real data (INVBENCH_DATA is ${INVBENCH_DATA:-not set})"
    exit 0
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
program=${INVBENCH_PROGRAM:-./invbench}
run() { "$program" run "$@" --data "$data" --store "$dir/store"; }

"$program" validate suites/*.json
run suites/orl.json --out "$dir/orl" --set seeds='[1]' \
    --set budget.max_queries=300
run suites/mnist.json --out "$dir/mnist" --only model=softmax \
    --set dataset.train_limit=300 --set dataset.public_limit=100 \
    --set budget.max_queries=300
for r in orl mnist; do
    grep -q '"status":"ok"' "$dir/$r/records.jsonl"
    if grep -E '"status":"(failed|crashed|timeout|oom|blocked)"' "$dir/$r/records.jsonl"; then
        echo "a cell of $r did not come about"
        exit 1
    fi
    [ -s "$dir/$r/report.html" ]
done
# The same again computes nothing and gives the same bytes.
cp "$dir/orl/records.jsonl" "$dir/before"
run suites/orl.json --out "$dir/orl" --set seeds='[1]' --set budget.max_queries=300
cmp "$dir/orl/records.jsonl" "$dir/before"
tests/schema_check.py results "$dir"/*/results.json
