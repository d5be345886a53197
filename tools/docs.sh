#!/bin/sh
# tools/docs.sh write|check: the pages that the program makes from its own
# tables. check fails when a page in docs/ is not what the program would write.
set -eu
cd "$(dirname "$0")/.."
program=${INVBENCH_PROGRAM:-./invbench}
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
"$program" docs --format commands >"$fresh/commands.md"
"$program" docs --format plugins >"$fresh/plugins.md"
"$program" docs --format man >"$fresh/invbench.1"
case ${1:-} in
write)
    cp "$fresh"/* docs/
    ;;
check)
    stale=0
    for page in "$fresh"/*; do
        name=docs/$(basename "$page")
        if ! cmp -s "$page" "$name"; then
            echo "$name is stale: run make docs" >&2
            stale=1
        fi
    done
    exit $stale
    ;;
*)
    echo "usage: tools/docs.sh write|check" >&2
    exit 1
    ;;
esac
