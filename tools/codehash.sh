#!/bin/sh
# Writes the C table of code hashes: for each plugin the SHA-256 over its
# source, every project header it includes (as the compiler finds them) and the
# implementation of every part whose header it includes; for "engine" all of
# core/nn and the public headers; for each stage the harness files that shape
# its artifacts.
set -eu
cd "$(dirname "$0")/.."
CC=${CC:-gcc}

hash_of() { cat "$@" | sha256sum | cut -c1-64; }
row() { printf '    {"%s", "%s"},\n' "$1" "$2"; }
includes() {
    $CC -std=c11 -D_GNU_SOURCE -Iinclude -MM "$@" | tr ' \\' '\n\n' |
        grep -E '^(include|core|attacks|defenses|models|metrics|datasets|priors)/' |
        sort -u
}
with_parts() { # adds attacks/parts/X.c for every included parts/X.h
    for f in $(includes "$1"); do
        echo "$f"
        case $f in
        include/invbench/parts/*.h)
            for c in attacks/parts/$(basename "$f" .h).c \
                datasets/parts/$(basename "$f" .h)*.c \
                priors/parts/$(basename "$f" .h).c; do
                if [ -f "$c" ]; then includes "$c"; fi
            done
            ;;
        esac
    done | sort -u
}
stage() { # name, sources: these files and what they include
    name=$1
    shift
    present=
    for f in "$@"; do [ -f "$f" ] && present="$present $f"; done
    # shellcheck disable=SC2086,SC2046
    [ -n "$present" ] && row "$name" "$(hash_of $(includes $present))"
}

echo '/* Made by tools/codehash.sh. */'
echo 'struct ib_code_hash_row { const char *what, *hash; };'
echo 'extern const struct ib_code_hash_row ib_code_hash_rows[];'
echo 'const struct ib_code_hash_row ib_code_hash_rows[] = {'
row engine "$(hash_of core/nn/*.c core/nn/*.h include/invbench/*.h)"
for f in attacks/*.c defenses/*.c models/*.c metrics/*.c datasets/*.c priors/*.c; do
    # shellcheck disable=SC2046
    [ -f "$f" ] && row "$f" "$(hash_of $(with_parts "$f"))"
done
h=core/harness
stage data $h/stage_data.c $h/data_*.c $h/picture*.c $h/idx.c $h/images.c
stage model $h/stage_model.c $h/model_io.c $h/shadow.c $h/stack.c $h/checkpoint.c
stage prior $h/stage_prior.c $h/prior_*.c $h/oracle_job.c $h/checkpoint.c \
    $h/oracle_handout.c $h/oracle_process.c
stage sample $h/stage_sample.c $h/sample_score.c $h/sample_verdict.c \
    $h/prior_*.c $h/score_nearest.c $h/score_prdc.c $h/score_frechet.c \
    $h/eigen.c $h/oracle_job.c $h/oracle_handout.c $h/oracle_process.c
stage attack $h/stage_attack.c $h/stack.c $h/oracle*.c $h/recon_io.c
stage control $h/stage_control.c $h/recon_io.c
stage score $h/stage_score.c $h/score*.c $h/eigen.c $h/evaluate.c $h/ssim.c $h/recon_io.c
stage utility $h/stage_utility.c $h/evaluate.c $h/stack.c
stage membership $h/stage_membership.c $h/membership*.c $h/shadow.c $h/stats_student.c \
    $h/stack.c
echo '    {0, 0},'
echo '};'
