//! The program's memory allocator: whoever links this crate (`use copydesk_allocator as _;`) allocates by jemalloc.
//!
//! An article is laid out on a thread of the pool, in some hundred small pieces, and given back on another
//! one after its flush. glibc takes a lock of the heap that it came from for each piece; jemalloc returns
//! them in lots, and gives back to the system what lies idle for a second (`.cargo/config.toml`;
//! docs/decisions/006-jemalloc.md has the figures). Only on Linux, x86-64 with glibc: other processors may
//! have pages of another size than the machine that it was built on, which jemalloc does not survive. There,
//! and without the feature `jemalloc`, it is the system's allocator.

#[cfg(all(
    feature = "jemalloc",
    target_os = "linux",
    target_arch = "x86_64",
    target_env = "gnu"
))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
