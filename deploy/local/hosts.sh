#!/usr/bin/env bash
# Workers on three hosts, Kafka and Postgres on two others, and links that fail between them. Usage: hosts.sh [program]
#
# Hosts are network namespaces on one switch. While pairs of copies are fed, links are cut both ways and one way and are made slow; the clocks of two hosts of workers
# are ten minutes off, in either direction. At the end every offset must be in the ledger once, and no pair in two stories. Needs root, iproute2, faketime
# (`apt-get install faketime`), python3, Kafka's jars (kafka.sh fetch) and Postgres. It takes some five minutes.
#
# Settings: COPYDESK_HOSTS_PAIRS (8000), COPYDESK_HOSTS_SECONDS for each fault (20).
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
HERE=$ROOT/deploy/local
PAIRS=${COPYDESK_HOSTS_PAIRS:-8000}
FAULT_SECONDS=${COPYDESK_HOSTS_SECONDS:-20}
PARTITIONS=6
# Settings in the caller's environment may mean a real system.
for name in $(compgen -e COPYDESK_); do
    [[ $name == COPYDESK_LOCAL_* ]] || unset "$name"
done

((EUID == 0)) || die "network namespaces need root"
command -v ip >/dev/null || die "iproute2 is missing: apt-get install iproute2"
FAKETIME=$(compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' | head -n 1) || true
[[ -n $FAKETIME ]] || die "faketime is missing: apt-get install faketime"
[[ -d $STATE/kafka/libs ]] || die "Kafka's jars are missing: deploy/local/kafka.sh fetch"
BIN=$(postgres_bins | tail -n 1)
[[ -n $BIN ]] || die "Postgres $OLDEST_POSTGRES or newer is missing: run 'make setup'"
PROGRAM=${1:-$(target_dir)/release/copydesk}
[[ -x $PROGRAM ]] || die "$PROGRAM is not there: PROFILE=release make build"

WORK=$(mktemp -d "${TMPDIR:-/tmp}/copydesk-hosts-XXXXXX")
chmod 711 "$WORK"
NAME=cd$$
declare -A ADDRESS=([w1]=10.77.0.11 [w2]=10.77.0.12 [w3]=10.77.0.13 [kafka]=10.77.0.21 [pg]=10.77.0.31)
declare -A CLOCK=([w1]=+0s [w2]=+600s [w3]=-600s)
PIDS=()

finish() {
    local pid host
    exec 2>/dev/null # of each process that is killed the shell would say so
    for pid in "${PIDS[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
    for host in "${!ADDRESS[@]}" switch; do ip netns delete "$NAME-$host" 2>/dev/null || true; done
    [[ -n ${KEEP:-} ]] || rm -rf "$WORK"
}
trap finish EXIT

on() { # host, command…
    ip netns exec "$NAME-$1" "${@:2}"
}

# Each host has one interface, eth0; its other end is a port of the switch that has the host's name.
make_hosts() {
    local host
    ip netns add "$NAME-switch" || die "this machine allows no network namespaces"
    on switch ip link add switch type bridge
    on switch ip link set switch up
    for host in "${!ADDRESS[@]}"; do
        ip netns add "$NAME-$host"
        on "$host" ip link set lo up
        ip link add eth0 netns "$NAME-$host" type veth peer name "$host" netns "$NAME-switch"
        on switch ip link set "$host" master switch up
        on "$host" ip address add "${ADDRESS[$host]}/24" dev eth0
        on "$host" ip link set eth0 up
    done
}

start_postgres() {
    local data=$WORK/pg user=(setpriv --reuid=postgres "--regid=$(id -g postgres)" --init-groups)
    install -d -m 700 -o postgres "$data"
    (cd / && "${user[@]}" "$BIN/initdb" -A trust -U postgres -E UTF8 --locale=C.UTF-8 -D "$data/data" >"$WORK/initdb.log")
    printf 'host all all 10.77.0.0/24 trust\n' >>"$data/data/pg_hba.conf"
    (cd / && exec ip netns exec "$NAME-pg" "${user[@]}" "$BIN/postgres" -D "$data/data" -c listen_addresses='*' -c unix_socket_directories= \
        -c shared_buffers=128MB >"$WORK/postgres.log" 2>&1) &
    PIDS+=($!)
    until on pg "$BIN/pg_isready" -q -h 127.0.0.1 -U postgres; do sleep 0.2; done
    sql "CREATE DATABASE copydesk ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0" postgres
}

sql() { # statement, database
    on pg "$BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h 127.0.0.1 -U postgres -d "${2:-copydesk}" -c "$1"
}

start_kafka() {
    local folder=$WORK/kafka java
    mkdir "$folder"
    {
        cat "$HERE/server.properties"
        printf 'listeners=CLIENT://%s:9092,CONTROLLER://127.0.0.1:9093\n' "${ADDRESS[kafka]}"
        printf 'advertised.listeners=CLIENT://%s:9092\ncontroller.quorum.voters=1@127.0.0.1:9093\nlog.dirs=%s\n' "${ADDRESS[kafka]}" "$folder/data"
    } >"$folder/server.properties"
    java=(java "-Dlog4j2.configurationFile=file:$HERE/log4j2.properties" -Djava.awt.headless=true -cp "$STATE/kafka/libs/*")
    "${java[@]}" -XX:TieredStopAtLevel=1 kafka.tools.StorageTool format --cluster-id Y29weWRlc2staG9zdHMtMQ --config "$folder/server.properties" >"$WORK/format.log" 2>&1
    (cd "$folder" && exec ip netns exec "$NAME-kafka" "${java[@]}" -Xmx512m kafka.Kafka "$folder/server.properties" >"$WORK/kafka.log" 2>&1) &
    PIDS+=($!)
    until on kafka bash -c "exec 3<>/dev/tcp/${ADDRESS[kafka]}/9092" 2>/dev/null; do sleep 0.3; done
}

copydesk() { # host, arguments…
    on "$1" env COPYDESK_KAFKA_BROKERS="${ADDRESS[kafka]}:9092" COPYDESK_KAFKA_PARTITIONS=$PARTITIONS \
        COPYDESK_DATABASE_URL="postgres://postgres@${ADDRESS[pg]}/copydesk?sslmode=disable" \
        COPYDESK_KAFKA_SESSION_TIMEOUT_MS=6000 COPYDESK_WORKER_DRAIN_MS=4000 COPYDESK_WORKER_BATCH_ARTICLES=100 COPYDESK_LOG_FORMAT=human \
        LD_PRELOAD="$FAKETIME" FAKETIME="${CLOCK[$1]:-+0s}" FAKETIME_DONT_FAKE_MONOTONIC=1 "$PROGRAM" "${@:2}"
}

# Two copies of one text at two sites, one after the other: with six partitions most of them are read by two hosts.
make_pairs() {
    python3 - "$PAIRS" >"$WORK/pairs.jsonl" <<'PYTHON'
import json, random, sys
random.seed(23)
letters = "abcdefghijklmnoprstuvw"
words = ["".join(random.choices(letters, k=random.randint(3, 9))) for _ in range(5000)]
def sentence(): return " ".join(random.choices(words, k=14)).capitalize() + "."
for n in range(int(sys.argv[1])):
    text = [" ".join(sentence() for _ in range(3)) for _ in range(6)]
    for site, title, paragraphs in (("a", "One headline of the story", text), ("b", "Quite another line for it", text[:5])):
        print(json.dumps({"url": f"https://{site}{n % 50}.example/{n}", "title": title, "text": "\n\n".join(paragraphs), "pair": n}))
PYTHON
}

stored() { sql "SELECT count(*) FROM sightings"; }

# Faults. What goes from one host to the other is lost without a word where the sender has a wrong hardware address for it; that needs no packet filter.
lose() { on "$1" ip neigh replace "${ADDRESS[$2]}" lladdr 02:00:00:00:00:01 dev eth0 nud permanent; }
find_again() { on "$1" ip neigh del "${ADDRESS[$2]}" dev eth0; }
unplug() { on switch ip link set "$1" down; }
plug_in() { on switch ip link set "$1" up; }
make_slow() { on "$1" tc qdisc replace dev eth0 root netem delay 150ms 50ms loss 1% 2>/dev/null || on "$1" tc qdisc replace dev eth0 root tbf rate 2mbit burst 32k latency 400ms; }
make_quick() { on "$1" tc qdisc del dev eth0 root; }

during() { # what, seconds
    local before lines
    before=$(stored)
    lines=$(cat "$WORK"/w?.log | wc -l)
    sleep "$2"
    say "$1, $2 s: $(($(stored) - before)) messages stored meanwhile"
    cat "$WORK"/w?.log | tail -n "+$((lines + 1))" | grep -E ' (WARN|ERROR) ' | sed -E 's/^[^ ]+ +//; s/[0-9]+/N/g' | sort | uniq -c | sort -rn | head -n 4 || true
}

make_hosts
start_postgres
start_kafka
copydesk w1 migrate >/dev/null
copydesk w1 doctor --fix >/dev/null || true
make_pairs
for host in w1 w2 w3; do
    copydesk "$host" worker >"$WORK/$host.log" 2>&1 &
    PIDS+=($!)
done
say "three hosts of workers, their clocks ${CLOCK[w1]}, ${CLOCK[w2]}, ${CLOCK[w3]}; $PAIRS pairs are fed"
RATE=$((2 * PAIRS / (7 * FAULT_SECONDS)))
copydesk kafka feed --rate "$RATE" "$WORK/pairs.jsonl" >"$WORK/feed.log" 2>&1 &
FEED=$!
PIDS+=("$FEED")

during "no fault" "$FAULT_SECONDS"
unplug w1
during "w1 is cut off from all" "$FAULT_SECONDS"
plug_in w1
lose w2 pg
during "what w2 sends to Postgres is lost" "$FAULT_SECONDS"
find_again w2 pg
lose pg w3
during "what Postgres sends to w3 is lost" "$FAULT_SECONDS"
find_again pg w3
lose kafka w1
during "what Kafka sends to w1 is lost" "$FAULT_SECONDS"
find_again kafka w1
lose w2 kafka
during "what w2 sends to Kafka is lost" "$FAULT_SECONDS"
find_again w2 kafka
make_slow pg
during "all that Postgres sends is slow" "$FAULT_SECONDS"
make_quick pg

wait "$FEED" || die "feeding failed: $(tail -n 3 "$WORK/feed.log")"
DEADLINE=$((SECONDS + 900))
until (($(stored) >= 2 * PAIRS)); do
    ((SECONDS < DEADLINE)) || die "$(stored) of $((2 * PAIRS)) messages after fifteen minutes without faults; logs: KEEP=1 leaves them in $WORK"
    sleep 1
done
say "all links are whole, all messages stored"
copydesk w1 audit || die "the audit found something"
LOST=$((2 * PAIRS - $(stored)))
TWICE=$(sql "SELECT count(*) - count(DISTINCT (topic, partition, \"offset\")) FROM sightings")
SPLIT=$(sql "SELECT count(*) FROM (SELECT extra ->> 'pair' FROM articles GROUP BY 1 HAVING count(DISTINCT story_id) > 1) s")
ARTICLES=$(sql "SELECT count(*) FROM articles")
say "$ARTICLES articles of $((2 * PAIRS)) messages; lost: $LOST, twice: $TWICE, split pairs: $SPLIT"
((LOST == 0 && TWICE == 0 && SPLIT == 0 && ARTICLES == 2 * PAIRS)) || exit 1
