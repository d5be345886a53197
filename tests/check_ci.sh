#!/bin/bash
# Runs the steps of examples/ci/privacy-gate.yml as they stand there: a harmless
# change of the example defense passes, one that disarms it fails, one that
# crashes does not pass, and the comment is written in any case. A small suite
# stands for the regression suite, a script for GitHub's `gh`.
# INVBENCH_PROGRAM names the program (tests/run.sh sets it).
set -u
cd "$(dirname "$0")/.." || exit 2
program=$(realpath "${INVBENCH_PROGRAM:-./invbench}")
tree=$PWD
workflow=$tree/examples/ci/privacy-gate.yml
defense=$tree/examples/defense/reverse_sigmoid.c
dir=$(mktemp -d "${TMPDIR:-/tmp}/invbench-ci-XXXXXX") || exit 2
trap 'rm -rf "$dir"' EXIT
log=$dir/log
work=$dir/work
bad=0

verdict() { # name, status
    if [ "$2" -eq 0 ]; then
        echo "ok $1"
    else
        echo "not ok $1"
        tail -30 "$log"
        bad=1
    fi
}
# The lines of a step's `run: |`, without their indentation.
step() { # name
    awk -v name="      - name: $1" '
        /^      - / { mine = ($0 == name); block = 0 }
        mine && /^        run: \|$/ { block = 1; next }
        block && /^          / { print substr($0, 11); next }
        block && NF { block = 0 }' "$workflow"
}
setting() { # of the workflow's env
    sed -n "s/^  $1: //p" "$workflow" | sed "s/^'\(.*\)'\$/\1/"
}
run_step() { # name; exits as the step does, under the shell that GitHub uses
    step "$1" >"$dir/step.sh"
    [ -s "$dir/step.sh" ] || {
        echo "the workflow has no step \"$1\"" >"$log"
        return 99
    }
    (cd "$work" && bash -e -o pipefail "$dir/step.sh") >"$log" 2>&1
}

mkdir -p "$work/main/defense" "$work/defense" "$work/invbench" "$dir/bin"
ln -s "$program" "$work/invbench/invbench"
ln -s "$tree/include" "$work/invbench/include"
cp "$defense" "$work/main/defense/"
cat >"$dir/bin/gh" <<'END'
#!/bin/sh
echo "$@" >>"$GH_LOG"
END
chmod +x "$dir/bin/gh"
export PATH=$dir/bin:$PATH GH_LOG=$dir/gh.log GITHUB_STEP_SUMMARY=$dir/summary
export PULL_REQUEST=7
for name in INVBENCH PLUGIN STACK RULES; do
    export "$name=$(setting $name)"
done
[ -f "$tree/$(setting SUITE | sed 's,^invbench/,,')" ]
verdict "the workflow names a suite that exists" $?
export SUITE=$dir/small.json
cat >"$SUITE" <<'END'
{"schema": "invbench.suite/1", "name": "small", "seeds": [1, 2, 3, 4, 5, 6],
 "dataset": {"name": "synthfaces", "size": 32, "identities": 12, "train": 8,
             "holdout": 6, "public_identities": 3, "public_images": 1},
 "models": [{"name": "softmax", "optimiser": "adam", "rate": 0.003,
             "weight_decay": 0.01, "epochs": 40, "batch": 16}],
 "evaluators": [
   {"name": "mlp", "hidden": [48], "epochs": 40, "optimiser": "adam", "rate": 0.002},
   {"name": "lenet", "epochs": 30}],
 "defenses": [{"id": "candidate", "stack": []}],
 "attacks": [{"id": "spsa", "name": "mi-face-blackbox", "start": "mean",
              "estimator": "spsa"}],
 "access": ["scores"], "budget": {"max_queries": 1500}, "metrics": ["accuracy"]}
END

comment_says() { # text
    grep -qF "$1" "$GITHUB_STEP_SUMMARY" &&
        grep -q 'pr comment 7 --body-file runs/compare.md' "$GH_LOG"
}
files_agree() { # JSON and JUnit count the same verdicts
    (cd "$work/runs" && python3 -c '
import json, xml.etree.ElementTree as tree
r = json.load(open("compare.json"))
x = tree.parse("compare.xml").getroot()
words = [j["verdict"] for j in r["judgements"]]
general = r["outcome"] == "nothing to compare"
count = lambda tag: len(x.findall(".//" + tag))
assert count("failure") == words.count("fail")
assert count("error") == words.count("undecided") + general
assert count("testcase") == len(words) + general > 0') >"$log" 2>&1
}
# gate NAME EXIT TEXT: the steps on what lies in work/defense; TEXT stands in
# the comment, what `compare` printed in $dir/printed.
gate() {
    local name=$1 want=$2 text=$3 got
    run_step "build the defense" && run_step "run both"
    verdict "$name: both sides run" $?
    run_step "compare"
    got=$?
    cp "$log" "$dir/printed"
    [ $got -eq "$want" ]
    verdict "$name: compare exits $want (got $got)" $?
    rm -f "$GITHUB_STEP_SUMMARY" "$GH_LOG"
    run_step "comment" && comment_says "$text"
    verdict "$name: the comment says \"$text\"" $?
    files_agree
    verdict "$name: JSON and JUnit agree" $?
}

sed 's/const double edge = 1e-9/const double edge = 1e-8/' "$defense" \
    >"$work/defense/reverse_sigmoid.c"
gate "a harmless change" 0 "### invbench compare: ok"

sed 's/return x < 0 ? 0 : x > 1 ? 1 : x;/return p + 0 * x;/' "$defense" \
    >"$work/defense/reverse_sigmoid.c"
gate "a defense that does nothing any more" 10 "### invbench compare: regression"
grep -q '^::error title=invbench fail%3A leakage%3A+0.02::softmax/candidate/spsa' \
    "$dir/printed"
verdict "the regression is annotated" $?

# Nothing was measured behind the changed defense: nothing passes.
sed 's/return x < 0 ? 0 : x > 1 ? 1 : x;/return *(volatile double *)8 + x;/' \
    "$defense" >"$work/defense/reverse_sigmoid.c"
gate "a crash" 11 "cannot be judged: NEW: crashed"
exit $bad
