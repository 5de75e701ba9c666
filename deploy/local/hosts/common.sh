# shellcheck shell=bash
# What the scenarios of hosts.sh share: hosts, servers, workers, what is fed, what is seen, the verdict. Sourced, never run.
#
# A host is a network namespace with one interface, eth0; its other end is a port of the switch that has the host's name. A scenario fills ADDRESS, starts what it
# needs, calls `feed_pairs`, breaks something, calls `during` for each fault, and ends with `verdict`.

# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
LOCAL=$ROOT/deploy/local
PARTITIONS=6
PAIRS=${COPYDESK_HOSTS_PAIRS:-8000}
# shellcheck disable=SC2034 # for the scenarios, each of which has a default of its own
SECONDS_EACH=${COPYDESK_HOSTS_SECONDS:-}
PROGRAM=${COPYDESK_HOSTS_PROGRAM:-$(target_dir)/release/copydesk}
[[ -x $PROGRAM ]] || die "$PROGRAM is not there: PROFILE=release make build"
# Settings in the caller's environment may mean a real system.
for name in $(compgen -e COPYDESK_); do
    [[ $name == COPYDESK_LOCAL_* ]] || unset "$name"
done
BIN=$(postgres_bins | tail -n 1)
FAKETIME=$(compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' | head -n 1)

WORK=$(mktemp -d "${TMPDIR:-/tmp}/copydesk-hosts-XXXXXX")
chmod 711 "$WORK"
PREFIX=cd$$
cc -shared -fPIC -O1 -o "$WORK/cnd_timedwait.so" "$LOCAL/hosts/cnd_timedwait.c"
declare -A ADDRESS=([w1]=10.77.0.11 [w2]=10.77.0.12 [w3]=10.77.0.13 [feed]=10.77.0.14)
declare -A CLOCK=([w1]=+0s [w2]=+600s [w3]=-600s)
# The host that workers, and `sql`, connect to; the brokers that they are given.
DATABASE=pg
BROKERS=
PIDS=()

finish() {
    local pid host
    exec 2>/dev/null # of each process that is killed the shell would say so
    for pid in "${PIDS[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
    for host in "${!ADDRESS[@]}"; do power_off "$host" || true; done
    for host in "${!ADDRESS[@]}" switch; do ip netns delete "$PREFIX-$host" 2>/dev/null || true; done
    [[ -n ${KEEP:-} ]] || rm -rf "$WORK"
}

on() { # host, command…
    ip netns exec "$PREFIX-$1" "${@:2}"
}

make_hosts() {
    local host
    trap finish EXIT
    ip netns add "$PREFIX-switch" || die "this machine allows no network namespaces"
    on switch ip link add switch type bridge
    on switch ip link set switch up
    for host in "${!ADDRESS[@]}"; do
        ip netns add "$PREFIX-$host"
        on "$host" ip link set lo up
        ip link add eth0 netns "$PREFIX-$host" type veth peer name "$host" netns "$PREFIX-switch"
        on switch ip link set "$host" master switch up
        on "$host" ip address add "${ADDRESS[$host]}/24" dev eth0
        on "$host" ip link set eth0 up
    done
}

# Starts a program of a host in the background, as the user `postgres` where asked; its log is HOST-WHAT.log.
start() { # host, what, command…
    (cd / && exec ip netns exec "$PREFIX-$1" "${@:3}" >>"$WORK/$1-$2.log" 2>&1) &
    PIDS+=($!)
    disown # that it is killed is no news
}
# shellcheck disable=SC2034 # for the scenarios
AS_POSTGRES=(setpriv --reuid=postgres "--regid=$(id -g postgres)" --init-groups env HOME=/)

# Kills every process of a host.
power_off() { # host
    ip netns pids "$PREFIX-$1" | xargs --no-run-if-empty kill -9
}

unplug() { on switch ip link set "$1" down; }
plug_in() { on switch ip link set "$1" up; }

wait_until() { # what, seconds, command…
    local deadline=$((SECONDS + $2))
    until "${@:3}" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || die "$1: not after $2 s; KEEP=1 leaves the logs in $WORK"
        sleep 0.5
    done
}

sql() { # statement, database, host
    on "${3:-$DATABASE}" env PGCONNECT_TIMEOUT=3 timeout 10 "$BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "${ADDRESS[${3:-$DATABASE}]}" -U postgres -d "${2:-copydesk}" -c "$1"
}
create_database() { sql "CREATE DATABASE copydesk ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0" postgres; }

# One Postgres that nothing watches over.
start_postgres() {
    install -d -m 700 -o postgres "$WORK/pg"
    (cd / && "${AS_POSTGRES[@]}" "$BIN/initdb" -A trust -U postgres -E UTF8 --locale=C.UTF-8 -D "$WORK/pg/data" >"$WORK/initdb.log")
    printf 'host all all 10.77.0.0/24 trust\n' >>"$WORK/pg/data/pg_hba.conf"
    start pg postgres "${AS_POSTGRES[@]}" "$BIN/postgres" -D "$WORK/pg/data" -c listen_addresses='*' -c unix_socket_directories= -c shared_buffers=128MB
    wait_until "Postgres answers" 60 sql 'SELECT 1' postgres
    create_database
}

KAFKA_JAVA=(java "-Dlog4j2.configurationFile=file:$LOCAL/log4j2.properties" -Djava.awt.headless=true -cp "$STATE/kafka/libs/*")

# A broker, which is a controller too. Further properties are laid over those of deploy/local/server.properties.
format_broker() { # host, number, voters, property…
    local folder=$WORK/$1
    mkdir "$folder"
    {
        cat "$LOCAL/server.properties"
        printf '\nnode.id=%s\n' "$2"
        printf 'listeners=CLIENT://%s:9092,CONTROLLER://%s:9093\nadvertised.listeners=CLIENT://%s:9092\n' "${ADDRESS[$1]}" "${ADDRESS[$1]}" "${ADDRESS[$1]}"
        printf 'controller.quorum.voters=%s\nlog.dirs=%s\n' "$3" "$folder/data"
        (($# < 4)) || printf '%s\n' "${@:4}"
    } >"$folder/server.properties"
    "${KAFKA_JAVA[@]}" -XX:TieredStopAtLevel=1 kafka.tools.StorageTool format --cluster-id Y29weWRlc2staG9zdHMtMQ --config "$folder/server.properties" \
        >"$WORK/$1-format.log" 2>&1 || die "Kafka could not format its folder: $(tail -n 1 "$WORK/$1-format.log")"
}
start_broker() { start "$1" kafka "${KAFKA_JAVA[@]}" -Xmx512m kafka.Kafka "$WORK/$1/server.properties"; } # host
broker_listens() { on "$1" bash -c "exec 3<>/dev/tcp/${ADDRESS[$1]}/9092"; }                               # host
# A Kafka of one broker, on the host kafka.
start_one_broker() {
    format_broker kafka 1 "1@${ADDRESS[kafka]}:9093"
    start_broker kafka
    BROKERS=${ADDRESS[kafka]}:9092
    wait_until "Kafka listens" 90 broker_listens kafka
}

copydesk() { # host, arguments…
    on "$1" env COPYDESK_KAFKA_BROKERS="$BROKERS" COPYDESK_KAFKA_PARTITIONS=$PARTITIONS \
        COPYDESK_DATABASE_URL="postgres://postgres@${ADDRESS[$DATABASE]}/copydesk?sslmode=disable" \
        COPYDESK_KAFKA_SESSION_TIMEOUT_MS=6000 COPYDESK_WORKER_DRAIN_MS=4000 COPYDESK_WORKER_BATCH_ARTICLES=100 COPYDESK_LOG_FORMAT=human \
        COPYDESK_METRICS_LISTEN=127.0.0.1:9464 \
        LD_PRELOAD="$WORK/cnd_timedwait.so:$FAKETIME" FAKETIME="${CLOCK[$1]:-+0s}" FAKETIME_DONT_FAKE_MONOTONIC=1 "$PROGRAM" "${@:2}"
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

# Schema, topic and the three workers; then the pairs are fed, evenly over so many seconds.
feed_pairs() { # seconds
    local host
    copydesk w1 migrate >/dev/null 2>&1 || die "copydesk migrate failed"
    copydesk w1 doctor --fix >"$WORK/doctor.log" 2>&1 || true
    make_pairs
    for host in w1 w2 w3; do
        copydesk "$host" worker >"$WORK/$host.log" 2>&1 &
        PIDS+=($!)
    done
    copydesk feed feed --rate "$((2 * PAIRS / $1))" "$WORK/pairs.jsonl" >"$WORK/feed.log" 2>&1 &
    FEED=$!
    PIDS+=("$FEED")
    say "three hosts of workers, their clocks ${CLOCK[w1]}, ${CLOCK[w2]}, ${CLOCK[w3]}; $PAIRS pairs are fed, $((2 * PAIRS / $1)) messages a second"
    wait_until "the first messages are stored" 120 first_is_stored
    for host in w1 w2 w3; do wait_until "$host has partitions" 120 has_partitions "$host"; done
}

stored() { sql "SELECT count(*) FROM sightings"; }
has_partitions() { (($(gauge "$1" copydesk_assigned_partitions) > 0)); } # host
first_is_stored() { (($(stored) > 0)); }
milliseconds() { local now=${EPOCHREALTIME//[.,]/} && echo "${now:0:-3}"; }

# Looks how many messages are stored, if Postgres says so, and notes when one more was.
look() {
    local now
    if now=$(stored 2>/dev/null) && ((now > SEEN)); then
        SEEN=$now SEEN_AT=$(milliseconds)
    fi
}
SEEN=0 SEEN_AT=0

gauge() { # host, name
    on "$1" bash -c 'exec 3<>/dev/tcp/127.0.0.1/9464; printf "GET /metrics HTTP/1.0\r\n\r\n" >&3; cat <&3' 2>/dev/null | sed -n "s/^$2 //p" | grep . || echo -
}

# What is seen for so many seconds, or until a command succeeds (with the seconds as its limit): messages stored, the longest time in which none was, gauges, the
# commonest log lines.
during() { # what, seconds, [command…]
    local before begun lines longest=0 pause name host
    lines=$(cat "$WORK"/w?.log | wc -l)
    look
    before=$SEEN begun=$(milliseconds)
    while (($(milliseconds) - begun < $2 * 1000)); do
        look
        pause=$(($(milliseconds) - SEEN_AT))
        ((pause <= longest)) || longest=$pause
        if (($# > 2)) && "${@:3}" >/dev/null 2>&1; then break; fi
        sleep 0.2
    done
    say "$1, $((($(milliseconds) - begun) / 1000)) s: $((SEEN - before)) messages stored meanwhile; longest pause so far $((longest / 1000)).$((longest % 1000 / 100)) s;" \
        "$(for name in database_up kafka_up assigned_partitions; do
            printf '%s' "$name"
            for host in w1 w2 w3; do printf ' %s' "$(gauge "$host" "copydesk_$name")"; done
            printf '; '
        done)"
    cat "$WORK"/w?.log | tail -n "+$((lines + 1))" | grep -E ' (WARN|ERROR) ' | grep -v 'leaves this machine' | sed -E 's/^[^ ]+ +//; s/[0-9]+/N/g' | cut -c 1-220 | sort | uniq -c | sort -rn | head -n 4 || true
}

all_are_stored() { (($(stored) >= 2 * PAIRS)); }

# Waits until everything is stored, and exits with 1 unless every offset is in the ledger once and no pair is in two stories.
verdict() {
    local articles lost twice split host
    wait "$FEED" || die "feeding failed: $(tail -n 3 "$WORK/feed.log")"
    wait_until "all messages are stored" 900 all_are_stored
    say "all is whole again, all messages stored"
    for host in w1 w2 w3; do
        say "$host: copydesk_flush_retries_total wait_for_database $(gauge "$host" 'copydesk_flush_retries_total{class="wait_for_database"}')," \
            "retry_now $(gauge "$host" 'copydesk_flush_retries_total{class="retry_now"}'), copydesk_fenced_total $(gauge "$host" copydesk_fenced_total)"
    done
    copydesk w1 audit || die "the audit found something"
    lost=$((2 * PAIRS - $(stored)))
    twice=$(sql "SELECT count(*) - count(DISTINCT (topic, partition, \"offset\")) FROM sightings")
    split=$(sql "SELECT count(*) FROM (SELECT extra ->> 'pair' FROM articles GROUP BY 1 HAVING count(DISTINCT story_id) > 1) s")
    articles=$(sql "SELECT count(*) FROM articles")
    say "$articles articles of $((2 * PAIRS)) messages; lost: $lost, twice: $twice, split pairs: $split"
    ((lost == 0 && twice == 0 && split == 0 && articles == 2 * PAIRS)) || exit 1
}
