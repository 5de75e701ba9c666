#!/usr/bin/env bash
# Sees to it that this machine has what copydesk needs to be built, run and tested. Usage: install.sh [--check | --lint | --hosts | --update]
#
# What is missing and comes as a Debian package is installed with apt-get: directly as root, through sudo as anybody else. If nothing is
# missing, nothing is asked of the network. Where it cannot go on it says in one line what is missing and what to type, and exits with 1.
# --check only looks. --lint also sees to what `make lint` needs, --hosts to what `make hosts` needs. --update brings apt's lists up to date and does nothing else.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

MODE=${1:-}
case $MODE in
    '' | --check | --lint | --hosts | --update) ;;
    *) die "usage: install.sh [--check | --lint | --hosts | --update]" ;;
esac

# Parallel lists: what is missing, in words, and the Debian packages that bring it.
WHAT=() PACKAGES=()
lacks() { WHAT+=("$1") && PACKAGES+=("${@:2}"); }

has_java() {
    # Not the first number: JAVA_TOOL_OPTIONS in the environment is announced before the version.
    [[ $(java -version 2>&1) =~ version\ \"([0-9]+) ]] && ((BASH_REMATCH[1] >= 17))
}

has_postgres() {
    local bin
    while IFS= read -r bin; do
        (($(major_of "$bin/postgres" --version) < OLDEST_POSTGRES)) || return 0
    done < <(postgres_bins)
    return 1
}

# A C library is there if its header is: pkg-config may be what is missing.
has_header() { # header, pkg-config name
    [[ -e /usr/include/$1 ]] || pkg-config --exists "$2" 2>/dev/null
}

look() {
    WHAT=() PACKAGES=()
    has_java || lacks "Java 17 or newer" "$(java_package)"
    "$ROOT/deploy/local/kafka.sh" has-jars || command -v mvn >/dev/null || lacks Maven maven
    has_postgres || lacks "Postgres $OLDEST_POSTGRES or newer" postgresql
    command -v cc >/dev/null || lacks "a C compiler" build-essential
    command -v c++ >/dev/null || lacks "a C++ compiler" build-essential
    command -v make >/dev/null || lacks make make
    command -v pkg-config >/dev/null || lacks pkg-config pkg-config
    has_header openssl/ssl.h openssl || lacks "OpenSSL's headers" libssl-dev
    has_header zlib.h zlib || lacks "zlib's headers" zlib1g-dev
    # Without root certificates neither cargo nor Maven can fetch anything.
    [[ ! -d /etc/apt || -e /etc/ssl/certs/ca-certificates.crt ]] || lacks "root certificates" ca-certificates
    # Debian 13 and Ubuntu 24.04 have rustup as a package; on older systems Rust is the one thing to be installed by hand.
    command -v cargo >/dev/null || command -v rustup >/dev/null || ! is_in_apt rustup || lacks rustup rustup
    [[ $MODE != --lint ]] || look_for_checkers
    [[ $MODE != --hosts ]] || look_for_hosts
}

look_for_hosts() {
    command -v ip >/dev/null || lacks iproute2 iproute2
    compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null || lacks faketime faketime
    command -v python3 >/dev/null || lacks Python python3
    command -v patroni >/dev/null || lacks Patroni patroni python3-etcd
    command -v etcd >/dev/null || lacks etcd etcd-server
    command -v haproxy >/dev/null || lacks HAProxy haproxy
}

look_for_checkers() {
    command -v shellcheck >/dev/null || lacks shellcheck shellcheck
    command -v valgrind >/dev/null || lacks "valgrind, which counts instructions," valgrind
    command -v systemd-analyze >/dev/null || lacks systemd-analyze systemd
    python3 -c 'import ensurepip, venv' 2>/dev/null || lacks "Python with venv" python3-venv
    has_browser || lacks "Chromium, which tests the console," "$(browser_package)"
}

has_browser() {
    local name
    for name in chromium-headless-shell chromium chromium-browser google-chrome; do
        command -v "$name" >/dev/null && return 0
    done
    return 1
}

# The one without a window is a third smaller; older systems have the other alone.
browser_package() {
    if is_in_apt chromium-headless-shell; then echo chromium-headless-shell; else echo chromium; fi
}

is_in_apt() { [[ $(LC_ALL=C apt-cache policy "$1" 2>/dev/null) =~ Candidate:\ [0-9] ]]; }

# The default JRE of a system may be too old (Ubuntu 22.04: 11), so by number, the long-supported ones first.
java_package() {
    local package
    for package in openjdk-21-jre-headless openjdk-17-jre-headless openjdk-25-jre-headless; do
        if is_in_apt "$package"; then
            echo "$package"
            return
        fi
    done
    echo default-jre-headless
}

joined() { # separator, words…
    local text=$2 word
    for word in "${@:3}"; do text+=$1$word; done
    printf '%s' "$text"
}

unique_packages() { printf '%s\n' "${PACKAGES[@]}" | sort -u | tr '\n' ' ' | sed 's/ $//'; }

# Sets PRIVILEGED to what must stand before a command to run it as root; false where nothing would.
find_privilege() {
    PRIVILEGED=()
    ((EUID == 0)) && return 0
    command -v sudo >/dev/null || return 1
    if sudo -n true 2>/dev/null; then
        PRIVILEGED=(sudo -n)
    elif [[ -t 0 && -t 2 ]]; then
        PRIVILEGED=(sudo)
    else
        return 1
    fi
}

APT_LOG=$(mktemp)
trap 'rm -f "$APT_LOG"' EXIT
apt() {
    "${PRIVILEGED[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" </dev/null >>"$APT_LOG" 2>&1
}

# Debian's postgresql makes and starts a server on port 5432 when it is installed. Nobody asked for that one, so a drop-in tells it not to,
# for as long as the installation takes; the folder is created if the package that reads it comes with the same installation.
DROP_IN=/etc/postgresql-common/createcluster.d/copydesk-install.conf
without_main_cluster() {
    "${PRIVILEGED[@]}" mkdir -p "${DROP_IN%/*}"
    echo "create_main_cluster = false" | "${PRIVILEGED[@]}" tee "$DROP_IN" >/dev/null
    local done=0
    "$@" || done=$?
    "${PRIVILEGED[@]}" rm -f "$DROP_IN"
    return "$done"
}

# Debian's packages of services start them. Nobody asked for that here: policy-rc.d, which the packages ask, forbids it, and systemd does not start them later.
without_services() {
    local policy=/usr/sbin/policy-rc.d done=0 service
    [[ ! -e $policy ]] || policy=
    if [[ -n $policy ]]; then
        printf '#!/bin/sh\nexit 101\n' | "${PRIVILEGED[@]}" install -m 755 /dev/stdin "$policy"
    fi
    "$@" || done=$?
    [[ -z $policy ]] || "${PRIVILEGED[@]}" rm -f "$policy"
    if [[ -d /run/systemd/system ]]; then
        for service in "${PACKAGES[@]}"; do
            case $service in
                patroni | haproxy) "${PRIVILEGED[@]}" systemctl -q disable "$service" || true ;;
                etcd-server) "${PRIVILEGED[@]}" systemctl -q disable etcd || true ;;
            esac
        done
    fi
    return "$done"
}

