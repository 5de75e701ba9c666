#!/usr/bin/env bash
# Three brokers, three replicas of everything, two of which must have a message: one broker after the other is killed with -9. Started by hosts.sh.
#
# First the one that leads the controllers, then the other two, then two at once. After each the killed ones come back.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
SECONDS_EACH=${SECONDS_EACH:-30}
ADDRESS+=([k1]=10.77.0.21 [k2]=10.77.0.22 [k3]=10.77.0.23 [pg]=10.77.0.31)
BROKERS=10.77.0.21:9092,10.77.0.22:9092,10.77.0.23:9092
VOTERS=1@10.77.0.21:9093,2@10.77.0.22:9093,3@10.77.0.23:9093
REPLICATED=(default.replication.factor=3 min.insync.replicas=2 offsets.topic.replication.factor=3 transaction.state.log.replication.factor=3
    transaction.state.log.min.isr=2 share.coordinator.state.topic.replication.factor=3 share.coordinator.state.topic.min.isr=2)

kafka_tool() { # class, arguments…
    timeout 30 ip netns exec "$PREFIX-feed" "${KAFKA_JAVA[@]}" -XX:TieredStopAtLevel=1 "org.apache.kafka.tools.$1" --bootstrap-server "$BROKERS" "${@:2}" 2>>"$WORK/tools.log"
}
controller() { kafka_tool MetadataQuorumCommand describe --status | sed -n 's/^LeaderId: *//p'; }
# Every partition has all of its replicas in sync.
all_in_sync() {
    local lacking
    lacking=$(kafka_tool TopicCommand --describe --under-replicated-partitions) && [[ $lacking != *Topic:* ]] # beside what Kafka logs
}
lose_brokers() { # what, host…
    local host
    for host in "${@:2}"; do power_off "$host"; done
    during "$1 killed with -9" "$SECONDS_EACH"
    for host in "${@:2}"; do start_broker "$host"; done
    during "back: ${*:2}" $((SECONDS_EACH / 2))
    wait_until "all replicas are in sync again" 180 all_in_sync
}

make_hosts
start_postgres
for n in 1 2 3; do
    format_broker "k$n" "$n" "$VOTERS" "${REPLICATED[@]}"
    start_broker "k$n"
done
for n in 1 2 3; do wait_until "broker $n listens" 90 broker_listens "k$n"; done
feed_pairs $((8 * SECONDS_EACH))
wait_until "all replicas are in sync" 60 all_in_sync
say "$(kafka_tool TopicCommand --describe --topic articles.raw | grep ReplicationFactor | tr '\t' ' ')"

during "no fault" $((SECONDS_EACH / 2))
FIRST=$(controller)
OTHERS=()
for n in 1 2 3; do ((n == FIRST)) || OTHERS+=("$n"); done
lose_brokers "broker $FIRST, the controllers' leader, is" "k$FIRST"
lose_brokers "broker ${OTHERS[0]} is" "k${OTHERS[0]}"
lose_brokers "broker ${OTHERS[1]} is" "k${OTHERS[1]}"
lose_brokers "brokers ${OTHERS[*]} are, which is one too many:" "k${OTHERS[0]}" "k${OTHERS[1]}"
verdict
