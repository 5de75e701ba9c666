#!/usr/bin/env bash
# Writes the settings of this clone's services to .local/env, for `source`, and shows them. Usage: env.sh
#
# Without them a `copydesk` that is typed by hand talks to the default ports, which may be somebody else's.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
load_ports
make_state
use_local_services

umask 077
new=$(mktemp "$STATE/env.XXXXXX")
for name in $(compgen -e COPYDESK_); do
    # What began the script is nobody's setting.
    [[ $name == COPYDESK_LOCAL_T0 ]] || printf 'export %s=%q\n' "$name" "${!name}" >>"$new"
done
mv "$new" "$STATE/env"
say "the settings for copydesk and for tests, in .local/env: source .local/env"
sed 's/^/        /' "$STATE/env"
