#!/bin/sh
# tools/install.sh PREFIX PROGRAM: program, public headers, suites, man page,
# completions.
set -eu
cd "$(dirname "$0")/.."
prefix=$1
program=$2
install -d "$prefix/bin" "$prefix/include/invbench/parts" \
    "$prefix/share/invbench/suites" "$prefix/share/man/man1" \
    "$prefix/share/bash-completion/completions" \
    "$prefix/share/zsh/site-functions" \
    "$prefix/share/fish/vendor_completions.d"
install -m 755 "$program" "$prefix/bin/invbench"
install -m 644 include/invbench/*.h "$prefix/include/invbench/"
install -m 644 include/invbench/parts/*.h "$prefix/include/invbench/parts/"
install -m 644 suites/*.json "$prefix/share/invbench/suites/"
"$program" docs --format man >"$prefix/share/man/man1/invbench.1"
"$program" docs --format bash >"$prefix/share/bash-completion/completions/invbench"
"$program" docs --format zsh >"$prefix/share/zsh/site-functions/_invbench"
"$program" docs --format fish >"$prefix/share/fish/vendor_completions.d/invbench.fish"
