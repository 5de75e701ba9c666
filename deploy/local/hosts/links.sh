#!/usr/bin/env bash
# Links that fail: cut both ways and one way, and slow. Started by hosts.sh.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
SECONDS_EACH=${SECONDS_EACH:-20}
ADDRESS+=([kafka]=10.77.0.21 [pg]=10.77.0.31)

# What goes from one host to the other is lost without a word where the sender has a wrong hardware address for it; that needs no packet filter.
lose() { on "$1" ip neigh replace "${ADDRESS[$2]}" lladdr 02:00:00:00:00:01 dev eth0 nud permanent; }
find_again() { on "$1" ip neigh del "${ADDRESS[$2]}" dev eth0; }
make_slow() { on "$1" tc qdisc replace dev eth0 root netem delay 150ms 50ms loss 1% 2>/dev/null || on "$1" tc qdisc replace dev eth0 root tbf rate 2mbit burst 32k latency 400ms; }
make_quick() { on "$1" tc qdisc del dev eth0 root; }

make_hosts
start_postgres
start_one_broker
feed_pairs $((7 * SECONDS_EACH))

during "no fault" "$SECONDS_EACH"
unplug w1
during "w1 is cut off from all" "$SECONDS_EACH"
plug_in w1
lose w2 pg
during "what w2 sends to Postgres is lost" "$SECONDS_EACH"
find_again w2 pg
lose pg w3
during "what Postgres sends to w3 is lost" "$SECONDS_EACH"
find_again pg w3
lose kafka w1
during "what Kafka sends to w1 is lost" "$SECONDS_EACH"
find_again kafka w1
lose w2 kafka
during "what w2 sends to Kafka is lost" "$SECONDS_EACH"
find_again w2 kafka
make_slow pg
during "all that Postgres sends is slow" "$SECONDS_EACH"
make_quick pg
verdict
