#!/bin/bash
# Shows that a run's results do not depend on workers or interruptions: the
# same suite with --jobs 1, with --jobs 2, and killed (kill -9) twenty times
# and resumed, each from its own empty store, must give the same bytes. Logs
# the stage that each kill hit.
#
# Usage: tests/crash-resume.sh [--with-clang] [--program FILE] [--seed N]
# --with-clang also builds with clang and compares its results.
set -u
cd "$(dirname "$0")/.." || exit 2
program=${INVBENCH_PROGRAM:-./invbench}
with_clang=
RANDOM=1
while [ $# -gt 0 ]; do
    case $1 in
    --with-clang) with_clang=yes ;;
    --program) program=$2 && shift ;;
    --seed) RANDOM=$2 && shift ;;
    *) echo "usage: $0 [--with-clang] [--program FILE] [--seed N]" && exit 1 ;;
    esac
    shift
done
[ -x "$program" ] || { echo "$program: not built"; exit 2; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/invbench-crash-XXXXXX") || exit 2
trap 'rm -rf "$dir"' EXIT
suite=$dir/suite.json
cat >"$suite" <<'END'
{"schema": "invbench.suite/1", "name": "crash", "seeds": [1, 2],
 "dataset": {"name": "synthfaces", "size": 32, "identities": 10, "train": 8,
             "holdout": 4, "public_identities": 10, "public_images": 4},
 "models": [{"id": "softmax", "name": "softmax", "epochs": 60},
            {"id": "mlp", "name": "mlp", "epochs": 40, "hidden": [64]}],
 "evaluators": [{"id": "e-mlp", "name": "mlp", "epochs": 30},
                {"id": "e-cnn", "name": "cnn", "epochs": 10},
                {"id": "e-softmax", "name": "softmax", "epochs": 60}],
 "defenses": [{"id": "none", "stack": []},
              {"id": "round", "stack": [{"name": "round", "step": 0.05}]},
              {"id": "smooth", "stack": [{"name": "label-smoothing"}]}],
 "attacks": [{"id": "white", "name": "mi-face", "start": "mean",
              "access": ["gradients"]},
             {"id": "black", "name": "mi-face-blackbox", "start": "mean",
              "access": ["scores"]}],
 "access": ["gradients", "scores"], "budget": {"max_queries": 2000},
 "metrics": ["ssim", "psnr", "mse", "nearest", "identification", "accuracy"]}
END

run() { # name, jobs: in its own store
    "$program" run "$suite" --out "$dir/$1" --store "$dir/store-$1" \
        --jobs "$2" >"$dir/$1.log" 2>&1
}
fail() {
    echo "not ok - $*"
    exit 1
}

# --- killing -------------------------------------------------------------

cc -shared -fPIC -O1 -D_GNU_SOURCE -o "$dir/kill_at_rename.so" \
    tests/kill_at_rename.c || exit 2

name_of() { # pid -> name of what it computes, in $name
    name=
    { read -r name <"/proc/$1/comm"; } 2>/dev/null
}
children_of() {
    children=
    { read -r children <"/proc/$1/task/$1/children"; } 2>/dev/null
}
gone() { # waits until every pid given is gone
    local p n
    for p; do
        n=0
        while [ -d "/proc/$p" ] && [ $n -lt 1000 ]; do
            case $(cut -d' ' -f3 "/proc/$p/stat" 2>/dev/null) in
            Z | '') break ;;
            esac
            sleep 0.01
            n=$((n + 1))
        done
        [ $n -lt 1000 ] || fail "process $p outlived its orchestrator"
    done
}

