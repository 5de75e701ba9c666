# shellcheck shell=bash
# What the scripts of this folder share: paths, ports, messages, ownership. Sourced, never run.
#
# Everything that is started or written lives under .local/ of this clone, so that two clones do not know of each other.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
STATE=$ROOT/.local
readonly ROOT STATE

# `rustup` puts cargo here, and a shell that was open before that (or sudo, or cron) does not know it.
if [[ -n ${HOME:-} && -d $HOME/.cargo/bin && :$PATH: != *:$HOME/.cargo/bin:* ]]; then
    PATH=$PATH:$HOME/.cargo/bin
fi

# Seconds since the outermost script began, not since this one did.
export COPYDESK_LOCAL_T0=${COPYDESK_LOCAL_T0:-$(date +%s)}

say() { printf '[%3d s] %s\n' "$(($(date +%s) - COPYDESK_LOCAL_T0))" "$*"; }
die() {
    printf 'copydesk: %s\n' "$*" >&2
    exit 1
}

# A port comes from the environment, else from the last start in this clone, else it is the default. The last start is asked of the settings
# that it wrote, so that `COPYDESK_LOCAL_KAFKA_PORT=… make up` and a plain `make run` after it mean the same broker.
load_ports() {
    local kafka='' controller='' postgres='' port
    read -r kafka controller < <(broker_ports) || true
    postgres=$(sed -n 's/^port = \([0-9]*\)$/\1/p' "$STATE/postgres/data/copydesk.conf" 2>/dev/null) || true
    KAFKA_PORT=${COPYDESK_LOCAL_KAFKA_PORT:-${kafka:-39092}}
    CONTROLLER_PORT=${COPYDESK_LOCAL_CONTROLLER_PORT:-${controller:-39093}}
    POSTGRES_PORT=${COPYDESK_LOCAL_POSTGRES_PORT:-${postgres:-35432}}
    for port in "$KAFKA_PORT" "$CONTROLLER_PORT" "$POSTGRES_PORT"; do
        if ! [[ $port =~ ^[1-9][0-9]{0,4}$ ]] || ((port > 65535)); then
            die "'$port' is not a port: set COPYDESK_LOCAL_…_PORT to a number from 1 to 65535"
        fi
    done
    if [[ $KAFKA_PORT == "$CONTROLLER_PORT" || $KAFKA_PORT == "$POSTGRES_PORT" || $CONTROLLER_PORT == "$POSTGRES_PORT" ]]; then
        die "the ports must differ: COPYDESK_LOCAL_KAFKA_PORT=$KAFKA_PORT COPYDESK_LOCAL_CONTROLLER_PORT=$CONTROLLER_PORT COPYDESK_LOCAL_POSTGRES_PORT=$POSTGRES_PORT"
    fi
    readonly KAFKA_PORT CONTROLLER_PORT POSTGRES_PORT
}

# The ports that a broker of this clone was last started with, its own and the controller's.
broker_ports() {
    sed -n 's|^listeners=CLIENT://127.0.0.1:\([0-9]*\),CONTROLLER://127.0.0.1:\([0-9]*\)$|\1 \2|p' "$STATE/kafka/server.properties" 2>/dev/null
}

# Makes .local/ and says early, in one line, that somebody else owns it.
make_state() {
    mkdir -p "$STATE" 2>/dev/null || die "cannot write to $ROOT: make the clone yours, or clone it somewhere else"
    [[ -O $STATE && -w $STATE ]] || die "$STATE belongs to $(stat -c %U "$STATE"): run this as that user, or delete it with 'make clean-local' as that user"
}

# One start or stop at a time in a clone: the second caller waits for the first and then finds its work done.
lock_state() {
    exec 9>"$STATE/lock"
    flock -w 300 9 || die "another make up or make down in this clone has not finished for five minutes: look for it with 'fuser $STATE/lock'"
}

# Not `-d /proc/PID`: a dead process stays there as a zombie where process 1 does not collect it, as in many containers.
is_alive() { # pid
    local command=
    { read -r -d '' command <"/proc/$1/cmdline"; } 2>/dev/null || true
    [[ -n $command ]]
}

