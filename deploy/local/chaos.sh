#!/usr/bin/env bash
# The long runs, with an optimised executable. Usage: chaos.sh chaos | hostile | memory | race | tutorial
#
# chaos: workers killed, frozen, joining and leaving, Postgres, the broker and the network failing, for ten minutes, on servers of its own.
# hostile: 20,000 hostile messages among good ones. memory: a worker with a million articles waiting. race: 100,000 pairs of copies at once.
# tutorial: docs/tutorial.md with all of its pages.
# Their settings: COPYDESK_CHAOS_SECONDS, COPYDESK_CHAOS_SEED, COPYDESK_HOSTILE_MESSAGES, COPYDESK_MEMORY_MESSAGES, COPYDESK_MEMORY_SECONDS,
# COPYDESK_TEST_RACE_PAIRS, COPYDESK_TUTORIAL_PAGES.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
load_ports
PROFILE=release
load_profile
cd "$ROOT"

WHAT=${1:-}
[[ $WHAT == chaos || $WHAT == hostile || $WHAT == memory || $WHAT == race || $WHAT == tutorial ]] || die "usage: chaos.sh chaos | hostile | memory | race | tutorial"
SETTINGS=("COPYDESK_CHAOS_SECONDS=${COPYDESK_CHAOS_SECONDS:-600}" "COPYDESK_HOSTILE_MESSAGES=${COPYDESK_HOSTILE_MESSAGES:-20000}"
    "COPYDESK_TEST_RACE_PAIRS=${COPYDESK_TEST_RACE_PAIRS:-100000}" "COPYDESK_TUTORIAL_PAGES=${COPYDESK_TUTORIAL_PAGES:-10000}")
for name in COPYDESK_CHAOS_SEED COPYDESK_MEMORY_MESSAGES COPYDESK_MEMORY_SECONDS; do
    [[ -z ${!name:-} ]] || SETTINGS+=("$name=${!name}")
done

"$ROOT/deploy/local/build.sh"
"$ROOT/deploy/local/kafka.sh" up
"$ROOT/deploy/local/postgres.sh" up
use_local_services
SETTINGS+=("COPYDESK_TEST_EXECUTABLE=$(target_dir)/$PROFILE_DIR/copydesk")
exec env "${SETTINGS[@]}" cargo test "${LOCKED[@]}" --package copydesk-tests --test it -- "$WHAT::" --nocapture --include-ignored
