#!/bin/bash
# make bench: what the oracle costs; scoring, and SSIM beside scikit-image; the
# engine beside PyTorch. The others are asked where a Python that has them is
# found ($PYTHON, python3, /usr/bin/python3; PYTHON=none: do not look); without
# PyTorch the engine's own figures and the roofline. Ratios come from pairs
# within one run; absolute numbers depend on the machine.
# BENCH_ROUNDS (9), BENCH_THREADS ("1 2"), BENCH_NETS (all).
set -eu
cd "$(dirname "$0")/.."
build=build/release
export OPENBLAS_CORETYPE=Haswell OPENBLAS_NUM_THREADS=1
echo "== the oracle, in a process of its own"
"$build/bench/bench_oracle"

python_with() { # modules: the first Python that has them, or nothing
    local p
    [ "${PYTHON:-}" = none ] && return
    for p in "${PYTHON:-}" python3 /usr/bin/python3; do
        if [ -n "$p" ] && "$p" -c "import $1" 2>/dev/null; then
            echo "$p"
            return
        fi
    done
}
echo "== scoring, one core"
"$build/bench/bench_score" "${BENCH_ROUNDS:-9}"
python=$(python_with 'skimage, numpy')
if [ -n "$python" ]; then
    "$python" bench/score_rows.py "$build/bench/bench_score" \
        "${BENCH_ROUNDS:-9}" || echo "not what is wanted"
else
    echo "no Python with scikit-image: SSIM is not compared"
fi

python=$(python_with 'torch, numpy')
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
