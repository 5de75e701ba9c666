#!/usr/bin/env bash
# Fetches each feed once and puts its entries on the topic; entries that are stored already are recognised. Usage: poll_feeds.sh FILE, with an address a line.
# Needs curl and copydesk. Exit 1: a feed could not be fetched, or not all of it could be sent; the others were.
set -euo pipefail
feed=$(mktemp)
trap 'rm -f "$feed"' EXIT
failed=0
while read -r address; do
    [[ -n $address ]] || continue
    if ! curl --silent --show-error --fail --location --max-time 30 --output "$feed" "$address"; then
        echo "not fetched: $address" >&2
        failed=1
    elif ! copydesk feed --format feed --base-url "$address" - <"$feed"; then
        echo "not sent, or not all of it: $address" >&2
        failed=1
    fi
done <"$1"
exit "$failed"
