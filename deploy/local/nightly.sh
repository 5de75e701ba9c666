#!/usr/bin/env bash
# What takes too long for every change, one after the other. Usage: nightly.sh [STEP…], all of them if none is named.
#
# msrv: the oldest Rust that Cargo.toml promises builds everything. fuzz: each fuzz target for a minute. chaos, race, hostile, memory, tutorial:
# the long runs of chaos.sh. queries: the queries of the docs over 200,000 articles (benches/questions.rs). advisories: what RustSec knows.
# A step that fails does not keep the next one from running; the last lines name those that failed.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
make_state

STEPS=(msrv fuzz advisories chaos race hostile memory tutorial queries)
(($# == 0)) || STEPS=("$@")

msrv() {
    local oldest
    oldest=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    rustup toolchain install "$oldest" --profile minimal --no-self-update
    # In a folder of its own: what one compiler has built is nothing to the other.
    cargo "+$oldest" check --locked --workspace --all-targets --target-dir "$STATE/msrv"
}

queries() {
    "$ROOT/deploy/local/postgres.sh" up
    # In a shell of its own: ports and profile are read once.
    (
        load_ports
        use_local_services
        cargo bench --locked --package copydesk-benches --bench questions
    )
}

FAILED=()
for step in "${STEPS[@]}"; do
    case $step in
        msrv | queries) run=("$step") ;;
        fuzz | advisories) run=("deploy/local/$step.sh") ;;
        chaos | race | hostile | memory | tutorial) run=(deploy/local/chaos.sh "$step") ;;
        *) die "usage: nightly.sh [${STEPS[*]}]" ;;
    esac
    say "nightly: $step"
    # A log of its own: the last one of a night is hours above the end.
    if ! "${run[@]}" 2>&1 | tee "$STATE/nightly-$step.log"; then
        FAILED+=("$step")
        say "$step: FAILED, see .local/nightly-$step.log"
    fi
done
((${#FAILED[@]} == 0)) || die "nightly: failed: ${FAILED[*]}"
say "nightly: all passed"
