#!/bin/bash
# Builds and runs every benchmark in bench/. Figures are ratios within one run;
# absolute numbers depend on the machine.
set -eu
cd "$(dirname "$0")/.."
make --no-print-directory all build/release/libinvbench.a
for b in bench/bench_*.c; do
    name=$(basename "$b" .c)
    echo "== $name"
    gcc -std=c11 -D_GNU_SOURCE -O2 -march=x86-64-v3 -ffp-contract=off -Iinclude \
        -Icore/harness -Icore/nn "$b" -o "build/release/$name" \
        build/release/libinvbench.a -lopenblas -lpng -lz -lnettle -lcjson \
        -lseccomp -lm -ldl -lpthread
    OPENBLAS_CORETYPE=Haswell OPENBLAS_NUM_THREADS=1 "build/release/$name" "$@"
done
