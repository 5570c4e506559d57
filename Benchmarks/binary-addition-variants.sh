#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Trains the variants of the binary-addition exercise over several seeds, prints how well they add as a Markdown
# table, and draws their loss curves.
#
#     Benchmarks/binary-addition-variants.sh [SEEDS=10] [OUT=Benchmarks/variants]
#
# KASANE names the command (default: this repository's release build). OUT/runs is made afresh each time.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
seeds=${1:-10}
out=${2:-$root/Benchmarks/variants}
kasane=${KASANE:-$root/.build/release/kasane}
problems=1000

fail() {
  echo "Error: $*" >&2
  exit 1
}

[[ $# -le 2 ]] || fail "$# arguments, at most 2 expected: SEEDS OUT"
[[ $seeds =~ ^[1-9][0-9]{0,3}$ ]] || fail "SEEDS: $seeds, a whole number from 1 to 9999 expected"
command -v "$kasane" >/dev/null || fail "$kasane: no such command; make build makes it, or KASANE names another"

runs=$out/runs
log=$out/log.txt
marker=$runs/.binary-addition-variants
if [[ -e $runs ]]; then
  [[ -f $marker ]] || fail "$runs: exists and was not made by this script; remove it or choose another OUT"
  rm -rf "$runs"
fi
mkdir -p "$runs"
touch "$marker"
: >"$log"

# The share of right sums, in per cent, of a count that may end in .5.
percent() { awk -v sums="$1" -v of="$problems" 'BEGIN { printf "%.2f %%", 100 * sums / of }'; }

# The median of the lines of standard input, which are sorted numbers.
median() {
  awk '{ value[NR] = $1 }
    END { print NR % 2 ? value[(NR + 1) / 2] : (value[NR / 2] + value[NR / 2 + 1]) / 2 }'
}

finished=()
table="| Variant | Runs with all $problems sums right | Median of sums right | Lowest | Diverged |
|---|---:|---:|---:|---:|"

# train_group LABEL TITLE [OPTION...]: trains a variant with every seed and adds its row to the table.
train_group() {
  local label=$1 title=$2
  shift 2
  local seed run status answer sums perfect=0 diverged=0 counts=""
  for ((seed = 1; seed <= seeds; seed++)); do
    run=$runs/$label-$seed
    status=0
    "$kasane" train binary-addition "$@" --seed "$seed" --threads 1 --output "$run" >>"$log" 2>&1 || status=$?
    if [[ $status -eq 1 ]] && tail -n 1 "$log" | grep -q "training diverged"; then
      diverged=$((diverged + 1))
      continue
    fi
    [[ $status -eq 0 ]] || fail "training $run ended with status $status; $log says why"
    answer=$("$kasane" evaluate "$run" --problems "$problems" --seed 1000 2>>"$log") ||
      fail "$run could not be evaluated; $log says why"
    sums=$(sed -n "s/^Sums right: \([0-9]*\) of $problems .*/\1/p" <<<"$answer")
    [[ -n $sums ]] || fail "evaluating $run printed no count of right sums: $answer"
    [[ $sums -eq $problems ]] && perfect=$((perfect + 1))
    counts+="$sums"$'\n'
    finished+=("$run")
  done
  local middle="n/a" lowest="n/a"
  if [[ -n $counts ]]; then
    counts=$(sort -n <<<"${counts%$'\n'}")
    middle=$(percent "$(median <<<"$counts")")
    lowest=$(percent "$(head -n 1 <<<"$counts")")
  fi
  table+=$'\n'"| $title | $perfect of $seeds | $middle | $lowest | $diverged |"
  echo "$title: $perfect of $seeds runs add without a mistake, $diverged diverged" >&2
}

train_group default "normal, sigmoid (default)"
train_group xavier "xavier, sigmoid" --init xavier
train_group he "he, sigmoid" --init he
train_group he-relu "he, relu" --init he --activation relu
train_group he-tanh "he, tanh" --init he --activation tanh

echo "$table"
[[ ${#finished[@]} -gt 0 ]] || fail "no run finished, so there is nothing to draw; $log says why"
"$kasane" plot "${finished[@]}" --output "$out/binary-addition-variants.svg" --title "binary addition, variants"
