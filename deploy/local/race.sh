#!/usr/bin/env bash
# The race of docs/near-copies.md at full size, on the services of this clone. Usage: race.sh, with COPYDESK_TEST_RACE_PAIRS=… for another size.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
load_ports
PROFILE=release
load_profile
cd "$ROOT"

"$ROOT/deploy/local/build.sh"
"$ROOT/deploy/local/kafka.sh" up
"$ROOT/deploy/local/postgres.sh" up
use_local_services
export COPYDESK_TEST_RACE_PAIRS=${COPYDESK_TEST_RACE_PAIRS:-100000}
say "$COPYDESK_TEST_RACE_PAIRS pairs on four workers"
COPYDESK_TEST_EXECUTABLE=$(target_dir)/$PROFILE_DIR/copydesk
export COPYDESK_TEST_EXECUTABLE
cargo test "${LOCKED[@]}" --package copydesk-tests --test race -- --nocapture
