#!/bin/bash
# What can go wrong around a run: misbehaving attacks, interruptions, damaged,
# full and read-only stores, two runs at once. Nothing of it may cost more than
# the cells concerned.
set -u
cd "$(dirname "$0")/.." || exit 2
. tests/check.sh
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0
suite() { # attacks, as JSON, [other members]
    cat <<END
{"schema": "invbench.suite/1", "name": "t", "seeds": [1],
 "dataset": {"name": "synthfaces", "size": 32, "identities": 4, "train": 4,
             "holdout": 2, "public_identities": 4, "public_images": 2},
 "models": [{"id": "m", "name": "softmax", "epochs": 5}],
 "evaluators": [{"id": "e", "name": "mlp", "epochs": 2, "hidden": [16]}],
 "defenses": [{"id": "none", "stack": []},
              {"id": "round", "stack": [{"name": "round", "step": 0.1}]}],
 "attacks": [$1], "access": ["scores"], "budget": {"max_queries": 50},
 "metrics": ["ssim"]}
END
}
# shellcheck disable=SC2317 # called through check
run() { # name of suite, store and run; more flags
    local name=$1
    shift
    "$program" run "$dir/$name.json" --out "$dir/$name" \
        --store "$dir/store-$name" "$@"
}
plain() {
    python3 -c '
import json, sys
r = json.load(open(sys.argv[1]))
r.pop("provenance")
json.dump(r, sys.stdout, indent=1)' "$1/results.json"
}
same() { # name, run, run
    plain "$2" >"$dir/a"
    plain "$3" >"$dir/b"
    verdict "$1" "$([ -s "$dir/a" ] && cmp "$dir/a" "$dir/b" &&
        cmp "$2/records.jsonl" "$3/records.jsonl" &&
        diff -r "$2/reconstructions" "$3/reconstructions" && echo yes)" \
        "the runs differ"
}
statuses() { # run: attack status, one a line, of the undefended cells
    python3 -c '
import json, sys
for c in json.load(open(sys.argv[1] + "/results.json"))["cells"]:
    if c["defense"] == "none":
        print(c["attack"], c["status"])' "$1"
}

good='{"id": "good", "name": "mi-face-blackbox", "start": "random"}'
suite "$good" >"$dir/good.json"
check "a small suite runs" 0 "report.html" run good

# --- attacks that misbehave ------------------------------------------------
cc -shared -fPIC -O1 -std=c11 -D_GNU_SOURCE -Iinclude \
    -o "$dir/hostile.so" tests/plugins/hostile.c || exit 2
acts=$good
for act in segv exit spin nan fail starve inapplicable; do
    acts="$acts, {\"id\": \"$act\", \"name\": \"hostile\", \"act\": \"$act\"}"
done
suite "$acts" >"$dir/acts.json"
check "misbehaving attacks cost their own cells" 3 "report.html" \
    run acts --plugin "$dir/hostile.so" --cpu-limit 2
statuses "$dir/acts" >"$dir/log"
for want in "good ok" "segv crashed" "exit crashed" "spin timeout" \
    "nan failed" "fail failed" "starve oom" "inapplicable skipped"; do
    verdict "the cell is: $want" "$(grep -qxF "$want" "$dir/log" && echo yes)"
done
plain "$dir/acts" >"$dir/first"
check "failures are not tried again by themselves" 3 "--retry-failed" \
    run acts --plugin "$dir/hostile.so" --cpu-limit 2
plain "$dir/acts" >"$dir/second"
verdict "and the results are the same" \
    "$(cmp "$dir/first" "$dir/second" && echo yes)"
check "--retry-failed runs them again" 3 "segv/scores/s1: crashed" \
    run acts --plugin "$dir/hostile.so" --cpu-limit 2 --retry-failed
plain "$dir/acts" >"$dir/third"
verdict "with the same outcome" \
    "$(cmp "$dir/first" "$dir/third" && echo yes)"

# --- priors that learn -------------------------------------------------------
learns='"name": "mi-face-blackbox", "prior": {"name": "pca", "components": 3}'
suite "{\"id\": \"a\", $learns}, {\"id\": \"b\", $learns, \"samples\": 4}" \
    >"$dir/prior.json"
