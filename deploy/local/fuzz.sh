#!/usr/bin/env bash
# Builds the fuzz targets (fuzz/) with the Rust of this clone and runs each for some time. Usage: fuzz.sh [SECONDS], 60 if it is not said.
#
# The seeds are the bundled samples and what earlier runs found, which stays in fuzz/corpus. A finding is in fuzz/artifacts; the exit code is 1.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT/fuzz"
SECONDS_EACH=${1:-60}
[[ $SECONDS_EACH =~ ^[0-9]+$ ]] || die "usage: fuzz.sh [SECONDS]"

# libFuzzer's own flags, without a sanitizer: there is no unsafe code to look into, and so no nightly compiler is needed.
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing"
TRIPLE=$(rustc -vV | sed -n 's/^host: //p')
say "building the fuzz targets"
# Named, so that build scripts and macros are not instrumented.
cargo build --locked --release --target "$TRIPLE" --target-dir target
failed=0
for target in targets/*.rs; do
    name=$(basename "$target" .rs)
    mkdir -p "corpus/$name" "artifacts/$name"
    say "fuzzing $name for $SECONDS_EACH s"
    if ! "target/$TRIPLE/release/$name" "corpus/$name" ../services/feed/samples -max_total_time="$SECONDS_EACH" -timeout=20 \
        -rss_limit_mb=512 -max_len=1048576 -artifact_prefix="artifacts/$name/" -print_final_stats=1 >"artifacts/$name.log" 2>&1; then
        failed=1
        say "$name: FOUND something: fuzz/artifacts/$name, fuzz/artifacts/$name.log"
    fi
    grep -a '^stat::number_of_executed_units' "artifacts/$name.log" || true
done
exit "$failed"
