#!/usr/bin/env bash
# A private Apache Kafka of one node. Usage: kafka.sh fetch | has-jars | up | down | status
#
# fetch copies the jars through Maven; up starts the broker and returns when it answers a metadata request with itself in it;
# down stops it and leaves its data. Every command may be repeated. Safe after a crash, a kill -9 or a reboot: who runs is asked of /proc,
# never of a pid file alone.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
load_ports

HERE=$ROOT/deploy/local
KAFKA=$STATE/kafka
PROPERTIES=$KAFKA/server.properties
LOG=$KAFKA/kafka.log
START_SECONDS=90

# The jars in .local fit the pom.xml of this checkout.
jars_are_there() { [[ -f $KAFKA/libs.pom.xml ]] && cmp -s "$HERE/pom.xml" "$KAFKA/libs.pom.xml"; }

fetch() {
    jars_are_there && return 0
    command -v mvn >/dev/null || die "Maven is missing, it fetches Kafka's jars: run 'make setup'"
    make_state
    mkdir -p "$KAFKA"
    say "fetching the jars of Kafka through Maven (about 45 MB the first time)"
    local try
    for try in 1 2 3; do
        rm -rf "$KAFKA/libs"
        if mvn -q -B -f "$HERE/pom.xml" "-Dkafka.libs=$KAFKA/libs" prepare-package >"$KAFKA/maven.log" 2>&1; then
            cp "$HERE/pom.xml" "$KAFKA/libs.pom.xml"
            return 0
        fi
        ((try == 3)) || sleep $((try * 3))
    done
    die "Maven could not fetch Kafka's jars in three tries: $(grep -m1 -o 'ERROR.*' "$KAFKA/maven.log" || echo 'no reason given'); see .local/kafka/maven.log"
}

