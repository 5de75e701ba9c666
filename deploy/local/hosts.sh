#!/usr/bin/env bash
# Workers on three hosts, Kafka and Postgres on others, and what fails between and among them. Usage: hosts.sh [links | failover | brokers]…, all if none is named
#
# links: cut both ways and one way, and slow. failover: a Postgres primary dies and its standby is promoted (Patroni, HAProxy). brokers: one of three brokers is killed, and
# two. Hosts are network namespaces on one switch; the clocks of two hosts of workers are ten minutes off, in either direction. Pairs of copies are fed all the time. At the
# end of each scenario every offset must be in the ledger once, and no pair in two stories. Needs root; what it needs of Debian's packages `install.sh --hosts` brings.
# Each takes five to ten minutes.
#
# Settings: COPYDESK_HOSTS_PAIRS (8000), COPYDESK_HOSTS_SECONDS for each fault (20, 45, 30), COPYDESK_HOSTS_PROGRAM (the release build), KEEP=1 leaves logs and data.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

((EUID == 0)) || die "network namespaces need root"
SCENARIOS=("$@")
(($#)) || SCENARIOS=(links failover brokers)
for scenario in "${SCENARIOS[@]}"; do
    [[ $scenario == links || $scenario == failover || $scenario == brokers ]] || die "usage: hosts.sh [links | failover | brokers]…"
done
"$ROOT/deploy/local/install.sh" --hosts
"$ROOT/deploy/local/kafka.sh" fetch
for scenario in "${SCENARIOS[@]}"; do
    say "scenario: $scenario"
    "$ROOT/deploy/local/hosts/$scenario.sh"
done
