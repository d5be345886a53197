#!/bin/sh
# Builds the example plugins as an outsider would and runs them.
# INVBENCH_PROGRAM names the program (tests/run.sh sets it).
set -eu
cd "$(dirname "$0")/.."
program=${INVBENCH_PROGRAM:-$PWD/invbench}
out=$(mktemp -d "${TMPDIR:-/tmp}/invbench-examples-XXXXXX")
trap 'rm -rf "$out"' EXIT
make --no-print-directory -C examples test OUT="$out" INVBENCH="$program" \
    CFLAGS="-std=c11 -O2 -Wall -Wextra -Werror -Wno-missing-field-initializers"
tests/schema_check.py results "$out/run/results.json"
