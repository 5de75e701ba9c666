//! What is measured, in which order.

use crate::java_peers::JavaPeer;

/// One way to run workers.
#[derive(Clone, Copy)]
pub(crate) struct Variant {
    pub(crate) label: &'static str,
    pub(crate) workers: usize,
    pub(crate) search: bool,
    pub(crate) site_memory: bool,
}

/// A worker as it is run, with everything on but search.
pub(crate) const ONE: Variant = Variant {
    label: "copydesk, 1 worker",
    workers: 1,
    search: false,
    site_memory: true,
};

/// Something that is measured.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    Workers(Variant),
    /// One worker of an earlier copydesk.
    Earlier,
    /// By so many clients.
    Ceiling(usize),
    Peer(usize),
    Java(JavaPeer),
}

/// A virtual machine's speed changes within minutes: what is compared with one worker is measured right beside it.
pub(crate) const RUNS: [Run; 25] = [
    // What fresh servers do first is not what they do.
    Run::Workers(Variant {
        label: "copydesk, 1 worker, first run",
        ..ONE
    }),
    Run::Ceiling(4),
    Run::Workers(ONE),
    Run::Earlier,
    Run::Workers(ONE),
    Run::Earlier,
    Run::Workers(ONE),
    Run::Ceiling(4),
    Run::Workers(ONE),
    Run::Earlier,
    Run::Workers(Variant {
        label: "copydesk, 2 workers",
        workers: 2,
        ..ONE
    }),
    Run::Workers(Variant {
        label: "copydesk, 4 workers",
        workers: 4,
        ..ONE
    }),
    Run::Workers(Variant {
        label: "copydesk, 1 worker, no site memory",
        site_memory: false,
        ..ONE
    }),
    // Search is made behind the flushes by the same workers on the same cores, so that it is measured on its own.
    Run::Workers(Variant {
        label: "copydesk, 1 worker, and search",
        search: true,
        ..ONE
    }),
    Run::Ceiling(4),
    Run::Workers(ONE),
    Run::Ceiling(1),
    Run::Workers(ONE),
    Run::Peer(1),
    Run::Workers(ONE),
    Run::Peer(2),
    Run::Java(JavaPeer::Flink),
    Run::Workers(ONE),
    Run::Java(JavaPeer::Connect),
    Run::Ceiling(4),
];
