#!/bin/bash
# What a stranger may hand in: broken suites, broken data, a full or read-only
# store. Each gets an error that names the place; exit 1 where the request is
# wrong, 2 where the machine or the data is; what was there stays.
set -u
cd "$(dirname "$0")/.." || exit 2
. tests/check.sh
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0
unset INVBENCH_DATA
suite() { # data set
    cat <<END
{"schema": "invbench.suite/1", "name": "t", "seeds": [1],
 "dataset": $1,
 "models": [{"id": "m", "name": "softmax", "epochs": 3}],
 "evaluators": [{"id": "e", "name": "mlp", "epochs": 2, "hidden": [16]}],
 "defenses": [{"id": "none", "stack": []}],
 "attacks": [{"id": "a", "name": "mi-face-blackbox", "start": "random"}],
 "access": ["scores"], "budget": {"max_queries": 50}, "metrics": ["ssim"]}
END
}
# shellcheck disable=SC2317 # called through check
run() { # suite, further arguments
    local name=$1
    shift
    rm -rf "$dir/out"
    "$program" run "$dir/$name.json" --out "$dir/out" --store "$dir/store" "$@"
}

suite '{"name": "synthfaces", "size": 32, "identities": 4, "train": 4,
        "holdout": 2, "public_identities": 4, "public_images": 2}' \
    >"$dir/good.json"
suite '{"name": "folder", "path": "pgm", "train": 2, "holdout": 1,
        "public_identities": 1}' >"$dir/folder.json"
suite '{"name": "idx", "train_images": "images", "train_labels": "labels",
        "holdout_images": "holdout-images",
        "holdout_labels": "holdout-labels"}' >"$dir/idx.json"

# --- suites: nothing is run, nothing is made --------------------------------
wrong() { # name, wanted text, --set
    check "a suite with $1" 1 "$2" run good --set "$3"
}
echo '{"schema": "invbench.suite/1", "name": ' >"$dir/cut.json"
echo 'seeds = 1' >"$dir/words.json"
: >"$dir/empty.json"
for name in cut words empty; do
    check "a suite that is not JSON: $name" 1 "$name.json:" run $name
done
check "a suite that is a directory" 1 "directory" "$program" run "$dir" \
    --out "$dir/out" --store "$dir/store"
check "a suite that is not there" 1 "No such file" "$program" run \
    "$dir/none.json" --out "$dir/out" --store "$dir/store"
wrong "an unknown key" 'did you mean "attacks"?' 'attakcs=1'
wrong "an unknown key of its budget" 'did you mean "max_queries"?' \
    'budget.max_querys=1'
wrong "an unknown option" 'did you mean "epochs"?' 'models.m.epoch=1'
wrong "a text for a number" 'models[0].epochs: "x" is not an integer' \
    'models.m.epochs="x"'
wrong "a number for a list" 'seeds: ' 'seeds=1'
wrong "a list for an object" 'budget' 'budget=[]'
wrong "a value out of range" '-1 is out of range; 1..' 'models.m.epochs=-1'
wrong "a seed out of range" 'seeds[0]' 'seeds=[9007199254740993]'
wrong "an unknown model" 'did you mean "softmax"?' 'models.m.name="softmx"'
wrong "an unknown defense" 'did you mean "round"?' \
    'defenses.none.stack=["rond"]'
wrong "an unknown choice" 'did you mean "random"?' 'attacks.a.start="randm"'
wrong "an unknown access level" 'did you mean "scores"?' 'access=["score"]'
wrong "no models" 'models: ' 'models=[]'
wrong "no attacks" 'attacks: ' 'attacks=[]'
wrong "no seeds" 'seeds: ' 'seeds=[]'
wrong "an empty sweep" 'models[0].epochs: ' 'models.m.epochs={"sweep": []}'
wrong "two models of one id" 'models[1].id: "m"' \
    'models=[{"id": "m", "name": "softmax"}, {"id": "m", "name": "mlp"}]'
wrong "one seed twice" 'seeds[1]: 1 stands twice' 'seeds=[1, 1]'
sweep() { # epochs, batch sizes, alphas, betas
    cat <<END
{"schema": "invbench.suite/1", "name": "t", "seeds": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
 "dataset": {"name": "synthfaces"},
 "models": [{"name": "softmax", "epochs": {"sweep": [$(seq -s, "$1")]},
             "batch": {"sweep": [$(seq -s, "$2")]}}],
 "attacks": [{"name": "mi-face", "alpha": {"sweep": [$(seq -s, "$3")]},
              "beta": {"sweep": [$(seq -s, "$4")]}}],
 "access": ["gradients"]}
END
}
# shellcheck disable=SC2317 # called through check
limited() ( # 4 GB of addresses, 20 seconds (ASan wants its addresses)
    grep -q __asan_init "$program" || ulimit -v 4000000
    timeout 20 "$program" "$@"
)
sweep 100 100 100 100 >"$dir/sweep.json"
check "a sweep of 10^9 cells" 1 "1000000000 cells" \
    limited validate "$dir/sweep.json"