# Anything that accepts a connection there, ours or not.
port_is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# The next three ports that nobody uses: Kafka's, its controller's, Postgres'.
free_ports() {
    local base
    for ((base = 39092; base < 39992; base += 100)); do
        if ! port_is_taken "$base" && ! port_is_taken $((base + 1)) && ! port_is_taken $((base - 3660)); then
            printf '%s %s %s\n' "$base" $((base + 1)) $((base - 3660))
            return 0
        fi
    done
    return 1
}

die_of_taken_port() { # port, what wants it
    local kafka controller postgres
    read -r kafka controller postgres < <(free_ports) || kafka=… controller=… postgres=…
    die "port $1 for $2 is taken by a program that is not of this clone: stop it, or take others with" \
        "COPYDESK_LOCAL_KAFKA_PORT=$kafka COPYDESK_LOCAL_CONTROLLER_PORT=$controller COPYDESK_LOCAL_POSTGRES_PORT=$postgres make up"
}

require_free_port() { # port, what wants it
    ! port_is_taken "$1" || die_of_taken_port "$1" "$2"
}

# The first number in what a program says about its version; 0 if it says none. (No `| head`: under pipefail the broken pipe fails.)
major_of() { # command…
    local text
    text=$("$@" 2>&1) || true
    [[ $text =~ [0-9]+ ]] && text=${BASH_REMATCH[0]} || text=0
    printf '%s\n' "$text"
}

# Folders that hold a whole Postgres, server and client.
postgres_bins() {
    local bin initdb
    initdb=$(command -v initdb) || initdb=/nowhere/initdb
    for bin in /usr/lib/postgresql/*/bin "$(pg_config --bindir 2>/dev/null)" "${initdb%/*}"; do
        if [[ $bin == /* && -x $bin/initdb && -x $bin/postgres && -x $bin/pg_ctl && -x $bin/psql && -x $bin/pg_isready ]]; then
            printf '%s\n' "$bin"
        fi
    done
}
# shellcheck disable=SC2034 # for the scripts that source this file
OLDEST_POSTGRES=15

# The folder that cargo builds into, wherever the user's settings put the target directory.
target_dir() {
    local dir
    dir=$(cd "$ROOT" && cargo metadata --no-deps --offline --format-version 1 2>/dev/null | grep -o '"target_directory":"[^"]*"' | cut -d'"' -f4) || true
    printf '%s\n' "${dir:-${CARGO_TARGET_DIR:-$ROOT/target}}"
}

# PROFILE (dev or release) as cargo names it, and the folder that its programs land in.
load_profile() {
    case ${PROFILE:-dev} in
        dev | debug) PROFILE=dev PROFILE_DIR=debug ;;
        release) PROFILE=release PROFILE_DIR=release ;;
        *) die "PROFILE is dev or release, not '$PROFILE'" ;;
    esac
    # On a build server a Cargo.lock that is out of date is an error; at a desk it is brought up to date.
    LOCKED=()
    [[ -z ${CI:-} ]] || LOCKED=(--locked)
    # shellcheck disable=SC2034 # for the scripts that source this file
    readonly PROFILE PROFILE_DIR LOCKED
}

# The URL of a login of the local database: copydesk_worker, copydesk_query, or copydesk, its owner.
local_url() { printf 'postgres://%s@127.0.0.1:%s/copydesk\n' "$1" "$POSTGRES_PORT"; }

# Points the programs at the services of this clone and at nothing else: settings in the caller's environment may mean a real system.
use_local_services() {
    local name
    for name in $(compgen -e COPYDESK_); do
        [[ $name == COPYDESK_LOCAL_* ]] || unset "$name"
    done
    export COPYDESK_KAFKA_BROKERS=127.0.0.1:$KAFKA_PORT
    COPYDESK_DATABASE_URL=$(local_url copydesk_worker)
    export COPYDESK_DATABASE_URL
    # Tests make databases, roles and topics of their own, as a superuser.
    export COPYDESK_TEST_KAFKA_BROKERS=$COPYDESK_KAFKA_BROKERS
    export COPYDESK_TEST_DATABASE_URL=postgres://postgres@127.0.0.1:$POSTGRES_PORT/postgres
}