# The broker of this clone, or nothing: the process with our own properties file among its arguments. (The file's name reaches grep through a
# descriptor, else grep would find itself.)
broker_pid() {
    local file
    while IFS= read -r file; do
        if grep -qzxF -s -- kafka.Kafka "$file"; then
            file=${file#/proc/}
            printf '%s\n' "${file%/cmdline}"
            return 0
        fi
    done < <(grep -lzxF -s -f <(printf '%s' "$PROPERTIES") /proc/[0-9]*/cmdline)
    return 1
}

# Asks for the cluster's metadata over the wire (Metadata, version 1, no topics) and wants to see exactly one broker. That is Kafka's own
# word that it serves clients; it costs milliseconds, where Kafka's command-line tools cost the start of a JVM.
answers() { # port
    local reply
    # shellcheck disable=SC2016 # $1 is the inner shell's
    reply=$(timeout 5 bash -c '
        exec 3<>"/dev/tcp/127.0.0.1/$1"
        # length 19 | key 3 | version 1 | correlation id "desk" | client id of 5 letters | no topics
        printf "\0\0\0\023\0\003\0\001desk\0\005probe\0\0\0\0" >&3
        head -c 12 <&3 | od -An -v -tx1 | tr -d " \n"
    ' probe "$1" 2>/dev/null) || return 1
    # length (any) | "desk" | one broker
    [[ ${reply:8} == 6465736b00000001 ]]
}

write_properties() {
    {
        cat "$HERE/server.properties"
        printf '\n# Of this clone.\n'
        printf 'listeners=CLIENT://127.0.0.1:%s,CONTROLLER://127.0.0.1:%s\n' "$KAFKA_PORT" "$CONTROLLER_PORT"
        printf 'advertised.listeners=CLIENT://127.0.0.1:%s\n' "$KAFKA_PORT"
        printf 'controller.quorum.voters=1@127.0.0.1:%s\n' "$CONTROLLER_PORT"
        printf 'log.dirs=%s\n' "$KAFKA/data"
    } >"$PROPERTIES.new"
    mv -f "$PROPERTIES.new" "$PROPERTIES"
}

# java with the class path and logging that every class of Kafka wants; further arguments for java, the class and its own.
JAVA=(java "-Dlog4j2.configurationFile=file:$HERE/log4j2.properties" -Djava.awt.headless=true -cp "$KAFKA/libs/*")

format_storage() {
    [[ -f $KAFKA/data/meta.properties ]] && return 0
    local id
    # 16 random bytes in Kafka's spelling; a leading dash would be taken for an option.
    id=$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=')
    id=${id/#-/A}
    rm -rf "$KAFKA/data"
    if ! "${JAVA[@]}" -XX:TieredStopAtLevel=1 kafka.tools.StorageTool format --cluster-id "$id" --config "$PROPERTIES" >"$KAFKA/format.log" 2>&1; then
        rm -rf "$KAFKA/data"
        die "Kafka could not format .local/kafka/data: $(grep -m1 -iE 'exception|error' "$KAFKA/format.log" || tail -n 1 "$KAFKA/format.log")"
    fi
}

wait_until_it_answers() { # pid
    local deadline=$((SECONDS + START_SECONDS))
    until answers "$KAFKA_PORT"; do
        if ! is_alive "$1"; then
            if grep -q 'Address already in use' "$LOG"; then
                die_of_taken_port "$KAFKA_PORT or $CONTROLLER_PORT" Kafka
            fi
            die "Kafka stopped while starting: $(grep -m1 -E 'ERROR|FATAL|Error' "$LOG" || tail -n 1 "$LOG") (all of it: .local/kafka/kafka.log)"
        fi
        ((SECONDS < deadline)) || die "Kafka does not answer at 127.0.0.1:$KAFKA_PORT after $START_SECONDS s; see .local/kafka/kafka.log"
        sleep 0.2
    done
}

up() {
    fetch
    make_state
    mkdir -p "$KAFKA"
    local pid='' old='' old_controller=''
    if pid=$(broker_pid); then
        read -r old old_controller < <(broker_ports)
        if [[ $old == "$KAFKA_PORT" && $old_controller == "$CONTROLLER_PORT" ]]; then
            wait_until_it_answers "$pid"
            say "Kafka is up at 127.0.0.1:$KAFKA_PORT (it was running)"
            return 0
        fi
    fi
    # Asked before the running one is stopped: a typing error should not cost a working broker.
    [[ $KAFKA_PORT == "$old" ]] || require_free_port "$KAFKA_PORT" Kafka
    [[ $CONTROLLER_PORT == "$old_controller" ]] || require_free_port "$CONTROLLER_PORT" "Kafka's controller"
    if [[ -n $pid ]]; then
        say "Kafka moves from ports $old and $old_controller to $KAFKA_PORT and $CONTROLLER_PORT"
        stop "$pid"
    fi
    write_properties
    format_storage
    [[ -f $LOG ]] && mv -f "$LOG" "$LOG.1"
    # A session of its own: Ctrl-C in this terminal, or closing it, must not reach the broker. And none of our descriptors: a pipe or the
    # lock would look busy for as long as the broker lives.
    (
        cd "$KAFKA"
        exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
        exec setsid "${JAVA[@]}" -Xms128m -Xmx512m -XX:+UseG1GC -XX:MaxGCPauseMillis=50 -XX:+ExitOnOutOfMemoryError kafka.Kafka "$PROPERTIES"
    ) </dev/null >"$LOG" 2>&1 &
    pid=$!
    wait_until_it_answers "$pid"
    say "Kafka is up at 127.0.0.1:$KAFKA_PORT"
}

stop() { # pid
    kill "$1" 2>/dev/null || true
    local deadline=$((SECONDS + 30))
    while is_alive "$1"; do
        if ((SECONDS >= deadline)); then
            say "Kafka has not stopped on SIGTERM in 30 s, so it is killed; it recovers its log at the next start"
            kill -9 "$1" 2>/dev/null || true
            deadline=$((SECONDS + 30))
        fi
        sleep 0.1
    done
}

down() {
    local pid
    if pid=$(broker_pid); then
        stop "$pid"
        say "Kafka is stopped"
    else
        say "Kafka was not running"
    fi
}

status() {
    local pid port
    if ! pid=$(broker_pid); then
        echo "Kafka     down"
        return 1
    fi
    read -r port _ < <(broker_ports)
    if answers "$port"; then
        echo "Kafka     up at 127.0.0.1:$port, pid $pid, log .local/kafka/kafka.log"
    else
        echo "Kafka     runs (pid $pid) but does not answer at 127.0.0.1:$port; see .local/kafka/kafka.log"
        return 1
    fi
}

case ${1:-} in
    fetch | status) "$1" ;;
    has-jars) jars_are_there ;;
    up | down)
        if [[ $1 == down && ! -d $STATE ]]; then
            say "Kafka was not running"
            exit 0
        fi
        make_state
        lock_state
        "$1"
        ;;
    *) die "usage: kafka.sh fetch | has-jars | up | down | status" ;;
esac
