#!/bin/bash
# Runs every test program of a build directory, then the test scripts, and
# counts. Usage: tests/run.sh BUILD
set -u
cd "$(dirname "$0")/.." || exit 2
build=$1
passed=0
failed=0
log=$build/tests/log
mkdir -p "$log"
INVBENCH_PROGRAM=$(realpath "$build/invbench")
export INVBENCH_PROGRAM
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0}
export UBSAN_OPTIONS=print_stacktrace=1
export OPENBLAS_NUM_THREADS=1

run_one() { # name, command...
    local name=$1 start=$SECONDS
    shift
    if timeout 900 "$@" >"$log/$name.log" 2>&1; then
        # cmocka prints one "[       OK ]" a test; a script counts as one
        local n
        n=$(grep -cE '^\[ +OK \]|^ok ' "$log/$name.log")
        passed=$((passed + (n > 0 ? n : 1)))
        printf 'ok      %-28s %4d tests %4d s\n' "$name" "$n" $((SECONDS - start))
    else
        failed=$((failed + 1))
        printf 'FAILED  %-28s see %s\n' "$name" "$log/$name.log"
        grep -E '^\[  FAILED|ERROR|error:|not ok|Assertion|line ' "$log/$name.log" | head -20
    fi
}

for t in "$build"/tests/test_* "$build"/double/tests/double/test_*; do
    case $t in *.d | *.o | *.log) continue ;; esac
    [ -x "$t" ] && run_one "$(basename "$t")" "$t"
done
for t in tests/check_*.sh; do
    [ -x "$t" ] && run_one "$(basename "$t" .sh)" "$t"
done
echo
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