check "which is not run either" 1 "1000000000 cells" run sweep
sweep 1000 1000 1 1 >"$dir/sweep.json"
check "a sweep of 10^6 models" 1 "10000000 cells" \
    limited validate "$dir/sweep.json"
check "the option of a data set that must be given" 1 "path is empty" \
    run folder --set 'dataset.path=""'
if [ -e "$dir/out/results.json" ] || [ -n "$(find "$dir/store" -type f)" ]; then
    echo "not ok a wrong suite computes nothing"
    bad=1
else
    echo "ok a wrong suite computes nothing"
fi

# --- data ---------------------------------------------------------------------
python3 tests/bad_data.py "$dir" || exit 2
data() { # name, wanted status, wanted text, folder
    check "$1" "$2" "$3" run folder --data "$dir" --set "dataset.path=\"$4\""
}
data "sound PGM files" 0 "report.html" pgm
data "sound PNG files" 0 "report.html" png
data "a missing folder" 2 "$dir/nowhere: No such file" nowhere
data "an empty folder" 2 "empty" empty
data "a file in the place of a folder" 2 "good.json" good.json
data "a truncated PGM" 2 "cut-pgm/p2/1.pgm: cut short" cut-pgm
data "a truncated PNG" 2 "cut-png/p2/1.png: damaged PNG" cut-png
data "a PGM whose size overflows" 2 "huge-pgm/p2/1.pgm: 4294967295" huge-pgm
data "a PNG whose size overflows" 2 "huge-png/p2/1.png: " huge-png
data "images of different sizes" 2 "sizes/p2/1.pgm: 12 x 13" sizes
data "one identity only" 2 "at least 2 private ones" one-identity
check "no data folder" 1 "--data DIR" run folder
check "data preview meets the same" 2 "cut short" "$program" data preview \
    --dataset folder --set path=cut-pgm --set train=2 --set holdout=1 \
    --set public_identities=1 --data "$dir" --out "$dir/sheet.png"
check "train meets the same" 2 "cut short" "$program" train --data "$dir" \
    --dataset '{"name": "folder", "path": "cut-pgm", "train": 2, "holdout": 1,
                "public_identities": 1}' --store "$dir/store"

idx() { # name, wanted status, wanted text, --set...
    local name=$1 status=$2 part=$3 sets=() s
    shift 3
    for s; do
        sets+=(--set "dataset.${s%%=*}=\"${s#*=}\"")
    done
    check "$name" "$status" "$part" run idx --data "$dir/idx" \
        ${sets+"${sets[@]}"}
}
idx "sound IDX files" 0 "report.html"
idx "IDX with gzip" 0 "report.html" train_images=images.gz
idx "a missing IDX file" 2 "none: No such file" train_images=none
idx "a truncated IDX file" 2 "cut: cut short" train_images=cut
idx "a truncated gzip file" 2 "cut.gz: cut short" train_images=cut.gz
idx "an IDX file whose sizes overflow" 2 "huge: IDX dimension" \
    train_images=huge
idx "truncated labels" 2 "cut-labels: cut short" train_labels=cut-labels
idx "too few labels" 2 "20 labels" train_labels=few-labels
idx "a label far away" 2 "of 201" train_labels=far-label
idx "a label out of range" 2 "beyond: label 3" holdout_labels=beyond
idx "images for labels" 2 "labels have 1" train_labels=images
idx "one identity only, in IDX" 2 "idx" train_labels=one-label \
    holdout_labels=one-holdout
idx "held-out images of another size" 2 "wide: images of 13 x 13" \
    holdout_images=wide

# --- store ----------------------------------------------------------------------
rm -rf "$dir/store"
cc -shared -fPIC -O1 -D_GNU_SOURCE -o "$dir/full_disk.so" \
    tests/full_disk.c -ldl || exit 2
check "a store on a full disk" 2 "No space left on device" env \
    LD_PRELOAD="$dir/full_disk.so" FULL_DISK="$dir/store" \
    FULL_DISK_BYTES=40000 "$program" run "$dir/good.json" --out "$dir/full" \
    --store "$dir/store"
