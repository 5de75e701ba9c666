#!/usr/bin/env bash
# Compares how many instructions the hot functions take with what they took. Usage: instructions.sh [--keep]
#
# The clock of a shared machine says little; callgrind's count of one run says nearly the same everywhere. More than TOLERANCE per cent up fails;
# as much down asks for --keep, which writes the new figures to benches/stages/instructions.txt, so that a gain is not lost again unseen.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
load_profile

TOLERANCE=5
FIGURES=benches/stages/instructions.txt
command -v valgrind >/dev/null || die "valgrind is missing: run 'make setup'"
say "counting instructions of the hot functions"
build=$(cargo bench --quiet "${LOCKED[@]}" --profile guard --package copydesk-stages --bench instructions --no-run --message-format=json)
program=$(sed -n 's/.*"executable":"\([^"]*instructions-[^"]*\)".*/\1/p' <<<"$build" | tail -n 1)
[[ -x $program ]] || die "cargo did not say where it put the bench"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0
new=$scratch/figures
while read -r name; do
    valgrind --tool=callgrind --callgrind-out-file="$scratch/out" --toggle-collect='instructions::measured*' "$program" "$name" >"$scratch/log" 2>&1 ||
        die "$name does not run under valgrind: $(tail -n 3 "$scratch/log")"
    count=$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$scratch/log")
    [[ -n $count && $count -gt 0 ]] || die "valgrind counted nothing of $name"
    printf '%s %s\n' "$name" "$count" >>"$new"
    before=$(sed -n "s/^$name \([0-9]*\)$/\1/p" "$FIGURES" 2>/dev/null || true)
    if [[ -z $before ]]; then
        say "$name: $count instructions, and no figure to compare with"
        failed=1
        continue
    fi
    change=$(awk -v a="$before" -v b="$count" 'BEGIN { printf "%+.1f", (b - a) * 100 / a }')
    say "$name: $count instructions, $change % against $before"
    if awk -v c="$change" -v t="$TOLERANCE" 'BEGIN { exit !(c > t || c < -t) }'; then
        failed=1
    fi
done < <("$program" --list)
if [[ ${1:-} == --keep ]]; then
    cp "$new" "$FIGURES"
    say "kept in $FIGURES"
elif ((failed)); then
    die "more than $TOLERANCE % away: find out why; if it is meant, run deploy/local/instructions.sh --keep and commit the figures"
fi
