#!/usr/bin/env bash
# A private Postgres of Debian's package. Usage: postgres.sh up | down | status | wipe
#
# up makes the database cluster the first time, starts it and returns when it accepts connections and the database `copydesk` is there with its
# logins (roles.sql), and prints their URLs; down stops it and leaves its data; wipe deletes the data. Every command may be repeated, also after a
# kill -9 or a reboot.
#
# Postgres refuses to run as root, so root runs it as the user `postgres`, which Debian's package makes; anybody else runs it as
# themselves. Anyone on this machine may connect as superuser without a password, but only over the loopback and the socket: these are
# development data.
# shellcheck disable=SC2016 # in `as_owner bash -c '…'` $1 is the inner shell's
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
load_ports

HERE=$ROOT/deploy/local
# .local/postgres, and where that really is: see make_home.
HOME_LINK=$STATE/postgres
PG=$(readlink -f "$HOME_LINK" 2>/dev/null) || PG=$HOME_LINK

# The newest installed Postgres of a major version that will do; for data that are already there, the version that made them.
find_bin() {
    local want='' bin best='' best_major=0 major
    [[ -f $PG/data/PG_VERSION ]] && want=$(<"$PG/data/PG_VERSION")
    while IFS= read -r bin; do
        major=$(major_of "$bin/postgres" --version)
        if [[ -n $want ]]; then
            [[ $major != "$want" ]] || best=$bin
        elif ((major >= OLDEST_POSTGRES && major > best_major)); then
            best=$bin best_major=$major
        fi
    done < <(postgres_bins)
    if [[ -z $best && -n $want ]]; then
        die "the data in .local/postgres were made by Postgres $want, which is not installed: install postgresql-$want, or delete the data with 'make clean-local'"
    fi
    [[ -n $best ]] || die "Postgres $OLDEST_POSTGRES or newer is missing: run 'make setup'"
    printf '%s\n' "$best"
}

# Runs a command as the user who owns the cluster. OWNER is empty if that is the caller.
OWNER=
if ((EUID == 0)); then
    OWNER=postgres
    id -u "$OWNER" >/dev/null 2>&1 || OWNER=nobody
fi
as_owner() {
    if [[ -n $OWNER ]]; then
        # Not the caller's folder, which the other user may not be able to enter.
        (cd / && exec setpriv --reuid="$OWNER" --regid="$(id -g "$OWNER")" --init-groups env HOME=/ "$@")
    else
        (cd / && exec "$@")
    fi
}

# Makes .local/postgres, usable by the owner. Where a folder above the clone is closed to that user (a clone under /root), the data move out to
# /var/lib and .local/postgres is a link. Not to /var/tmp: there systemd deletes files that were not touched for 30 days, one by one.
make_home() {
    local outside
    outside=/var/lib/copydesk-local/$(printf '%s' "$ROOT" | sha256sum | cut -c 1-12)
    [[ -d $PG/data ]] && return 0
    rm -f "$HOME_LINK" 2>/dev/null || true # a link whose target is gone
    PG=$HOME_LINK
    mkdir -p "$PG"
    [[ -n $OWNER ]] || return 0
    chown "$OWNER": "$PG"
    as_owner test -w "$PG" && return 0
    rmdir "$PG"
    mkdir -p "${outside%/*}"
    install -d -m 0700 -o "$OWNER" -g "$(id -gn "$OWNER")" "$outside"
    ln -s "$outside" "$HOME_LINK"
    PG=$outside
    say "the user $OWNER may not enter $ROOT, so Postgres keeps its data in $PG (.local/postgres is a link to it)"
}

# A process of this cluster, or nothing: every process of a Postgres has its data directory as working directory. After a kill -9 or a
# reboot postmaster.pid may name a process that is long gone, or another program's. Asked as the owner: in a container not even root may look
# into the processes of another user.
a_process() {
    [[ -d $PG/data ]] || return 1
    as_owner bash -c '
        for process in /proc/[0-9]*; do
            { read -r name <"$process/comm"; } 2>/dev/null || continue
            if [[ $name == postgres && $(readlink "$process/cwd" 2>/dev/null) == "$1" ]]; then
                echo "${process#/proc/}"
                exit 0
            fi
        done
        exit 1
    ' a_process "$PG/data"
}

