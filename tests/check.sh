# For the check_*.sh, which source it: the program, a directory of their own,
# and `check`. They end with `exit $bad`.
# shellcheck shell=bash disable=SC2034
program=$(realpath "${INVBENCH_PROGRAM:-./invbench}")
dir=$(mktemp -d "${TMPDIR:-/tmp}/invbench-check-XXXXXX") || exit 2
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
bad=0

verdict() { # name, "yes" or not, what else to say
    if [ "$2" = yes ]; then
        echo "ok $1"
    else
        echo "not ok $1: ${3-}"
        head -30 "$dir/log"
        bad=1
    fi
}
check() { # name, wanted status, wanted text in the output, command...
    local name=$1 status=$2 part=$3 got
    shift 3
    "$@" >"$dir/log" 2>&1 </dev/null
    got=$?
    verdict "$name" "$([ "$got" -eq "$status" ] &&
        grep -qF -- "$part" "$dir/log" && echo yes)" \
        "exit $got (wanted $status), wanted: $part"
}