install_packages() {
    local wanted
    say "missing: $(joined ', ' "${WHAT[@]}")"
    if ! command -v apt-get >/dev/null; then
        die "missing: $(joined ', ' "${WHAT[@]}"); this system has no apt-get, so install them with its own package manager"
    fi
    if ! find_privilege; then
        die "missing: $(joined ', ' "${WHAT[@]}"); install them as root with: apt-get install -y --no-install-recommends $(unique_packages)"
    fi
    # On a new machine the lists are empty, on an old one out of date. A failure is not the end: the packages may be in the cache.
    apt update || true
    look # package names depend on the lists
    wanted=$(unique_packages)
    say "installing with apt-get: $wanted"
    local packages
    read -ra packages <<<"$wanted"
    if ! without_main_cluster without_services apt install --no-install-recommends "${packages[@]}"; then
        die "apt-get could not install what is missing: $(grep -m1 '^E:' "$APT_LOG" || tail -n 1 "$APT_LOG"); try it yourself: apt-get install $wanted"
    fi
    hash -r
    look
    if ((${#WHAT[@]})); then
        die "still missing after apt-get install $wanted: $(joined ', ' "${WHAT[@]}"); this system's packages are too old, install them by hand"
    fi
}

# The oldest Rust that builds copydesk, and the one that rust-toolchain.toml asks rustup for.
OLDEST_RUST=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml")
CHANNEL=$(sed -n 's/^channel = "\(.*\)"/\1/p' "$ROOT/rust-toolchain.toml")

look_at_rust() {
    local found
    if command -v rustup >/dev/null && ! (cd "$ROOT" && rustup which cargo >/dev/null 2>&1 && cargo fmt --version && cargo clippy --version) >/dev/null 2>&1; then
        [[ ${1:-} == --check ]] && die "Rust $CHANNEL is missing; install it with: rustup toolchain install $CHANNEL --profile minimal -c clippy -c rustfmt"
        say "installing Rust $CHANNEL with rustup"
        local reason
        if ! reason=$(cd / && rustup toolchain install "$CHANNEL" --profile minimal -c clippy -c rustfmt 2>&1); then
            die "rustup could not install Rust $CHANNEL ($(grep -m1 '^error' <<<"$reason" || tail -n 1 <<<"$reason")); try: rustup toolchain install $CHANNEL --profile minimal -c clippy -c rustfmt"
        fi
    fi
    if ! command -v cargo >/dev/null; then
        die "Rust $OLDEST_RUST or newer is missing and no package here brings it; install it from https://rustup.rs as the user who builds, then run this again"
    fi
    found=$(cd "$ROOT" && cargo --version 2>/dev/null) || true
    found=$([[ $found =~ [0-9]+\.[0-9]+\.[0-9]+ ]] && echo "${BASH_REMATCH[0]}") || true
    if [[ -z $found ]] || ! printf '%s\n%s\n' "$OLDEST_RUST" "$found" | sort -V -C; then
        die "this cargo is ${found:-broken} and copydesk needs $OLDEST_RUST or newer; install it from https://rustup.rs as the user who builds, then run this again"
    fi
}

if [[ $MODE == --update ]]; then
    find_privilege || die "apt's lists are out of date, and only root may renew them: apt-get update"
    apt update || die "apt-get update failed: $(grep -m1 '^E:' "$APT_LOG" || tail -n 1 "$APT_LOG")"
    exit 0
fi
look
if [[ $MODE == --check ]]; then
    ((${#WHAT[@]} == 0)) || die "missing: $(joined ', ' "${WHAT[@]}"); install them with 'make setup'"
    look_at_rust --check
    exit 0
fi
((${#WHAT[@]} == 0)) || install_packages
look_at_rust
"$ROOT/deploy/local/kafka.sh" fetch
