#!/bin/sh
# The linker's list of symbols that plugins may use: every function and table
# that include/invbench declares, and nothing of the harness.
set -eu
cd "$(dirname "$0")/.."
echo '{'
cat include/invbench/*.h include/invbench/parts/*.h 2>/dev/null |
    grep -oE '\bib_[a-z0-9_]+(\(|\[)' | tr -d '([' | sort -u | sed 's/$/;/'
echo '};'