# postmaster.pid holds: pid, data directory, start time, port, …
running_port() { sed -n 4p "$PG/data/postmaster.pid" 2>/dev/null; }

ready() { # port
    "$BIN/pg_isready" -q -h 127.0.0.1 -p "$1" -U postgres -d postgres -t 3
}

sql() { # database, statement
    "$BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$POSTGRES_PORT" -U postgres -d "$1" -c "$2"
}

make_cluster() {
    [[ -f $PG/data/PG_VERSION ]] && return 0
    say "making the database cluster in .local/postgres (Postgres $(major_of "$BIN/postgres" --version))"
    local locale=C
    # What Debian's C library always has. Both sort by code point, C.UTF-8 also knows letters beyond ASCII.
    [[ $(locale -a 2>/dev/null) =~ (^|$'\n')C\.(UTF-8|utf8)($'\n'|$) ]] && locale=C.UTF-8
    # Under another name first: an initdb that was interrupted leaves a folder that looks finished and is not.
    as_owner rm -rf "$PG/data.new"
    if ! as_owner "$BIN/initdb" --pgdata="$PG/data.new" --username=postgres --auth=trust --encoding=UTF8 --locale="$locale" \
        --data-checksums --no-instructions >"$STATE/initdb.log" 2>&1; then
        die "Postgres could not make its data directory: $(grep -m1 -iE 'error|fatal' "$STATE/initdb.log" || tail -n 1 "$STATE/initdb.log") (all of it: .local/initdb.log)"
    fi
    as_owner bash -c 'echo "include = '\''copydesk.conf'\''" >>"$1/data.new/postgresql.conf" && mv "$1/data.new" "$1/data"' make_cluster "$PG"
}

# A quarter of the memory, as Postgres' documentation advises, between 512 MB and 4 GB: the keys of the present window are written at
# random places, and where they do not fit each costs a read and a write of a page.
buffer_megabytes() {
    local quarter
    quarter=$(awk '/^MemTotal:/ { print int($2 / 4096) }' /proc/meminfo)
    echo $((quarter < 512 ? 512 : quarter > 4096 ? 4096 : quarter))
}

