#!/usr/bin/env bash
# A Postgres primary that is lost: Patroni promotes the standby, HAProxy leads the workers to it. Started by hosts.sh.
#
# Two hosts of Postgres under Patroni (patroni.yml), one with etcd, one with HAProxy (haproxy.cfg), whose address the workers have. The primary's host dies, its Postgres
# alone is killed, it is cut off from all, and the roles are swapped in order. After each of them the old primary comes back as the standby.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
SECONDS_EACH=${SECONDS_EACH:-45}
ADDRESS+=([kafka]=10.77.0.21 [proxy]=10.77.0.30 [pg1]=10.77.0.31 [pg2]=10.77.0.32 [etcd]=10.77.0.33)
DATABASE=proxy

start_etcd() {
    mkdir "$WORK/etcd"
    start etcd etcd etcd --name etcd --data-dir "$WORK/etcd/data" --listen-client-urls "http://${ADDRESS[etcd]}:2379" --advertise-client-urls "http://${ADDRESS[etcd]}:2379" \
        --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster etcd=http://127.0.0.1:2380
    wait_until "etcd listens" 30 on etcd bash -c "exec 3<>/dev/tcp/${ADDRESS[etcd]}/2379"
}

start_patroni() { # host
    install -d -m 700 -o postgres "$WORK/$1"
    sed -e "s|@HOST@|$1|g; s|@ADDRESS@|${ADDRESS[$1]}|g; s|@ETCD@|${ADDRESS[etcd]}|g; s|@BIN@|$BIN|g; s|@FOLDER@|$WORK/$1|g" "$LOCAL/hosts/patroni.yml" >"$WORK/$1/patroni.yml"
    chown postgres "$WORK/$1/patroni.yml"
    start "$1" patroni "${AS_POSTGRES[@]}" patroni "$WORK/$1/patroni.yml"
}

is_primary() { [[ $(sql 'SELECT pg_is_in_recovery()' postgres "$1" 2>/dev/null) == f ]]; } # host
primary() {
    local host
    for host in pg1 pg2; do ! is_primary "$host" || echo "$host"; done
}
other() { if [[ $1 == pg1 ]]; then echo pg2; else echo pg1; fi; } # host

# A standby whose answer each commit of the primary waits for.
has_standby() {
    [[ $(sql "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'" postgres "$(primary)") == 1 ]]
}

make_hosts
start_etcd
start_patroni pg1
wait_until "Patroni has made the primary" 90 is_primary pg1
start_patroni pg2
wait_until "the standby replicates synchronously" 90 has_standby
start proxy haproxy haproxy -db -f "$LOCAL/hosts/haproxy.cfg"
sleep 5 # until its first checks are done it takes both for the primary
wait_until "HAProxy leads to the primary" 30 is_primary proxy
create_database
start_one_broker
feed_pairs $((6 * SECONDS_EACH))

during "no fault" $((SECONDS_EACH / 2))

OLD=$(primary)
power_off "$OLD"
during "the primary's host ($OLD) dies: every process is killed with -9" "$SECONDS_EACH" is_primary "$(other "$OLD")"
during "$(other "$OLD") is the primary, without a standby" $((SECONDS_EACH / 2))
start_patroni "$OLD"
during "$OLD comes back" 90 has_standby

OLD=$(primary)
kill -9 "$(head -n 1 "$WORK/$OLD/data/postmaster.pid")"
during "Postgres alone is killed with -9 on the primary's host ($OLD)" $((SECONDS_EACH / 2))
wait_until "a standby replicates again" 90 has_standby

OLD=$(primary)
unplug "$OLD"
during "the primary's host ($OLD) is cut off from all" "$SECONDS_EACH"
# Whoever is on that host must not be able to write either.
is_primary "$(other "$OLD")" || die "$(other "$OLD") was not promoted"
! is_primary "$OLD" || die "two primaries: $OLD, which is cut off, takes writes"
say "$OLD takes no writes"
plug_in "$OLD"
during "$OLD is back on the network" 90 has_standby

OLD=$(primary)
on "$OLD" patronictl -c "$WORK/$OLD/patroni.yml" switchover copydesk --force >"$WORK/switchover.log" 2>&1 || die "no switchover: $(tail -n 1 "$WORK/switchover.log")"
during "the roles are swapped (patronictl switchover)" $((SECONDS_EACH / 2))
is_primary "$(other "$OLD")" || die "$(other "$OLD") was not made the primary"
verdict
