#!/bin/bash
# What a run, an entry, a verification and a challenge write, by a JSON schema
# validator that is not ours; each required member, left out, is missed.
set -u
cd "$(dirname "$0")/.." || exit 2
program=$(realpath "${INVBENCH_PROGRAM:-./invbench}")
dir=$(mktemp -d "${TMPDIR:-/tmp}/invbench-schema-XXXXXX") || exit 2
trap 'rm -rf "$dir"' EXIT
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0
# The distribution's package belongs to the distribution's Python.
python=python3
[ -x /usr/bin/python3 ] && python=/usr/bin/python3
bad=0

cat >"$dir/suite.json" <<'END'
{"schema": "invbench.suite/1", "name": "t", "seeds": [1],
 "dataset": {"name": "synthfaces", "size": 32, "identities": 10, "train": 6,
             "holdout": 3, "public_identities": 4, "public_images": 2},
 "models": [{"id": "m", "name": "softmax", "epochs": 1, "rate": 1e-9}],
 "evaluators": [{"id": "e", "name": "mlp", "epochs": 20, "hidden": [32]},
                {"id": "f", "name": "dae", "epochs": 20, "hidden": [64, 32]}],
 "defenses": [{"id": "none", "stack": []},
              {"id": "round", "stack": [{"name": "round", "step": 0.1}]}],
 "attacks": [{"id": "a", "name": "mi-face-blackbox", "start": "random",
              "prior": {"name": "pca", "components": 3}},
             {"id": "b", "name": "mi-face"}],
 "access": ["scores", "gradients"], "budget": {"max_queries": 50},
 "metrics": ["ssim", "identification", "accuracy", "frechet", "prdc",
             {"name": "knowledge-extraction", "steps": 5}],
 "membership": {"attacks": ["loss", "lira"], "shadows": 4}}
END
run() {
    "$@" >"$dir/log" 2>&1 && return
    echo "not ok $*"
    tail -5 "$dir/log"
    exit 1
}
schema() {
    "$python" tests/schema_check.py "$@" || bad=1
}
run "$program" run "$dir/suite.json" --out "$dir/run" --store "$dir/store"
run "$program" submit "$dir/run" --out "$dir/entry" --store "$dir/store"
run "$program" verify "$dir/entry" --cells 1 --record --store "$dir/store"
schema --each results "$dir/run/results.json"
schema results "$dir/entry/results.json" tests/fixtures/results.json
schema --each entry "$dir/entry/entry.json"
"$program" compare "$dir/run" "$dir/run" --fail leakage:+0.02 \
    --json "$dir/comparison.json" >"$dir/log" 2>&1
schema --each comparison "$dir/comparison.json"

# Another program's word for its engine: equivalence, and differences.
engine=$("$program" --version | sed -n 's/^numerics: engine \([0-9a-f]*\).*/\1/p')
LC_ALL=C sed "s/$engine/0123456789abcdef/g" "$program" >"$dir/other"
chmod +x "$dir/other"
"$dir/other" verify "$dir/entry" --json --cells 1 --store "$dir/store2" \
    >"$dir/equivalence.json" 2>"$dir/log"
cp -r "$dir/entry" "$dir/forged"
printf ' ' >>"$dir/forged/suite.json"
"$program" verify "$dir/forged" --json --store "$dir/store" \
    >"$dir/refuted.json" 2>"$dir/log"
schema --each verification "$dir/entry/verified.json" \
    "$dir/equivalence.json" "$dir/refuted.json"

# The entry's own images as a challenge to it; then to another entry.
mkdir "$dir/challenge"
sha=$(sed -n 's/^    "sha256": "\([0-9a-f]*\)".*/\1/p' "$dir/entry/verified.json")
cp "$dir/entry/reconstructions/m__none__a__scores__s1.npy" "$dir/challenge/s1.npy"
images=$(sha256sum <"$dir/challenge/s1.npy" | cut -d' ' -f1)
cat >"$dir/challenge/challenge.json" <<END
{"schema": "invbench.challenge/1", "entry": {"name": "entry", "sha256": "$sha"},
 "model": "m", "defense": "none", "access": "scores", "queries": null,
 "reconstructions": [{"seed": 1, "file": "s1.npy", "sha256": "$images"}],
 "provenance": {"attack": "the same again", "by": null, "url": null, "notes": null}}
END
schema --each challenge "$dir/challenge/challenge.json"
"$program" verify "$dir/entry" --challenge "$dir/challenge" --json --record \
    --store "$dir/store" >"$dir/outcome.json" 2>"$dir/log"
code=$?
if [ $code -eq 13 ] &&
    grep -q '"verdict": "not shown to be stronger"' "$dir/outcome.json" &&
    cmp -s "$dir/outcome.json" "$dir/challenge/outcome.json"; then
    echo "ok an entry's own images are no stronger challenge"
else
    echo "not ok an entry's own images are no stronger challenge: exit $code"
    tail -5 "$dir/log" "$dir/outcome.json"
    bad=1
fi
sed -i "s/$sha/$images/" "$dir/challenge/challenge.json"
"$program" verify "$dir/entry" --challenge "$dir/challenge" --json \
    --store "$dir/store" >"$dir/invalid.json" 2>"$dir/log"
code=$?
if [ $code -eq 13 ] && grep -q '"verdict": "invalid"' "$dir/invalid.json"; then
    echo "ok a challenge to another entry is refused"
else
    echo "not ok a challenge to another entry is refused: exit $code"
    tail -5 "$dir/log" "$dir/invalid.json"
    bad=1
fi
schema --each outcome "$dir/outcome.json" "$dir/invalid.json"
if "$python" - "$dir" <<'END'; then
import json, sys
import jsonschema
dir = sys.argv[1]
with open(dir + "/run/results.json") as f:
    cells = {c["name"]: c for c in json.load(f)["cells"]}
with open(dir + "/run/records.jsonl") as f:
    records = [json.loads(line) for line in f]
with open("suites/suite.schema.json") as f:
    suite = json.load(f)
assert {c["name"]: c for c in records} == cells and len(records) == len(cells), "records.jsonl"
for name in ("run", "entry"):
    with open(dir + "/" + name + "/suite.json") as f:
        jsonschema.Draft202012Validator(suite).validate(json.load(f))
END
    echo "ok records.jsonl holds the cells, suite.json is a suite"
else
    bad=1
fi
exit $bad