# Kills the run while a worker computes $1. Stopping the worker first makes
# sure that it is what the kill hits.
kill_in_stage() { # stage
    local pid=$1 stage=$2 c all
    while [ -d "/proc/$pid" ]; do
        children_of "$pid"
        all=$children
        for c in $all; do
            name_of "$c"
            [ "$name" = "ib-$stage" ] || continue
            sleep "0.0$((RANDOM % 30 + 10))"
            kill -STOP "$c" 2>/dev/null || continue
            name_of "$c"
            if [ "$name" != "ib-$stage" ]; then
                kill -CONT "$c" 2>/dev/null
                continue
            fi
            children_of "$c"
            kill -9 "$pid"
            { wait "$pid"; } 2>/dev/null
            # shellcheck disable=SC2086
            gone $all $children
            hit=$stage
            return 0
        done
        children_of "$pid" && sleep 0.002
    done
    return 1
}
kill_in_rename() { # pid: the shim kills
    { wait "$1"; } 2>/dev/null
    [ -s "$dir/hit" ] || return 1
    case $(cat "$dir/hit") in
    ib-*) hit="rename of a $(sed s/ib-// "$dir/hit") artifact" ;;
    *) hit="rename in the run's directory" ;;
    esac
}

try_kill() { # what: data, model, attack, score or rename
    local what=$1 pid
    rm -f "$dir/hit" "$dir/count"
    hit=
    if [ "$what" = rename ]; then
        # number 1 is suite.json
        KILL_AT=$((RANDOM % 3 + 2)) KILL_COUNT=$dir/count KILL_HIT=$dir/hit \
            LD_PRELOAD=$dir/kill_at_rename.so \
            "$program" run "$suite" --out "$dir/killed" \
            --store "$dir/store-killed" --jobs 2 >"$dir/killed.log" 2>&1 &
        pid=$!
        kill_in_rename "$pid"
    else
        "$program" run "$suite" --out "$dir/killed" \
            --store "$dir/store-killed" --jobs 2 >"$dir/killed.log" 2>&1 &
        pid=$!
        kill_in_stage "$pid" "$what"
    fi
}

# A machine fast enough may finish the run before the stage is hit: then the
# run starts over from an empty store.
one_kill() { # number, what
    local tries=0
    until try_kill "$2"; do
        tries=$((tries + 1))
        [ $tries -lt 5 ] || fail "kill $1: five runs ended without hitting $2"
        rm -rf "$dir/killed" "$dir/store-killed"
        echo "kill $1: the run was over before $2; from an empty store again"
    done
    echo "kill $1: hit $hit"
}

plan="data model model rename model rename model attack rename attack attack \
rename attack score rename score score score rename score"

# --- comparing -----------------------------------------------------------

plain() { # results.json without provenance, one value a line
    python3 -c '
import json, sys
r = json.load(open(sys.argv[1]))
r.pop("provenance")
json.dump(r, sys.stdout, indent=1)' "$1"
}
same() { # two runs
    plain "$dir/$1/results.json" >"$dir/a" || fail "$1: no results"
    plain "$dir/$2/results.json" >"$dir/b" || fail "$2: no results"
    cmp "$dir/a" "$dir/b" || fail "$1 and $2: results.json differs"
    cmp "$dir/$1/records.jsonl" "$dir/$2/records.jsonl" ||
        fail "$1 and $2: records.jsonl differs"
    diff -r "$dir/$1/reconstructions" "$dir/$2/reconstructions" ||
        fail "$1 and $2: reconstructions differ"
    [ "$(find "$dir/$1/reconstructions" -name '*.npy' | wc -l)" -gt 0 ] ||
        fail "$1: no reconstructions"
    echo "ok - $1 and $2 give the same bytes"
}

run jobs-1 1 || fail "jobs-1: $(tail -3 "$dir/jobs-1.log")"
run jobs-2 2 || fail "jobs-2: $(tail -3 "$dir/jobs-2.log")"
same jobs-1 jobs-2
n=0
for what in $plan; do
    n=$((n + 1))
    one_kill $n "$what"
done
run killed 2 || fail "killed: $(tail -3 "$dir/killed.log")"
same jobs-1 killed
if [ -n "$with_clang" ]; then
    make -s CC=clang VARIANT=clang BUILD="${CLANG_BUILD:-build/clang}" \
        "${CLANG_BUILD:-build/clang}/invbench" || fail "clang build"
    program=${CLANG_BUILD:-build/clang}/invbench
    run clang 2 || fail "clang: $(tail -3 "$dir/clang.log")"
    same jobs-1 clang
fi
tests/schema_check.py results "$dir"/*/results.json || fail "a schema"
