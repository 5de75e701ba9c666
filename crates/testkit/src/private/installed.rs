//! Which Postgres this machine has, and the settings that tests give it.

use std::path::PathBuf;
use std::process::Command;

/// For tests: little memory, and what keeps plans steady.
pub(super) fn plain_settings() -> Vec<String> {
    [
        "shared_buffers=128MB",
        "max_wal_size=2GB",
        "max_connections=100",
        "random_page_cost=1.1",
        "jit=off",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// A quarter of the memory between 512 MB and 4 GB, as deploy/local/postgres.sh has it.
pub(super) fn buffer_megabytes() -> u64 {
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kilobytes = memory
        .lines()
        .find_map(|l| {
            l.strip_prefix("MemTotal:")?
                .split_whitespace()
                .next()?
                .parse::<u64>()
                .ok()
        })
        .unwrap_or(0);
    (kilobytes / 4_096).clamp(512, 4_096)
}

/// The folder of the newest one's programs.
pub(super) fn newest_postgres() -> PathBuf {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .filter(|(_, bin)| bin.join("postgres").exists() && bin.join("initdb").exists())
        .collect();
    found.sort();
    if let Some((_, bin)) = found.pop() {
        return bin;
    }
    let output = Command::new("pg_config").arg("--bindir").output();
    let said = output
        .expect("Postgres is installed: `make setup` does it")
        .stdout;
    PathBuf::from(String::from_utf8_lossy(&said).trim())
}
