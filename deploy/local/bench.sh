#!/usr/bin/env bash
# The whole way, measured: from the topic to Postgres, beside the ceiling and the peer. Usage: bench.sh
#
# Kafka and Postgres of its own, an optimised build, and the peer's Python packages in .local/peer. Settings: COPYDESK_BENCH_KINDS,
# COPYDESK_BENCH_MESSAGES, COPYDESK_BENCH_PEER_SECONDS (benches/end_to_end/main.rs says what they do); COPYDESK_BENCH_PEER=no leaves the peer out.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
PROFILE=release
export PROFILE
load_profile
cd "$ROOT"

"$ROOT/deploy/local/build.sh"
"$ROOT/deploy/local/kafka.sh" has-jars || "$ROOT/deploy/local/kafka.sh" fetch
if [[ ${COPYDESK_BENCH_PEER:-yes} != no && -z ${COPYDESK_BENCH_PYTHON:-} ]]; then
    make_state
    if ! cmp -s benches/peer/requirements.txt "$STATE/peer/requirements.txt"; then
        say "fetching the peer's Python packages"
        python3 -m venv "$STATE/peer" || die "the peer needs Python with venv (Debian: python3-venv); COPYDESK_BENCH_PEER=no leaves it out"
        "$STATE/peer/bin/pip" install --quiet --disable-pip-version-check --requirement benches/peer/requirements.txt
        cp benches/peer/requirements.txt "$STATE/peer/requirements.txt"
    fi
    export COPYDESK_BENCH_PYTHON=$STATE/peer/bin/python
fi
COPYDESK_TEST_EXECUTABLE=$(target_dir)/$PROFILE_DIR/copydesk
export COPYDESK_TEST_EXECUTABLE
exec cargo bench "${LOCKED[@]}" --package copydesk-benches --bench end_to_end
