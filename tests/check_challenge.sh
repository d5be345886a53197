#!/bin/bash
# A challenge that wins: the images of an attack that the entry did not run,
# scored with its evaluators, recorded, and shown at the entry.
set -u
cd "$(dirname "$0")/.." || exit 2
. tests/check.sh
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0
shows() { # name, page, text
    check "$1" 0 "$3" cat "$dir/site/$2"
}

cat >"$dir/weak.json" <<'END'
{"schema": "invbench.suite/1", "name": "t", "seeds": [1],
 "dataset": {"name": "synthfaces", "size": 32, "identities": 16, "train": 10,
             "holdout": 4, "public_identities": 3, "public_images": 1},
 "models": [{"id": "m", "name": "softmax", "optimiser": "adam",
             "rate": 0.003, "epochs": 30}],
 "evaluators": [{"id": "e", "name": "mlp", "epochs": 40, "hidden": [128]},
                {"id": "d", "name": "dae", "epochs": 40, "hidden": [128]}],
 "defenses": [{"id": "none", "stack": []},
              {"id": "round", "stack": [{"name": "round", "step": 0.1}]}],
 "attacks": [{"id": "a", "name": "mi-face-blackbox", "start": "random"}],
 "access": ["scores"], "budget": {"max_queries": 50},
 "metrics": ["ssim", "identification", "accuracy"]}
END
sed 's/"max_queries": 50/"max_queries": 3000/
     s/"start": "random"/"start": "mean", "estimator": "spsa"/' \
    "$dir/weak.json" >"$dir/strong.json"
for run in weak strong; do
    check "a $run attack runs" 0 report.html "$program" run "$dir/$run.json" \
        --out "$dir/$run" --store "$dir/store"
done
check "the weak one is submitted" 0 checked "$program" submit "$dir/weak" \
    --out "$dir/results/entry" --by "a test" --store "$dir/store"
"$program" verify "$dir/results/entry" --cells 1 --json --store "$dir/store" \
    2>/dev/null >"$dir/verified"
sha=$(sed -n 's/^    "sha256": "\([0-9a-f]*\)".*/\1/p' "$dir/verified")

mine=$dir/results/challenges/mine
mkdir -p "$mine"
cp "$dir/strong/reconstructions/m__round__a__scores__s1.npy" "$mine/s1.npy"
images=$(sha256sum <"$mine/s1.npy" | cut -d' ' -f1)
cat >"$mine/challenge.json" <<END
{"schema": "invbench.challenge/1", "entry": {"name": "entry", "sha256": "$sha"},
 "model": "m", "defense": "round", "access": "scores", "queries": 3000,
 "reconstructions": [{"seed": 1, "file": "s1.npy", "sha256": "$images"}],
 "provenance": {"attack": "SPSA <from> the mean", "by": "a rival", "url": null,
                "notes": null}}
END
check "the strong one's images win, and that is recorded" 0 stronger \
    "$program" verify "$dir/results/entry" --challenge "$mine" --record \
    --store "$dir/store"
grep -q '^stronger$' "$dir/log" || { echo "not ok the verdict" && bad=1; }
leakage() { # file: the first leakage value in it
    sed -n '/"leakage": {/,/value/s/.*"value": \([-0-9.e]*\).*/\1/p' "$1" | head -1
}
won=$(leakage "$mine/outcome.json")
check "with the leakage that the strong attack's own run reports" 0 "$won" \
    cat "$dir/strong/results.json"

check "the leaderboard takes it up" 0 "1 entry, 2 rows" \
    "$program" leaderboard "$dir/results" --out "$dir/site"
shows "in the row, which it leads" scores.html \
    '<a href="entry/entry.html#challenges">by a challenge</a>; the entry'
shows "and flags" scores.html ", challenged"
shows "at the entry" entry/entry.html '<h2 id=challenges>Challenges</h2>'
shows "by name" entry/entry.html \
    'SPSA &lt;from&gt; the mean<small>a rival</small>'
shows "with its verdict" entry/entry.html '<b>stronger</b>'
shows "and in the numbers" leaderboard.json "\"challenge\":{\"high\":"
if [ "$(grep -c 'by a challenge' "$dir/site/scores.html")" -eq 1 ]; then
    echo "ok but not at the other defense"
else
    echo "not ok but not at the other defense"
    bad=1
fi

sed -i 's/"queries": 3000/"queries": 30/' "$mine/challenge.json"
check "a challenge edited afterwards is named, not shown" 3 \
    "challenges/mine: challenge.json: is not what the outcome is about" \
    "$program" leaderboard "$dir/results" --out "$dir/site"
sed -i 's/"queries": 30/"queries": 3000/' "$mine/challenge.json"
check "the entry is made again" 0 checked "$program" submit "$dir/weak" \
    --out "$dir/results/entry" --by "another" --store "$dir/store" --force
check "and the challenge is one to another entry" 3 \
    "challenges an entry that is not here" \
    "$program" leaderboard "$dir/results" --out "$dir/site"
shows "which the first page says, too" index.html "challenges an entry that"
tests/schema_check.py results "$dir"/*/results.json || bad=1
exit $bad
