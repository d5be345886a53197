#!/bin/bash
# make bench: what the oracle costs; the engine against PyTorch, where a Python
# that has it is found ($PYTHON, python3, /usr/bin/python3), else its own figures
# and the roofline. Ratios come from pairs within one run; absolute numbers
# depend on the machine. BENCH_ROUNDS (9), BENCH_THREADS ("1 2"), BENCH_NETS.
set -eu
cd "$(dirname "$0")/.."
make --no-print-directory all build/release/libinvbench.a
build() {
    cc -std=c11 -D_GNU_SOURCE -O2 -march=x86-64-v3 -ffp-contract=off -Iinclude \
        -Icore/harness -Icore/nn "bench/$1.c" -o "build/release/$1" \
        build/release/libinvbench.a -lopenblas -lpng -lz -lnettle -lcjson \
        -lseccomp -lm -ldl -lpthread
}
export OPENBLAS_CORETYPE=Haswell OPENBLAS_NUM_THREADS=1
build bench_oracle
echo "== the oracle, in a process of its own"
build/release/bench_oracle

python=
for p in "${PYTHON:-}" python3 /usr/bin/python3; do
    [ -n "$p" ] && "$p" -c 'import torch, numpy' 2>/dev/null && python=$p && break
done
read -r -a threads <<<"${BENCH_THREADS:-1 2}"
read -r -a nets <<<"${BENCH_NETS:-}"
flags=()
for net in ${nets[@]+"${nets[@]}"}; do
    flags+=(--net "$net")
done
for n in "${threads[@]}"; do
    if [ -n "$python" ]; then
        [ -x build/release/bench_torch ] &&
            [ build/release/bench_torch -nt build/release/libinvbench.a ] ||
            build bench_torch
        build/release/bench_torch "$python" bench/torch_rows.py "$n" \
            "${BENCH_ROUNDS:-9}" ${nets[@]+"${nets[@]}"}
    else
        echo "== no Python with PyTorch and NumPy: own figures alone"
        ./invbench bench --threads "$n" --rounds "${BENCH_ROUNDS:-9}" \
            ${flags[@]+"${flags[@]}"}
    fi
done
