#!/usr/bin/env bash
# The whole way, measured: from the topic to Postgres, beside the ceiling and the peer. Usage: bench.sh
#
# Kafka and Postgres of its own, an optimised build, and the peer's Python packages in .local/peer. Settings: COPYDESK_BENCH_KINDS,
# COPYDESK_BENCH_MESSAGES, COPYDESK_BENCH_PEER_SECONDS (benches/end_to_end/main.rs says what they do); COPYDESK_BENCH_PEER=no leaves the peer out;
# COPYDESK_BENCH_JAVA_PEERS=yes also runs Flink SQL and Kafka Connect (benches/peer/flink, benches/peer/connect), whose jars Maven fetches to .local/java-peers.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
PROFILE=release
export PROFILE
load_profile
cd "$ROOT"

"$ROOT/deploy/local/build.sh"
"$ROOT/deploy/local/kafka.sh" has-jars || "$ROOT/deploy/local/kafka.sh" fetch
if [[ ${COPYDESK_BENCH_PEER:-yes} != no && -z ${COPYDESK_BENCH_PYTHON:-} ]]; then
    make_state
    if ! cmp -s benches/peer/requirements.txt "$STATE/peer/requirements.txt"; then
        say "fetching the peer's Python packages"
        python3 -m venv "$STATE/peer" || die "the peer needs Python with venv (Debian: python3-venv); COPYDESK_BENCH_PEER=no leaves it out"
        "$STATE/peer/bin/pip" install --quiet --disable-pip-version-check --requirement benches/peer/requirements.txt
        cp benches/peer/requirements.txt "$STATE/peer/requirements.txt"
    fi
    export COPYDESK_BENCH_PYTHON=$STATE/peer/bin/python
fi

# The jars that a pom.xml names, each of them held to the list beside it.
fetch_jars() { # name
    local peer=$ROOT/benches/peer/$1 folder=$STATE/java-peers/$1
    cmp -s "$peer/sha256" "$folder.sha256" && return 0
    command -v mvn >/dev/null || die "Maven is missing, it fetches the jars of $1: run 'make setup'"
    make_state
    mkdir -p "$STATE/java-peers"
    rm -rf "$folder" "$folder.sha256"
    say "fetching the jars of the peer $1 through Maven"
    mvn -q -B -C -f "$peer/pom.xml" "-Dlibs=$folder" prepare-package >"$folder.log" 2>&1 ||
        die "Maven could not fetch the jars of $1: $(grep -m1 -o 'ERROR.*' "$folder.log" || echo 'no reason given'); see .local/java-peers/$1.log"
    (cd "$folder" && sha256sum --quiet --strict --check "$peer/sha256") || die "a jar of $1 is not the one of benches/peer/$1/sha256"
    (($(find "$folder" -name '*.jar' | wc -l) == $(wc -l <"$peer/sha256"))) || die "Maven fetched jars for $1 that benches/peer/$1/sha256 does not list"
    cp "$peer/sha256" "$folder.sha256"
}
if [[ ${COPYDESK_BENCH_JAVA_PEERS:-no} == yes ]]; then
    command -v javac >/dev/null || die "Java compiles Flink's job as it starts: apt-get install default-jdk-headless"
    fetch_jars flink
    fetch_jars connect
    export COPYDESK_BENCH_JAVA=$STATE/java-peers
fi
COPYDESK_TEST_EXECUTABLE=$(target_dir)/$PROFILE_DIR/copydesk
export COPYDESK_TEST_EXECUTABLE
exec cargo bench "${LOCKED[@]}" --package copydesk-benches --bench end_to_end
