#!/bin/bash
# The program as a whole: exit statuses, streams, environment, docs.
set -u
cd "$(dirname "$0")/.." || exit 2
program=${INVBENCH_PROGRAM:-./invbench}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
bad=0

check() { # name, wanted status, wanted text on stderr or stdout, command...
    local name=$1 status=$2 part=$3 got
    shift 3
    "$@" >"$dir/out" 2>"$dir/err" </dev/null
    got=$?
    if [ "$got" -eq "$status" ] && grep -qF -- "$part" "$dir/out" "$dir/err"; then
        echo "ok $name"
    else
        echo "not ok $name: exit $got (wanted $status), wanted: $part"
        head -5 "$dir/out" "$dir/err"
        bad=1
    fi
}

check "help lists commands" 0 "validate" "$program" --help
check "no command is wrong usage" 1 "a command is missing" "$program"
check "an unknown command is wrong usage" 1 'did you mean "list"' "$program" lits
check "version names the numerics" 0 "core Haswell" "$program" --version
check "the kernels are pinned whatever the user sets" 0 "core Haswell" \
    env OPENBLAS_CORETYPE=SkylakeX OPENBLAS_NUM_THREADS=9 "$program" --version
check "no endless loop when pinning fails" 2 "do not stay set" \
    env INVBENCH_PINNED=1 OPENBLAS_CORETYPE=Zen "$program" --version
check "a missing suite is an error" 1 "/no/such.json" "$program" validate /no/such.json
check "all suites are valid" 0 "suites/quick.json: valid" "$program" validate suites/*.json
check "a plugin that is none is refused" 1 "cannot be loaded" \
    "$program" list --plugin README.md
check "the plugin's place is named" 1 "--plugin ./none.so: no such file" \
    "$program" list --plugin ./none.so

cc -std=c11 -D_GNU_SOURCE -shared -fPIC -Iinclude tests/plugins/module.c -o "$dir/m.so"
check "a plugin from outside is listed" 0 "halves scores" \
    "$program" list defense --plugin "$dir/m.so"
check "a plugin from outside is described" 0 "share = 0.5" \
    "$program" describe halve --plugin "$dir/m.so"

if "$program" list >/dev/full 2>"$dir/full"; then
    echo "not ok a full disk under stdout goes unnoticed"
    bad=1
else
    check "a full disk under stdout is an error" 0 "No space left" cat "$dir/full"
fi
"$program" describe attack mi-face 2>"$dir/err" | head -1 >"$dir/out"
if [ -s "$dir/err" ]; then
    echo "not ok a reader that stops early is met with noise: $(cat "$dir/err")"
    bad=1
else
    echo "ok a reader may stop early"
fi
"$program" docs --format bash >"$dir/complete.bash"
check "the bash completion completes" 0 "describe" bash -c \
    "source '$dir/complete.bash'; COMP_WORDS=(invbench des); COMP_CWORD=1; _invbench; echo \"\${COMPREPLY[@]}\""
check "the bash completion knows plugins" 0 "mi-face" bash -c \
    "source '$dir/complete.bash'; COMP_WORDS=(invbench describe attack mi-); COMP_CWORD=3; _invbench; echo \"\${COMPREPLY[@]}\""
exit $bad
