#!/usr/bin/env bash
# The main job, from nothing to a table of stories: set up, build, start the services, migrate, feed the samples, work, show. Usage: run.sh
#
# Migrations run as the owner of the database, all else as a login that may do what a worker does.
#
# May be repeated: what is set up, built or running stays as it is, and samples that are fed again are sightings, not new articles.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
load_ports
load_profile
cd "$ROOT"

"$ROOT/deploy/local/build.sh"
"$ROOT/deploy/local/kafka.sh" up
"$ROOT/deploy/local/postgres.sh" up
use_local_services
# Lines for people: what is piped gets JSON otherwise.
export COPYDESK_LOG_FORMAT=human
COPYDESK=$(target_dir)/$PROFILE_DIR/copydesk

# Exit code 3 means "done, and something was found": the samples hold broken messages on purpose.
step() { # why, arguments
    say "$1: copydesk ${*:2}"
    local code=0
    "$COPYDESK" "${@:2}" || code=$?
    if ((code != 0 && code != 3)); then
        die "'copydesk ${*:2}' failed with exit code $code; see whether the services are well with 'make status'"
    fi
}

COPYDESK_DATABASE_URL=$(local_url copydesk) step "bringing the schema up to date, as its owner" migrate
step "feeding the samples" feed --samples
step "cleaning, linking, storing" worker --until-end
step "what came out" summary
say "to query: psql $(local_url copydesk_query)"
say "done; Kafka and Postgres keep running until 'make down'"
say "to look, at http://127.0.0.1:8088: COPYDESK_CONSOLE_URL=$(local_url copydesk_query) COPYDESK_CONSOLE_WRITE_URL=$(local_url copydesk_worker) $COPYDESK console"