n=$(find "$dir/store/objects" -type f | wc -l)
check "what fitted is there, nothing half" 0 "$n artifacts" \
    "$program" store ls --store "$dir/store"
check "with room again, the same command goes on" 0 "report.html" \
    "$program" run "$dir/good.json" --out "$dir/full" --store "$dir/store"
check "a run's directory on a full disk" 2 "No space left on device" env \
    LD_PRELOAD="$dir/full_disk.so" FULL_DISK="$dir/second" \
    FULL_DISK_BYTES=2000 "$program" run "$dir/good.json" \
    --out "$dir/second" --store "$dir/store"
check "with room again, its results are written" 0 "report.html" \
    "$program" run "$dir/good.json" --out "$dir/second" --store "$dir/store"
if cmp -s "$dir/full/records.jsonl" "$dir/second/records.jsonl"; then
    echo "ok with the same bytes"
else
    echo "not ok the records differ"
    bad=1
fi
check "a store that is a file" 2 "not a directory" "$program" run \
    "$dir/good.json" --out "$dir/out" --store "$dir/good.json"
check "a store that is not there has no listing" 1 "No such file" \
    "$program" store ls --store "$dir/nowhere"
mkdir "$dir/home" "$dir/home/tmp"
touch -d '9 days ago' "$dir/home/tmp/mine" "$dir/home/tmp/put-abcdef"
check "gc" 0 "removed 0" "$program" store gc --all --store "$dir/home"
if [ -e "$dir/home/tmp/mine" ] && [ ! -e "$dir/home/tmp/put-abcdef" ]; then
    echo "ok gc removes only what is the store's"
else
    echo "not ok gc removes only what is the store's"
    bad=1
fi
damage() { # way, file
    case $1 in
    "it was emptied") : >"$2" ;;
    "it was cut short") truncate -s 60 "$2" ;;
    "it was lengthened") truncate -s +7 "$2" ;;
    "a byte was changed") printf X |
        dd of="$2" bs=1 seek=70 conv=notrunc 2>/dev/null ;;
    esac
}
find "$dir/store/objects" -type f -size -9k | sort >"$dir/objects"
for way in "it was emptied" "it was cut short" "it was lengthened" \
    "a byte was changed"; do
    while read -r object; do
        damage "$way" "$object"
    done <"$dir/objects"
    check "an artifact is computed again when $way" 0 "report.html" run good
    if cmp -s "$dir/out/records.jsonl" "$dir/full/records.jsonl"; then
        echo "ok and the records are the same"
    else
        echo "not ok and the records are the same"
        bad=1
    fi
done

# --- single cells -----------------------------------------------------------------
cell=m/none/a/scores/s1
check "a cell takes no options of its own" 1 "--model does not go with" \
    "$program" train --suite "$dir/good.json" --cell $cell --model mlp \
    --store "$dir/store"
check "a suite wants a cell" 1 "go together" \
    "$program" train --suite "$dir/good.json" --store "$dir/store"
check "an attack that cannot be" 1 "needs gradients" "$program" attack \
    --attack mi-face --access labels --store "$dir/store"
check "attack tells programs" 0 '"reconstructions": ' "$program" attack \
    --suite "$dir/good.json" --cell $cell --json --out "$dir/found" \
    --store "$dir/store"

# --- what programs read is JSON everywhere ------------------------------------
json() { # name, command...
    local name=$1
    shift
    if "$program" "$@" --json 2>"$dir/log" | python3 -m json.tool >"$dir/json" &&
        [ -s "$dir/json" ]; then
        echo "ok $name --json"
    else
        echo "not ok $name --json"
        head -5 "$dir/log"
        bad=1
    fi
}
json list list
json describe describe round
json validate validate "$dir/good.json"
json plan plan "$dir/good.json" --store "$dir/store"
json "data preview" data preview --set size=32 --set identities=3 \
    --set train=2 --set holdout=1 --set public_identities=2 \
    --set public_images=2 --out "$dir/sheet.png"
json run run "$dir/good.json" --out "$dir/out" --store "$dir/store"
json train train --suite "$dir/good.json" --cell $cell --store "$dir/store"
json score score --suite "$dir/good.json" --cell $cell --store "$dir/store"
json report report "$dir/out"
json selftest selftest
json "store ls" store ls --store "$dir/store"
json "store gc" store gc --all --store "$dir/store"
exit $bad
