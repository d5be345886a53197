#!/bin/bash
# Fuzzes the readers of foreign files with libFuzzer (clang) for FUZZ_SECONDS
# each (60), from sound files as seeds. The corpus and what was found stay in
# build/fuzz. The same targets, with fixed mutations, are part of make test.
set -eu
cd "$(dirname "$0")/../.."
build=build/fuzz
seconds=${FUZZ_SECONDS:-60}
make --no-print-directory CC=clang VARIANT=fuzz "$build/fuzz_model_file"
corpus=$build/corpus/model_file
mkdir -p "$corpus" "$build/found"
./invbench train --model softmax --store "$build/store" --out "$build/seed.ibm" \
    --dataset '{"name": "synthfaces", "size": 32, "identities": 2, "train": 2,
                "holdout": 1, "public_identities": 1, "public_images": 1}'
header=$(od -An -tu8 -j16 -N8 "$build/seed.ibm" | tr -d ' ')
{ printf '\0' && cat "$build/seed.ibm"; } >"$corpus/whole"
{ printf '\1' && cat "$build/seed.ibm"; } >"$corpus/signed"
{ printf '\2' && tail -c +33 "$build/seed.ibm" | head -c "$header"; } \
    >"$corpus/header"
OPENBLAS_CORETYPE=Haswell OPENBLAS_NUM_THREADS=1 \
    "$build/fuzz_model_file" -max_total_time="$seconds" -max_len=65536 \
    -timeout=10 -rss_limit_mb=4096 -artifact_prefix="$build/found/" "$corpus"