check "attacks share what their prior learns" 0 "report.html" run prior
verdict "which is kept once" "$("$program" store ls --store "$dir/store-prior" |
    grep -c 'prior *pca' | grep -qx 1 && echo yes)"
verdict "the run has a sheet of its samples" \
    "$(ls "$dir"/prior/images/*-pca-a.png >/dev/null && echo yes)"
small='{"name": "synthfaces", "size": 32, "identities": 4, "train": 4,
        "holdout": 2, "public_identities": 60, "public_images": 8}'
check "data sample draws from a prior that learns" 0 "No mode collapse" \
    "$program" data sample --prior pca --set components=9 --dataset "$small" \
    --store "$dir/store-sample" --out "$dir/sample.png"
cp "$dir/sample.png" "$dir/sample1.png"
check "and from one that does not" 0 "unlike the public images" \
    "$program" data sample --prior pixels --dataset "$small" \
    --store "$dir/store-sample" --out "$dir/noise.png"
check "with its numbers as JSON" 0 '"frechet_real": ' \
    "$program" data sample --prior pca --set components=9 --dataset "$small" \
    --store "$dir/store-again" --threads 2 --json --out "$dir/sample.png"
verdict "a sheet is the same anew" \
    "$(cmp "$dir/sample.png" "$dir/sample1.png" && echo yes)"
cc -shared -fPIC -O1 -std=c11 -D_GNU_SOURCE -Iinclude \
    -o "$dir/learner.so" tests/plugins/learner.c -ldl || exit 2
check "and from one from outside" 0 "Mode collapse" \
    "$program" data sample --prior learner --plugin "$dir/learner.so" \
    --dataset "$small" --store "$dir/store-sample" --out "$dir/learner.png"
check "which may crash alone" 3 "crashed" "$program" data sample \
    --prior learner --set act=segv --plugin "$dir/learner.so" \
    --dataset "$small" --store "$dir/store-sample" --out "$dir/learner.png"
verdict "and is never loaded outside the sandbox" \
    "$([ ! -e "$dir/learner.so.trace" ] && echo yes)"
check "an option that the prior has not is named" 1 "components" \
    "$program" data sample --prior pca --set component=9 --out "$dir/x.png"
check "data sample wants a prior" 1 "--prior" \
    "$program" data sample --out "$dir/x.png"
sed 's/"public_identities": 4/"public_identities": 0/' "$dir/prior.json" \
    >"$dir/nopublic.json"
check "without public images it learns nothing" 0 "public images" run nopublic
check "and the matrix says so" 0 "learns from public images" "$program" plan \
    "$dir/nopublic.json" --store "$dir/store-nopublic" --matrix

# --- stores ------------------------------------------------------------------
cp -r "$dir/good" "$dir/before"
find "$dir/store-good/objects" -type f | sort | while read -r f; do
    printf 'XXXX' | dd of="$f" bs=1 seek=40 conv=notrunc 2>/dev/null
done
check "corrupt artifacts are found and computed again" 0 "corrupt" run good
same "and give the same bytes" "$dir/before" "$dir/good"

cp "$dir/good.json" "$dir/full.json"
# shellcheck disable=SC2016
check "a full disk is an error that says how much was needed" 2 \
    "no room for an artifact of" \
    bash -c 'trap "" XFSZ; ulimit -f 12; exec "$@"' _ \
    "$program" run "$dir/full.json" --out "$dir/full" --store "$dir/store-full"
check "once there is room, the run goes on" 0 "report.html" run full
same "and gives the same bytes" "$dir/before" "$dir/full"

as_nobody=
[ "$(id -u)" -eq 0 ] &&
    as_nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
chmod -R a-w "$dir/store-good"
chmod a+rx "$dir"
mkdir -m 777 "$dir/nobody"
cp "$program" "$dir/nobody/invbench"
# shellcheck disable=SC2086
check "a read-only store serves what it has" 0 "report.html" \
    $as_nobody "$dir/nobody/invbench" run "$dir/good.json" \
    --out "$dir/nobody/out" --store "$dir/store-good"
