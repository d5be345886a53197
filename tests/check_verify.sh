#!/bin/bash
# From a run to an entry, and an entry computed anew: by the same program, by
# one of other numerics, and after forgeries that fit all hashes.
set -u
cd "$(dirname "$0")/.." || exit 2
. tests/check.sh
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0
# Edits results.json by a Python statement on r, then makes every hash fit.
forge() { # entry, statement
    python3 - "$1" "$2" <<'END'
import hashlib, json, os, sys
entry, statement = sys.argv[1:]
def path(name): return os.path.join(entry, name)
r = json.load(open(path("results.json")))
ok = [c for c in r["cells"] if c["status"] == "ok"]
exec(statement)
open(path("results.json"), "w").write(json.dumps(r))
m = json.load(open(path("entry.json")))
m["name"] = os.path.basename(entry)
for name, f in m["files"].items():
    data = open(path(name), "rb").read()
    f["sha256"], f["bytes"] = hashlib.sha256(data).hexdigest(), len(data)
json.dump(m, open(path("entry.json"), "w"))
END
}

# Two people trade their pictures, which no sum over all pictures shows.
swap() { # entry
    python3 - "$1" <<'END'
import glob, sys
for name in glob.glob(sys.argv[1] + "/reconstructions/*"):
    data = open(name, "rb").read()
    n = 32 * 32
    at = len(data) - 12 * n
    people = [data[at + i * n:at + (i + 1) * n] for i in range(12)]
    people[0], people[1] = people[1], people[0]
    open(name, "wb").write(data[:at] + b"".join(people))
END
    forge "$1" 'pass'
}

cat >"$dir/suite.json" <<'END'
{"schema": "invbench.suite/1", "name": "t", "seeds": [1],
 "dataset": {"name": "synthfaces", "size": 32, "identities": 12, "train": 4,
             "holdout": 2, "public_identities": 4, "public_images": 2},
 "models": [{"id": "m", "name": "softmax", "epochs": 5}],
 "evaluators": [{"id": "e", "name": "mlp", "epochs": 2, "hidden": [16]}],
 "defenses": [{"id": "none", "stack": []},
              {"id": "round", "stack": [{"name": "round", "step": 0.1}]}],
 "attacks": [{"id": "a", "name": "mi-face-blackbox", "start": "random"}],
 "access": ["scores"], "budget": {"max_queries": 50},
 "metrics": ["ssim", "identification", "accuracy"]}
END
check "a run" 0 report.html "$program" run "$dir/suite.json" \
    --out "$dir/run" --store "$dir/store"
check "becomes an entry" 0 checked "$program" submit "$dir/run" \
    --out "$dir/entry" --by "a test" --store "$dir/store"
check "which is not overwritten by mistake" 1 "--force" "$program" submit \
    "$dir/run" --out "$dir/entry" --store "$dir/store"
check "and is valid" 0 "valid, 2 cells" "$program" validate "$dir/entry"
check "drawn cells are the same to the bit" 0 "bit for bit" \
    "$program" verify "$dir/entry" --cells 1
check "so is everything" 0 "all 2 cells" "$program" verify "$dir/entry" --all
check "a store is reused, but for the attacks" 0 "computed for this: 4" \
    "$program" verify "$dir/entry" --all --store "$dir/store"
"$program" verify "$dir/entry" --cells 1 --nonce x --json \
    --store "$dir/store" 2>/dev/null >"$dir/1"
"$program" verify "$dir/entry" --cells 1 --nonce x --json \
    --store "$dir/store" 2>/dev/null >"$dir/2"
check "a nonce repeats the draw" 0 '"verdict": "verified"' \
    bash -c "cmp '$dir/1' '$dir/2' && cat '$dir/1'"
check "the outcome is recorded" 0 verified "$program" verify "$dir/entry" \
    --cells 1 --record --store "$dir/store"
check "beside the entry, which stays valid" 0 "valid, 2 cells" \
    bash -c "test -s '$dir/entry/verified.json' && '$program' validate '$dir/entry'"

# --- forgeries -----------------------------------------------------------------
cp -r "$dir/entry" "$dir/forged"
forge "$dir/forged" 'ok[0]["identities"][3]["scores"]["ssim"] += 0.01'
check "a score that does not carry into its mean is found unaided" 13 \
    "scores.ssim.value: " "$program" verify "$dir/forged" --all
rm -rf "$dir/forged"
cp -r "$dir/entry" "$dir/forged"
swap "$dir/forged"
check "pictures that are somebody else's are found" 13 \
    "pixels differ from what was computed here" \
    "$program" verify "$dir/forged" --cells 2 --store "$dir/store"
cp "$dir/log" "$dir/said"
check "and their scores are told from the submitted ones" 0 \
    "rescored as submitted" cat "$dir/said"
rm -rf "$dir/forged"
cp -r "$dir/entry" "$dir/forged"
sed -i 's/"utility": "./"utility": "x/; s/"name": "entry"/"name": "forged"/' \
    "$dir/forged/entry.json"
check "code that no key depends on is told by name" 0 \
    "other code than here: utility; keys are not compared" \
    "$program" verify "$dir/forged" --all --store "$dir/store"
