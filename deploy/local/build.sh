#!/usr/bin/env bash
# Builds the copydesk executable. Usage: build.sh, with PROFILE=release for a fast one.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
load_profile
cd "$ROOT"

"$ROOT/deploy/local/install.sh"
say "building copydesk ($PROFILE profile; the first time takes some minutes)"
# What is built to be used has the clouds and an allocator of its own; what is built to be tried is there sooner without.
FEATURES=(--no-default-features)
[[ $PROFILE == dev ]] || FEATURES=(--features object-storage)
cargo build "${LOCKED[@]}" --profile "$PROFILE" --package copydesk "${FEATURES[@]}"
say "copydesk is built: $(target_dir)/$PROFILE_DIR/copydesk"
