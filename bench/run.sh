#!/bin/bash
# make bench: what the oracle costs; the engine against PyTorch, where a Python
# that has it is found ($PYTHON, python3, /usr/bin/python3; PYTHON=none: do not
# look), else its own figures and the roofline. Ratios come from pairs within one
# run; absolute numbers depend on the machine.
# BENCH_ROUNDS (9), BENCH_THREADS ("1 2"), BENCH_NETS (all).
set -eu
cd "$(dirname "$0")/.."
build=build/release
export OPENBLAS_CORETYPE=Haswell OPENBLAS_NUM_THREADS=1
echo "== the oracle, in a process of its own"
"$build/bench/bench_oracle"

python=
for p in "${PYTHON:-}" python3 /usr/bin/python3; do
    [ "${PYTHON:-}" = none ] && break
    if [ -n "$p" ] && "$p" -c 'import torch, numpy' 2>/dev/null; then
        python=$p
        break
    fi
done
read -r -a threads <<<"${BENCH_THREADS:-1 2}"
read -r -a nets <<<"${BENCH_NETS:-}"
flags=()
for net in ${nets[@]+"${nets[@]}"}; do
    flags+=(--net "$net")
done
[ -n "$python" ] || echo "== no Python with PyTorch and NumPy: own figures alone"
for n in "${threads[@]}"; do
    if [ -n "$python" ]; then
        "$build/bench/bench_torch" "$python" bench/torch_rows.py "$n" \
            "${BENCH_ROUNDS:-9}" ${nets[@]+"${nets[@]}"}
    else
        ./invbench bench --threads "$n" --rounds "${BENCH_ROUNDS:-9}" \
            ${flags[@]+"${flags[@]}"}
    fi
done
