#!/bin/bash
# What a run, an entry, a verification and a challenge write, by a JSON schema
# validator that is not ours; and each required member, left out, is missed.
set -u
cd "$(dirname "$0")/.." || exit 2
program=$(realpath "${INVBENCH_PROGRAM:-./invbench}")
dir=$(mktemp -d "${TMPDIR:-/tmp}/invbench-schema-XXXXXX") || exit 2
trap 'rm -rf "$dir"' EXIT
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0
# The distribution's package belongs to the distribution's Python.
python=python3
[ -x /usr/bin/python3 ] && python=/usr/bin/python3

cat >"$dir/suite.json" <<'END'
{"schema": "invbench.suite/1", "name": "t", "seeds": [1],
 "dataset": {"name": "synthfaces", "size": 32, "identities": 10, "train": 4,
             "holdout": 2, "public_identities": 4, "public_images": 2},
 "models": [{"id": "m", "name": "softmax", "epochs": 3}],
 "evaluators": [{"id": "e", "name": "mlp", "epochs": 2, "hidden": [8]}],
 "defenses": [{"id": "none", "stack": []},
              {"id": "round", "stack": [{"name": "round", "step": 0.1}]}],
 "attacks": [{"id": "a", "name": "mi-face-blackbox", "start": "random"},
             {"id": "b", "name": "mi-face"}],
 "access": ["scores", "gradients"], "budget": {"max_queries": 50},
 "metrics": ["ssim", "identification", "accuracy"]}
END
run() {
    "$@" >"$dir/log" 2>&1 && return
    echo "not ok $*"
    tail -5 "$dir/log"
    exit 1
}
run "$program" run "$dir/suite.json" --out "$dir/run" --store "$dir/store"
run "$program" submit "$dir/run" --out "$dir/entry" --store "$dir/store"
run "$program" verify "$dir/entry" --cells 1 --record --store "$dir/store"
"$python" - "$dir" <<'END'
import json, hashlib, os, sys
dir = sys.argv[1]
try:
    import jsonschema
except ImportError:
    sys.exit("not ok python3-jsonschema is not installed (make setup)")

def read(path):
    with open(path) as f:
        return json.load(f)

bad = 0
def say(name, ok, why=""):
    global bad
    print(("ok " if ok else "not ok ") + name + (": " + why if why and not ok else ""))
    bad += not ok

def faults(validator, value):
    return next(validator.iter_errors(value), None)

def required(schema, root, value, path=()):
    """Places in value (paths) and the members that the schema requires there,
    once for each place in the schema."""
    if "$ref" in schema:
        yield from required(root["$defs"][schema["$ref"].split("/")[-1]], root, value, path)
    if isinstance(value, dict):
        for key in schema.get("required", []):
            yield path, key
        rest = schema.get("additionalProperties")
        for key, item in value.items():
            sub = schema.get("properties", {}).get(key, rest if isinstance(rest, dict) else None)
            if sub:
                yield from required(sub, root, item, path + (key,))
    if isinstance(value, list) and "items" in schema:
        for i, item in enumerate(value):
            yield from required(schema["items"], root, item, path + (i,))

def without(value, path, key):
    copy = json.loads(json.dumps(value))
    at = copy
    for step in path:
        at = at[step]
    del at[key]
    return copy

def check(name, value, schema):
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    e = faults(validator, value)
    say(name + " is valid", e is None, str(e)[:300])
    seen, missed = set(), []
    for path, key in required(schema, schema, value):
        kind = tuple("*" if isinstance(p, int) else p for p in path) + (key,)
        if kind in seen:
            continue
        seen.add(kind)
        if faults(validator, without(value, path, key)) is None:
            missed.append(".".join(map(str, kind)))
    say("%s: each of %d required members is missed" % (name, len(seen)), not missed and seen, ", ".join(missed))

schema = {n: read("results/%s.schema.json" % n) for n in ("results", "entry", "verification", "challenge")}
results = read(dir + "/run/results.json")
check("results.json of a run", results, schema["results"])
e = faults(jsonschema.Draft202012Validator(schema["results"]), read(dir + "/entry/results.json"))
say("results.json of an entry is valid", e is None, str(e)[:300])
with open(dir + "/run/records.jsonl") as f:
    cells = [json.loads(line) for line in f]
say("records.jsonl holds the cells", sorted(c["name"] for c in cells) == sorted(c["name"] for c in results["cells"])
    and all(c in results["cells"] for c in cells))
check("entry.json", read(dir + "/entry/entry.json"), schema["entry"])
check("verified.json", read(dir + "/entry/verified.json"), schema["verification"])
suite = read("suites/suite.schema.json")
say("suite.json is valid", faults(jsonschema.Draft202012Validator(suite), read(dir + "/run/suite.json")) is None)

# The entry's own images as a challenge to it.
os.mkdir(dir + "/challenge")
cell = next(c for c in results["cells"] if c["status"] == "ok" and c["access"] == "scores")
data = open(dir + "/entry/" + cell["reconstructions"], "rb").read()
open(dir + "/challenge/s1.npy", "wb").write(data)
challenge = {
    "schema": "invbench.challenge/1",
    "entry": {"name": "entry", "sha256": read(dir + "/entry/verified.json")["entry"]["sha256"]},
    "model": cell["model"], "defense": cell["defense"], "access": cell["access"], "queries": None,
    "reconstructions": [{"seed": 1, "file": "s1.npy", "sha256": hashlib.sha256(data).hexdigest()}],
    "provenance": {"attack": "the same again", "by": None, "url": None, "notes": None}}
check("challenge.json", challenge, schema["challenge"])
json.dump(challenge, open(dir + "/challenge/challenge.json", "w"))
sys.exit(bad > 0)
END
bad=$?
"$program" verify "$dir/entry" --challenge "$dir/challenge" --json --record \
    --store "$dir/store" >"$dir/out" 2>"$dir/log"
code=$?
if [ $code -eq 13 ] && grep -q '"verdict": "not shown to be stronger"' "$dir/out" &&
    cmp -s "$dir/out" "$dir/challenge/outcome.json"; then
    echo "ok an entry's own images are no stronger challenge"
else
    echo "not ok an entry's own images are no stronger challenge: exit $code"
    tail -5 "$dir/log" "$dir/out"
    bad=1
fi
sed -i 's/"sha256": "\([0-9a-f]\)/"sha256": "0\1/' "$dir/challenge/challenge.json"
"$program" verify "$dir/entry" --challenge "$dir/challenge" \
    --store "$dir/store" >"$dir/out" 2>"$dir/log"
code=$?
if [ $code -eq 13 ] && grep -q '^invalid' "$dir/out"; then
    echo "ok a challenge to another entry is refused"
else
    echo "not ok a challenge to another entry is refused: exit $code"
    tail -5 "$dir/log" "$dir/out"
    bad=1
fi
exit $bad
