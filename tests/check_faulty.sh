#!/bin/bash
# Defenses, metrics and attacks from outside that break in the middle of their
# work: the cells concerned say how, what hangs on them is blocked by name, all
# others come to their end, no failure is kept, a retry tries again.
set -u
cd "$(dirname "$0")/.." || exit 2
. tests/check.sh
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:handle_segv=0
stacks() { # plugin, prefix of ids
    for act in segv exit spin nan; do
        printf ', {"id": "%s-%s", "stack": [{"name": "%s", "act": "%s"}]}' \
            "$2" $act "$1" $act
    done
}
# shellcheck disable=SC2317 # called through check
run() { # name of suite and run; more flags
    local name=$1
    shift
    "$program" run "$dir/$name.json" --out "$dir/$name" --store "$dir/store" \
        --plugin "$dir/faulty.so" --cpu-limit 2 "$@"
}
ends() { # run: how each cell ended, and why
    python3 -c '
import json, sys
for c in json.load(open(sys.argv[1] + "/results.json"))["cells"]:
    print(c["attack"], c["defense"], c["status"], c.get("reason") or "")' "$1"
}
suite() { # stacks, attacks, metrics
    cat <<END
{"schema": "invbench.suite/1", "name": "t", "seeds": [1],
 "dataset": {"name": "synthfaces", "size": 32, "identities": 4, "train": 4,
             "holdout": 2, "public_identities": 4, "public_images": 2},
 "models": [{"id": "m", "name": "softmax", "epochs": 5}],
 "evaluators": [{"id": "e", "name": "mlp", "epochs": 2, "hidden": [16]}],
 "defenses": [{"id": "none", "stack": []}$1],
 "attacks": [{"id": "a", "name": "mi-face-blackbox", "start": "random"}$2],
 "access": ["scores"], "budget": {"max_queries": 50}, "metrics": [$3]}
END
}

${CC:-cc} -shared -fPIC -O1 -std=c11 -D_GNU_SOURCE -Iinclude \
    -o "$dir/faulty.so" tests/plugins/faulty.c || exit 2

# --- defenses, in their answers and in training ---------------------------
suite "$(stacks faulty-answers answer)$(stacks faulty-training train)" '' \
    '"ssim"' >"$dir/defenses.json"
check "defenses that break cost their own cells" 3 "report.html" run defenses
ends "$dir/defenses" >"$dir/log"
while read -r want; do
    verdict "the cell is: $want" \
        "$(grep -qE "^a $want" "$dir/log" && echo yes)"
done <<'END'
none ok
answer-segv crashed .*SIGSEGV
answer-exit (crashed|failed) .
answer-spin timeout .*2 s of CPU time
answer-nan failed .*not a number
train-segv blocked needs model m/train-segv/s1: crashed
train-exit blocked needs model m/train-exit/s1: (crashed|failed)
train-spin blocked needs model m/train-spin/s1: timeout
train-nan blocked needs model m/train-nan/s1: failed .*not finite
END
kept() {
    "$program" store ls --store "$dir/store" | sort | awk '{print $1, $2}'
}
kept >"$dir/kept"
check "a retry runs a crashed training again" 3 \
    "model m/train-segv/s1: crashed" run defenses --retry-failed
verdict "no failure is kept in the store" \
    "$(kept | cmp - "$dir/kept" && [ "$(grep -c model "$dir/kept")" -eq 2 ] &&
        echo yes)"

# --- metrics ----------------------------------------------------------------
for want in "segv 3 crashed" "spin 3 timeout" "exit 3 score" "nan 0 report"; do
    read -r act status text <<<"$want"
    suite '' '' "\"ssim\", {\"name\": \"faulty-metric\", \"act\": \"$act\"}" \
        >"$dir/metric-$act.json"
    check "a metric that breaks: $act" "$status" "$text" run "metric-$act"
done
verdict "a value that is none is null, with its reason" \
    "$(grep -q '"it is no number"' "$dir/metric-nan/results.json" && echo yes)"

# --- memory -----------------------------------------------------------------
# A build with ASan cannot limit addresses.
if ! grep -q __asan_init "$program"; then
    suite '' ', {"id": "memory", "name": "faulty-memory"}' '"ssim"' \
        >"$dir/memory.json"
    check "taking all memory costs one cell" 3 "report.html" \
        run memory --memory-limit 256
    ends "$dir/memory" >"$dir/log"
    verdict "which is out of memory" \
        "$(grep -q '^memory none oom' "$dir/log" &&
            grep -q '^a none ok' "$dir/log" && echo yes)"
fi
tests/schema_check.py results "$dir"/*/results.json || bad=1
exit $bad
