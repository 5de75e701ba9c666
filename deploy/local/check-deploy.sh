#!/usr/bin/env bash
# Checks what is in deploy/ and cannot be run here: alert rules, Containerfile, Kubernetes manifests, systemd units. Usage: check-deploy.sh
#
# Needs the tools that install.sh --lint and tools.sh bring. Every check runs; the exit code is 0 only if all passed.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT/deploy"
TOOLS=$STATE/tools
# The oldest and the newest Kubernetes whose schemas the manifests are held to.
KUBERNETES=(1.30 1.35)
# The least exposure that systemd-analyze may find, in tenths.
EXPOSURE=15

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
BAD=0
quiet() { # what, command…
    local output
    if ! output=$("${@:2}" 2>&1); then
        printf '%s:\n%s\n' "$1" "$output" >&2
        BAD=1
    fi
}

quiet "promtool check rules" "$TOOLS/promtool" check rules prometheus/copydesk.rules.yml
quiet "promtool test rules" "$TOOLS/promtool" test rules prometheus/copydesk.rules.test.yml

quiet "hadolint" "$TOOLS/venv/bin/hadolint" Containerfile

# The base as it stands, and what kustomize makes of base and example.
manifests=()
for file in kubernetes/base/*.yaml kubernetes/example/*.yaml; do
    [[ $file == */kustomization.yaml ]] || manifests+=("$file")
done
if command -v kubectl >/dev/null; then
    for overlay in base example; do
        quiet "kubectl kustomize $overlay" kubectl kustomize "kubernetes/$overlay" --output "$WORK/$overlay.yaml"
        [[ ! -s $WORK/$overlay.yaml ]] || manifests+=("$WORK/$overlay.yaml")
    done
else
    say "kubectl: not installed, so the manifests are checked as they stand and not as kustomize renders them"
fi
for version in "${KUBERNETES[@]}"; do
    quiet "kubernetes-validate $version" "$TOOLS/venv/bin/kubernetes-validate" --strict --quiet -k "$version" "${manifests[@]}"
done

for unit in systemd/*.service; do
    # The executable is not installed where the unit expects it.
    sed 's|^ExecStart=copydesk|ExecStart=/bin/true|' "$unit" >"$WORK/${unit##*/}"
done
warnings=$(systemd-analyze verify "$WORK"/*.service 2>&1) || BAD=1
if [[ -n $warnings ]]; then
    printf 'systemd-analyze verify:\n%s\n' "$warnings" >&2
    BAD=1
fi
for unit in "$WORK"/*.service; do
    quiet "systemd-analyze security ${unit##*/}" systemd-analyze security --offline=true --no-pager --threshold="$EXPOSURE" "$unit"
done
exit "$BAD"