write_settings() {
    local socket=$PG/socket
    {
        cat "$HERE/postgresql.conf"
        printf '\n# Of this clone and this machine.\n'
        printf 'shared_buffers = %sMB\n' "$(buffer_megabytes)"
        printf "listen_addresses = '127.0.0.1'\nport = %s\n" "$POSTGRES_PORT"
        # The path of a socket has a limit of 107 bytes, which a clone deep in the tree can exceed; the loopback does as well.
        if ((${#socket} + 20 <= 107)); then
            printf "unix_socket_directories = '%s'\n" "${socket//\'/\'\'}"
        else
            printf "unix_socket_directories = ''\n"
        fi
        # lz4 is several times as fast as Postgres' own compression on article text, but is an option of the build.
        if as_owner "$BIN/postgres" -C default_toast_compression -D "$PG/data" --config_file=/dev/null --default_toast_compression=lz4 >/dev/null 2>&1; then
            printf 'default_toast_compression = lz4\nwal_compression = lz4\n'
        fi
    } | as_owner bash -c 'mkdir -p "$1/socket" && cat >"$1/data/copydesk.conf.new" && mv -f "$1/data/copydesk.conf.new" "$1/data/copydesk.conf"' write_settings "$PG"
}

up() {
    BIN=$(find_bin)
    make_home
    if a_process >/dev/null; then
        if [[ $(running_port) == "$POSTGRES_PORT" ]]; then
            if wait_until_ready; then
                make_database
                say "Postgres is up at 127.0.0.1:$POSTGRES_PORT (it was running)"
                print_urls
                return 0
            fi
            # Left-over backends of a postmaster that was killed: they end by themselves as soon as they notice.
        else
            require_free_port "$POSTGRES_PORT" Postgres
            say "Postgres moves from port $(running_port) to $POSTGRES_PORT"
        fi
        stop
    fi
    require_free_port "$POSTGRES_PORT" Postgres
    make_cluster
    # Nothing of this cluster runs (asked above), so whatever process these files name is somebody else's or a zombie.
    as_owner rm -f "$PG/data/postmaster.pid" "$PG/socket/.s.PGSQL.$POSTGRES_PORT.lock"
    write_settings
    as_owner bash -c '[[ ! -f $1 ]] || mv -f "$1" "$1.1"' rotate "$PG/postgres.log"
    # It keeps none of our descriptors (see kafka.sh).
    if ! as_owner "$BIN/pg_ctl" start -s -w -t 60 -D "$PG/data" -l "$PG/postgres.log" </dev/null >/dev/null 2>&1 \
        3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; then
        if grep -q 'Address already in use' "$PG/postgres.log" 2>/dev/null; then
            die_of_taken_port "$POSTGRES_PORT" Postgres
        fi
        die "Postgres did not start: $(grep -m1 -E 'FATAL|PANIC' "$PG/postgres.log" 2>/dev/null || echo 'no reason given') (all of it: .local/postgres/postgres.log)"
    fi
    wait_until_ready || die "Postgres does not answer at 127.0.0.1:$POSTGRES_PORT; see .local/postgres/postgres.log"
    make_database
    say "Postgres is up at 127.0.0.1:$POSTGRES_PORT"
    print_urls
}

print_urls() {
    printf '        %-42s %s\n' "worker, janitor (COPYDESK_DATABASE_URL)" "$(local_url copydesk_worker)" \
        "queries (psql)" "$(local_url copydesk_query)" "copydesk migrate, as the owner" "$(local_url copydesk)"
}

# Crash recovery after a kill -9 can take a while; a server that is only starting is waited for, one that is gone is not.
wait_until_ready() {
    local deadline=$((SECONDS + 60))
    until ready "$POSTGRES_PORT"; do
        a_process >/dev/null || return 1
        ((SECONDS < deadline)) || return 1
        sleep 0.2
    done
}

make_database() {
    if [[ $(sql postgres "SELECT 1 FROM pg_database WHERE datname = 'copydesk'") != 1 ]]; then
        sql postgres 'CREATE DATABASE copydesk'
    fi
    sql copydesk "$(<"$HERE/roles.sql")"
}

# Ends every process of the cluster: in order if there is a postmaster, and the orphans of one that was killed.
stop() {
    as_owner "$BIN/pg_ctl" stop -s -w -t 60 -m fast -D "$PG/data" >/dev/null 2>&1 || true
    local deadline=$((SECONDS + 10)) pid
    while pid=$(a_process); do
        if ((SECONDS >= deadline)); then
            kill -QUIT "$pid" 2>/dev/null || true # what Postgres itself sends to its backends after a crash
            deadline=$((SECONDS + 2))
        fi
        sleep 0.1
    done
}

down() {
    if a_process >/dev/null; then
        BIN=$(find_bin)
        stop
        say "Postgres is stopped"
    else
        say "Postgres was not running"
    fi
}

wipe() {
    [[ $PG == "$HOME_LINK" || $PG == /var/lib/copydesk-local/* ]] || die ".local/postgres is a link to $PG, which is none of ours: delete it by hand"
    rm -rf "$PG" "$HOME_LINK"
    rmdir /var/lib/copydesk-local 2>/dev/null || true
}

status() {
    local pid
    if ! pid=$(a_process); then
        echo "Postgres  down"
        return 1
    fi
    BIN=$(find_bin)
    pid=$(head -n 1 "$PG/data/postmaster.pid" 2>/dev/null || echo "$pid")
    if ready "$(running_port)"; then
        echo "Postgres  up at 127.0.0.1:$(running_port), pid $pid, log .local/postgres/postgres.log"
    else
        echo "Postgres  runs (pid $pid) but does not answer at 127.0.0.1:$(running_port); see .local/postgres/postgres.log"
        return 1
    fi
}

case ${1:-} in
    status) status ;;
    up | down | wipe)
        if [[ $1 != up && ! -d $STATE ]]; then
            say "Postgres was not running"
            exit 0
        fi
        make_state
        lock_state
        "$1"
        ;;
    *) die "usage: postgres.sh up | down | status | wipe" ;;
esac