rm -rf "$dir/forged"
cp -r "$dir/run" "$dir/forging"
python3 - "$dir/forging" <<'END'
import glob, sys
for name in glob.glob(sys.argv[1] + "/reconstructions/*"):
    data = bytearray(open(name, "rb").read())
    data[-1000] ^= 1
    open(name, "wb").write(data)
END
check "an edited run makes no entry" 2 "wrong with this entry" \
    "$program" submit "$dir/forging" --out "$dir/forged" --store "$dir/store"
check "and leaves none" 0 gone bash -c "[ ! -e '$dir/forged' ] && echo gone"
cp -r "$dir/entry" "$dir/kept"
sed -i 's/"name": "entry"/"name": "kept"/' "$dir/kept/entry.json"
check "nor does it replace one" 2 "was not kept" "$program" submit \
    "$dir/forging" --out "$dir/kept" --store "$dir/store" --force
check "which stays as it was" 0 "valid, 2 cells" bash -c \
    "[ ! -e '$dir/kept.replaced' ] && '$program' validate '$dir/kept'"

# --- what of the images is kept -------------------------------------------------
"$program" run "$dir/suite.json" --set seeds='[2,1]' --out "$dir/two" \
    --store "$dir/store" >"$dir/log" 2>&1
check "of two seeds" 0 checked "$program" submit "$dir/two" \
    --out "$dir/two-entry" --store "$dir/store"
check "the images of the first are kept" 0 "2 reconstructions of seed 2" bash -c \
    "cd '$dir/two-entry/reconstructions' && echo \$(ls *s2.npy | wc -l) \
     reconstructions of seed 2, \$(ls | wc -l) in all | tee /dev/stderr | grep -q '2 in all'"
check "which is an entry all the same" 0 "all 4 cells" "$program" verify \
    "$dir/two-entry" --all --store "$dir/store"
for nonce in 1 2 3 4; do # of either seed alone, as the lot falls
    check "so is one cell, by nonce $nonce" 0 verified \
        "$program" verify "$dir/two-entry" --cells 1 --nonce "$nonce"
done
check "--no-sheets leaves those out" 0 checked "$program" submit \
    "$dir/two" --out "$dir/two-entry" --store "$dir/store" --force --no-sheets
check "which is an entry too" 0 "all 4 cells" bash -c \
    "! [ -e '$dir/two-entry/images' ] && '$program' verify '$dir/two-entry' \
     --all --store '$dir/store'"
check "--every-seed keeps those of both" 0 checked "$program" submit \
    "$dir/two" --out "$dir/two-entry" --store "$dir/store" --force --every-seed
rm "$dir/two-entry/reconstructions/"*s2.npy
python3 - "$dir/two-entry" <<'END'
import json, sys
m = json.load(open(sys.argv[1] + "/entry.json"))
m["files"] = {k: v for k, v in m["files"].items() if not k.endswith("s2.npy")}
json.dump(m, open(sys.argv[1] + "/entry.json", "w"))
END
check "those of the first cannot be left out" 1 "lists no reconstructions/m__" \
    "$program" validate "$dir/two-entry"

# --- a program with another engine ----------------------------------------------
# The same program but for the engine's hash, which is part of numerics.
engine=$("$program" --version | sed -n 's/^numerics: engine \([0-9a-f]*\).*/\1/p')
LC_ALL=C sed "s/$engine/0123456789abcdef/g" "$program" >"$dir/other"
chmod +x "$dir/other"
check "another program runs the suite" 0 report.html "$dir/other" run \
    "$dir/suite.json" --out "$dir/run2" --store "$dir/store2"
check "and submits it with weights" 0 checked "$dir/other" submit \
    "$dir/run2" --out "$dir/theirs" --store "$dir/store2" --weights entry
check "its keys follow from its own word" 0 "other numerics" \
    "$program" validate "$dir/theirs"
check "its images are rescored with its evaluators" 0 \
    "to 0.0001, with the entry's evaluators" \
    "$program" verify "$dir/theirs" --cells 2 --store "$dir/store"
cp "$dir/log" "$dir/said"
check "and what is recomputed is tested for equivalence" 0 ": equivalent" \
    cat "$dir/said"
swap "$dir/theirs"
check "pictures that trade places do not have these scores" 13 \
    "rescored here: " "$program" verify "$dir/theirs" --cells 2 \
    --store "$dir/store"
check "this program refuses to submit the other's run" 1 "another build" \
    "$program" submit "$dir/run2" --out "$dir/no" --store "$dir/store2"
rm -rf "$dir/theirs"
check "without weight files" 0 checked "$dir/other" submit "$dir/run2" \
    --out "$dir/theirs" --store "$dir/store2" --weights "$dir/weights"
check "it says so" 0 "evaluators trained here" \
    "$program" verify "$dir/theirs" --cells 2 --store "$dir/store"
check "unless it is told where they are" 0 "with the entry's evaluators" \
    "$program" verify "$dir/theirs" --cells 2 --store "$dir/store" \
    --weights "$dir/weights"
for entry in results/*/entry.json; do
    check "$(dirname "$entry"), as published" 0 "valid, " \
        "$program" validate "$(dirname "$entry")"
done
tests/schema_check.py results "$dir"/*/results.json || bad=1
exit $bad
