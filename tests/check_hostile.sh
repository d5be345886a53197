#!/bin/sh
# A whole run with a hostile attack from outside the tree: nothing of it is
# ever executed outside the sandbox, and its bad ends cost their own cells only.
set -eu
cd "$(dirname "$0")/.."
program=${INVBENCH_PROGRAM:-$PWD/invbench}
dir=$(mktemp -d "${TMPDIR:-/tmp}/invbench-hostile-XXXXXX")
trap 'rm -rf "$dir"' EXIT
fail() {
    echo "not ok $1"
    exit 1
}

${CC:-cc} -std=c11 -D_GNU_SOURCE -shared -fPIC -Iinclude \
    tests/plugins/hostile.c -o "$dir/hostile.so" -ldl
cat >"$dir/suite.json" <<EOF
{"schema": "invbench.suite/1", "name": "hostile", "seeds": [1],
 "dataset": {"name": "synthfaces", "size": 32, "identities": 3, "train": 4,
             "holdout": 1, "public_identities": 2, "public_images": 2},
 "models": [{"id": "softmax", "name": "softmax", "epochs": 2}],
 "evaluators": [{"id": "judge", "name": "mlp", "epochs": 1}],
 "defenses": [{"id": "none", "stack": []}],
 "attacks": [{"id": "h", "name": "hostile", "store": "$dir",
              "act": {"sweep": ["probe", "segv", "exit", "nan", "starve",
                                "inapplicable", "exhaust"]}}],
 "access": ["scores"], "budget": {"max_queries": 50}, "metrics": ["mse"]}
EOF
code=0
"$program" run "$dir/suite.json" --plugin "$dir/hostile.so" --out "$dir/run" \
    --store "$dir/store" >"$dir/log" 2>&1 || code=$?
[ "$code" -eq 3 ] || {
    cat "$dir/log"
    fail "bad ends give exit status 3, not $code"
}
echo "ok bad ends give exit status 3"
for want in '"ok" 2' '"crashed" 2' '"failed" 1' '"oom" 1' '"skipped" 1'; do
    [ "$(grep -c "\"status\":${want% *}" "$dir/run/records.jsonl")" -eq \
        "${want#* }" ] || fail "records: $want"
done
echo "ok each cell says how it ended"
grep -q 'got through' "$dir/log" && fail "no attempt gets through"
echo "ok no attempt gets through"
[ ! -e "$dir/hostile.so.trace" ] ||
    fail "the module is never loaded outside the sandbox"
echo "ok the module is never loaded outside the sandbox"
tests/schema_check.py results "$dir"/run/results.json ||
    fail "its results are not what the schema says"
