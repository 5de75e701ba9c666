#!/usr/bin/env bash
# The long runs, with an optimised executable. Usage: chaos.sh chaos | hostile
#
# chaos: workers killed, frozen, joining and leaving, Postgres, the broker and the network failing, for ten minutes, on servers of its own.
# hostile: 20,000 hostile messages among good ones. Their settings: COPYDESK_CHAOS_SECONDS, COPYDESK_CHAOS_SEED, COPYDESK_HOSTILE_MESSAGES.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
load_ports
PROFILE=release
load_profile
cd "$ROOT"

WHAT=${1:-}
[[ $WHAT == chaos || $WHAT == hostile ]] || die "usage: chaos.sh chaos | hostile"
SETTINGS=("COPYDESK_CHAOS_SECONDS=${COPYDESK_CHAOS_SECONDS:-600}" "COPYDESK_HOSTILE_MESSAGES=${COPYDESK_HOSTILE_MESSAGES:-20000}")
[[ -z ${COPYDESK_CHAOS_SEED:-} ]] || SETTINGS+=("COPYDESK_CHAOS_SEED=$COPYDESK_CHAOS_SEED")

"$ROOT/deploy/local/build.sh"
"$ROOT/deploy/local/kafka.sh" up
"$ROOT/deploy/local/postgres.sh" up
use_local_services
SETTINGS+=("COPYDESK_TEST_EXECUTABLE=$(target_dir)/$PROFILE_DIR/copydesk")
exec env "${SETTINGS[@]}" cargo test "${LOCKED[@]}" --package copydesk-tests --test "$WHAT" -- --nocapture
