#!/bin/bash
# The rules that a script can check: who may include whom, sizes of functions
# and files, format, shell scripts, words and paths that have no place here.
set -u
cd "$(dirname "$0")/.." || exit 2
bad=0
say() { printf 'lint: %s\n' "$*"; bad=1; }
sources=$(git ls-files --cached --others --exclude-standard '*.c' '*.h')

# Includes run one way: core/harness -> plugins -> include/invbench <- core/nn.
for f in $sources; do
    case $f in
    attacks/* | defenses/* | models/* | metrics/* | datasets/* | priors/* | examples/*/*.c)
        wrong=$(grep -nE '^ *# *include *"' "$f") ;;
    core/nn/*)
        wrong=$(grep -nE '^ *# *include' "$f" | grep -E 'core/|harness|invbench/(attack|defense|oracle|metric|prior|invbench)\.h|cJSON') ;;
    include/invbench/*)
        wrong=$(grep -nE '^ *# *include *"' "$f") ;;
    *) wrong= ;;
    esac
    [ -n "$wrong" ] && say "$f includes against the direction: $wrong"
done

# Only main prints and exits; plugins and the engine know no clock.
for f in $(echo "$sources" | grep -E '^(core|attacks|defenses|models|metrics|datasets|priors)/' | grep -v '^core/harness/main.c$'); do
    wrong=$(grep -nE '(^|[^a-z_])(printf|puts|putchar|perror|exit|abort) *\(' "$f" | grep -vE '^\S*: *\*|_exit *\(' | head -3)
    [ -n "$wrong" ] && say "$f prints or exits: $wrong"
done
for f in $(echo "$sources" | grep -E '^(core/nn|attacks|defenses|models|metrics|datasets|priors)/'); do
    wrong=$(grep -nE '(^|[^a-z_])(time|clock|clock_gettime|gettimeofday|rand|srand|getpid) *\(' "$f" | head -3)
    [ -n "$wrong" ] && say "$f reads a clock or a hidden state: $wrong"
done

# Budgets: functions median < 15 lines, 95 % < 45, none over 80; files < 500;
# at most 6 parameters.
if command -v ctags >/dev/null 2>&1; then
    echo "$sources" | grep '\.c$' | xargs ctags -f - --fields=+neS --kinds-C=f 2>/dev/null |
        awk -F'\t' '{ line = end = 0; args = "";
            for (i = 4; i <= NF; i++) {
                if ($i ~ /^line:/) line = substr($i, 6)
                if ($i ~ /^end:/) end = substr($i, 5)
                if ($i ~ /^signature:/) args = substr($i, 11) }
            n = gsub(/,/, ",", args) + 1
            print end - line + 1, n, $2, $1 }' | sort -n >"${TMPDIR:-/tmp}/lint.$$"
    awk '{ size[NR] = $1
           if ($1 > 80) printf "lint: %s: %s has %d lines (80 at most)\n", $3, $4, $1
           if ($2 > 6 && $3 !~ /^tests/) printf "lint: %s: %s has %d parameters (6 at most)\n", $3, $4, $2 }
         END { m = size[int((NR + 1) / 2)]; p = size[int(NR * .95)]
               if (m >= 15) print "lint: the median function has " m " lines (under 15)"
               if (p >= 45) print "lint: the 95th percentile of functions is " p " lines (under 45)"
               printf "functions %d, median %d, p95 %d, longest %d\n", NR, m, p, size[NR] }' \
        "${TMPDIR:-/tmp}/lint.$$" >"${TMPDIR:-/tmp}/lint.$$.out"
    grep '^lint:' "${TMPDIR:-/tmp}/lint.$$.out" && bad=1
    grep -v '^lint:' "${TMPDIR:-/tmp}/lint.$$.out"
    rm -f "${TMPDIR:-/tmp}/lint.$$" "${TMPDIR:-/tmp}/lint.$$.out"
fi
for f in $sources; do
    n=$(wc -l <"$f")
    [ "$n" -gt 500 ] && say "$f has $n lines (500 at most)"
done

if command -v clang-format >/dev/null 2>&1 &&
    [ "$(clang-format --version | grep -oE 'version [0-9]+' | cut -c9-)" = 14 ]; then
    for f in $sources; do
        clang-format --dry-run -Werror "$f" >/dev/null 2>&1 || say "$f is not formatted (make format)"
    done
fi
if command -v shellcheck >/dev/null 2>&1; then
    git ls-files --cached --others --exclude-standard '*.sh' '.ci/run' |
        xargs -r shellcheck -S warning || bad=1
fi
here=$(git grep --untracked -nIE '(^|[^a-zA-Z0-9_.])/(work|farm)/' -- . ':!tools/lint.sh' | head -5)
[ -n "$here" ] && say "paths of one machine: $here"
[ "$bad" -eq 0 ] && echo "lint: clean"
exit "$bad"
