#!/usr/bin/env bash
# A schema registry for tests: Apicurio's application, which answers Confluent's calls. Usage: registry.sh fetch
#
# fetch copies it through Maven into .local/registry; a test starts it (crates/testkit). May be repeated. Maven keeps the archive in ~/.m2, so that the next
# clone, and a build server that keeps ~/.m2, fetch nothing. Of its 140 MB the application's jar is 28; the rest is the libraries that this jar needs.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The last series that runs on Kafka's Java 17; 3.x needs 21.
VERSION=2.6.13.Final
REGISTRY=$STATE/registry
GROUP=io.apicurio
NAME=apicurio-registry-app

[[ ${1:-} == fetch ]] || die "usage: registry.sh fetch"
[[ ! -f $REGISTRY/$VERSION ]] || exit 0
command -v mvn >/dev/null || die "Maven is missing, it fetches the registry: run 'make setup'"
make_state
mkdir -p "$REGISTRY"
# Two tests may want it at once.
exec 9>"$REGISTRY/lock"
flock 9
[[ ! -f $REGISTRY/$VERSION ]] || exit 0
say "fetching $NAME through Maven (140 MB if ~/.m2 does not have it)"
for try in 1 2 3; do
    rm -rf "$REGISTRY/app"
    mkdir -p "$REGISTRY/app"
    if mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.6.1:get -Dtransitive=false \
        "-Dartifact=$GROUP:$NAME:$VERSION:tar.gz:all" >"$REGISTRY/maven.log" 2>&1 &&
        mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy \
            "-Dartifact=$GROUP:$NAME:$VERSION:tar.gz:all" "-DoutputDirectory=$REGISTRY/app" >>"$REGISTRY/maven.log" 2>&1; then
        tar -xzf "$REGISTRY/app/$NAME-$VERSION-all.tar.gz" -C "$REGISTRY/app"
        rm "$REGISTRY/app/$NAME-$VERSION-all.tar.gz"
        mv "$REGISTRY/app/$NAME-$VERSION-runner.jar" "$REGISTRY/app/registry.jar"
        touch "$REGISTRY/$VERSION"
        exit 0
    fi
    ((try == 3)) || sleep $((try * 3))
done
die "Maven could not fetch $NAME in three tries: $(grep -m1 -o 'ERROR.*' "$REGISTRY/maven.log" || echo 'no reason given'); see .local/registry/maven.log"
