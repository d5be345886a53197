#!/bin/bash
# Models on the command line: what train tells, the file that it writes, what
# describe makes of sound and of spoiled ones, the reader of the docs, and a
# training whose numbers leave the range.
set -u
cd "$(dirname "$0")/.." || exit 2
. tests/check.sh
data='{"name": "synthfaces", "size": 32, "identities": 4, "train": 4,
       "holdout": 2, "public_identities": 2, "public_images": 2}'
# shellcheck disable=SC2317 # called through check
train() { # model, further arguments
    local model=$1
    shift
    "$program" train --model "$model" --dataset "$data" --store "$dir/store" "$@"
}
mlp='{"name": "mlp", "hidden": [16], "epochs": 3}'

check "train tells both accuracies" 0 "of 16 training images" \
    train "$mlp" --out "$dir/m.ibm"
check "it tells parameters and memory" 0 "16468 parameters, 0 numbers of state" \
    train "$mlp"
check "it tells time where it trained" 0 "trained in " \
    train '{"name": "softmax", "epochs": 2}'
check "and where it did not" 0 "(was there already)" train "$mlp"
check "describe shows the file" 0 "with the very code that trained it" \
    "$program" describe model-file "$dir/m.ibm"
check "describe --json" 0 '"usable": true' \
    "$program" describe model-file "$dir/m.ibm" --json
train "$mlp" --out "$dir/again.ibm" >"$dir/log" 2>&1
check "the same model gives the same bytes" 0 "same" sh -c \
    "cmp '$dir/m.ibm' '$dir/again.ibm' && echo same"
check "a model behind a defense is written" 0 "written to $dir/d.ibm" \
    train "$mlp" --defense label-smoothing --out "$dir/d.ibm"
check "and the defense with it" 0 "defense  label-smoothing" \
    "$program" describe model-file "$dir/d.ibm"

sed -n '/^```python/,/^```$/p' docs/model-file.md | grep -v '^```' >"$dir/read.py"
check "the reader of the docs reads it" 0 "logits dense [4, 1, 1] 64 4" \
    python3 "$dir/read.py" "$dir/m.ibm"

refused() { # name, wanted text
    check "$1 is refused" 2 "$2" "$program" describe model-file "$dir/bad.ibm"
}
size=$(stat -c %s "$dir/m.ibm")
for n in 0 7 40 100 $((size / 2)) $((size - 1)); do
    head -c "$n" "$dir/m.ibm" >"$dir/bad.ibm"
    refused "a file cut at byte $n" "$dir/bad.ibm: "
done
for at in 3 9 14 20 28 50 $((size / 2)) $((size - 1)); do
    cp "$dir/m.ibm" "$dir/bad.ibm"
    byte=$(od -An -tu1 -j"$at" -N1 "$dir/m.ibm" | tr -d ' ')
    printf '%b' "\\x$(printf %x $((byte ^ 16)))" |
        dd of="$dir/bad.ibm" bs=1 seek="$at" conv=notrunc 2>/dev/null
    refused "a changed byte $at" "$dir/bad.ibm: bytes "
done
cp Makefile "$dir/bad.ibm"
refused "some other file" "not those that a model file begins with"
check "a file that is not there" 2 "No such file" \
    "$program" describe model-file "$dir/none.ibm"
check "a place where nothing can be written" 2 "$dir/none/m.ibm: " \
    train "$mlp" --out "$dir/none/m.ibm"

diverging='{"name": "softmax", "optimiser": "sgd", "rate": 100,
            "weight_decay": 10, "epochs": 50}'
check "training that diverges is an error" 3 "training stopped in phase " \
    train "$diverging"
for part in "'supervised', epoch " ", step " "the values of layer '" \
    "are not finite; a smaller rate may help"; do
    check "it says: $part" 3 "$part" train "$diverging"
done
exit $bad