same "and gives the same bytes" "$dir/before" "$dir/nobody/out"
suite "$good, {\"id\": \"new\", \"name\": \"mi-face-blackbox\"}" \
    >"$dir/new.json"
# shellcheck disable=SC2086
check "what it has not is an error that names it" 2 "store-good" \
    $as_nobody "$dir/nobody/invbench" run "$dir/new.json" \
    --out "$dir/nobody/new" --store "$dir/store-good"

cp "$dir/good.json" "$dir/one.json"
cp "$dir/good.json" "$dir/two.json"
"$program" run "$dir/one.json" --out "$dir/one" --store "$dir/store-both" \
    >"$dir/log1" 2>&1 &
check "two runs may share a store" 0 "report.html" \
    "$program" run "$dir/two.json" --out "$dir/two" --store "$dir/store-both"
wait $!
code=$?
verdict "both come to their end" "$([ $code -eq 0 ] && echo yes)" "exit $code"
same "with the same bytes" "$dir/one" "$dir/two"

# --- the run's directory ---------------------------------------------------
check "another suite's directory is refused" 1 "another suite" \
    "$program" run "$dir/acts.json" --out "$dir/good" \
    --store "$dir/store-both" --plugin "$dir/hostile.so"
check "--force replaces it" 0 "report.html" "$program" run "$dir/good.json" \
    --out "$dir/two" --store "$dir/store-both" --force \
    --set 'budget.max_queries=20'
check "a directory in use is refused" 1 "another run" flock "$dir/one" \
    "$program" run "$dir/one.json" --out "$dir/one" --store "$dir/store-both"

# --- interruption -------------------------------------------------------------
cp "$dir/good.json" "$dir/int.json"
"$program" run "$dir/int.json" --out "$dir/int" --store "$dir/store-int" \
    >"$dir/log" 2>&1 &
pid=$!
for _ in $(seq 500); do
    ls "$dir"/store-int/objects/*/* >/dev/null 2>&1 && break
    sleep 0.01
done
kill -INT $pid
wait $pid
code=$?
verdict "an interrupted run says how to go on" "$([ $code -eq 130 ] &&
    grep -q "again to go on" "$dir/log" && echo yes)" "exit $code"
check "and goes on" 0 "report.html" run int
same "to the same bytes" "$dir/before" "$dir/int"

# --- commands -------------------------------------------------------------------
check "plan counts what is there" 0 "data              1        1        0" \
    "$program" plan "$dir/int.json" --store "$dir/store-int"
check "train shows the accuracy" 0 "accuracy" "$program" train \
    --suite "$dir/int.json" --cell m/none/good/scores/s1 \
    --store "$dir/store-int"
check "attack names its files" 0 "$dir/found.npy" "$program" attack \
    --suite "$dir/int.json" --cell m/round/good/scores/s1 \
    --store "$dir/store-int" --out "$dir/found"
check "score prints the table" 0 "leakage" "$program" score \
    --suite "$dir/int.json" --cell m/round/good/scores/s1 \
    --store "$dir/store-int"
check "an unknown cell is wrong usage" 1 "m/none/good/scores/s1" "$program" \
    train --suite "$dir/int.json" --cell m/none/god/scores/s1 \
    --store "$dir/store-int"
mkdir "$dir/unfinished"
cp suites/quick.json "$dir/unfinished/suite.json"
for command in report "compare $dir/unfinished" "submit --out $dir/e --store $dir/store"; do
    # shellcheck disable=SC2086 # words
    check "${command%% *} says that a run is not over" 2 "come to its end" \
        "$program" $command "$dir/unfinished"
done
check "store ls lists artifacts" 0 "attack   mi-face-blackbox" \
    "$program" store ls --store "$dir/store-int"
check "store gc wants a limit" 1 "--max-size" \
    "$program" store gc --store "$dir/store-int"
check "store gc --all empties it" 0 "removed" \
    "$program" store gc --all --store "$dir/store-int"
check "an empty store has nothing" 0 "0 artifacts" \
    "$program" store ls --store "$dir/store-int"
tests/schema_check.py results "$dir"/*/results.json || bad=1
exit $bad
