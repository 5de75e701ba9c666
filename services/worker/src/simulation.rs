//! A simulation of workers, group and database, in which a worker can die at any await, and everything else
//! can go wrong.
//!
//! What runs is the real code from the queue on: the intake's guard against repeats, the task of a partition,
//! the partition manager with its claims, drains and looks at the ledger, and the protocol of a flush
//! (`copydesk_store::ledger`). What is simulated is around it: Kafka and the group (`world`), and the
//! database (`server`), which knows transactions, row locks, unique rows, lost connections, commits whose
//! answer is lost, rewinds and restored backups. Each worker has a runtime of its own with a clock that
//! stands still; every call to the database waits until the world carries it out. So a seed gives one order
//! of events, and a worker is killed by dropping its runtime, at whatever await its tasks are.
//!
//! After every call the audit law must hold, no flush may have been taken under an epoch that is over, and no
//! offset stored twice. At the end everything must be stored, each offset in the table where it belongs, and
//! gaps only where Kafka has nothing.
//!
//! The SQL that the real ledger is made of is not here: `crates/store/tests/it/ledger.rs` holds the same
//! rules against Postgres.

mod faults;
mod law;
mod memory;
mod server;
mod worker;
mod world;

use std::collections::BTreeMap;

use faults::{Chance, Fault};
use memory::Broken;
use server::Server;
pub(crate) use worker::context;
use world::World;

/// A run in which anything may happen, by its seed. Gives back the server, with what must not have happened.
fn chaos(seed: u64, broken: Option<Broken>) -> Server {
    let mut chance = Chance::new(seed);
    let partitions = 1 + chance.below(3) as i32;
    let messages = 20 + chance.below(60) as i64;
    let workers = 1 + chance.below(3);
    let mut world = World::new(partitions, messages, workers, broken);
    for _ in 0..(100 + chance.below(400)) {
        world.anything(&mut chance);
        if !world.server.violations.is_empty() {
            break;
        }
    }
    world.heal();
    world.server
}

/// A run without chance: one partition, faults at the calls that the plan names. Gives back the number of
/// calls and what must not have happened.
fn planned(plan: &[(usize, Fault)], broken: Option<Broken>) -> (usize, Vec<String>) {
    let mut world = World::new(1, 14, 1, broken);
    for _ in 0..400 {
        if world.is_done() || !world.server.violations.is_empty() {
            break;
        }
        world.step(plan);
    }
    let calls = world.calls_made;
    world.heal();
    (calls, world.server.violations)
}

/// How many seeds a test tries; COPYDESK_TEST_SEEDS for a longer run.
fn seeds(few: u64) -> u64 {
    std::env::var("COPYDESK_TEST_SEEDS").map_or(few, |n| n.parse().expect("a number"))
}

const FAULTS: [Fault; 8] = [
    Fault::CrashBefore,
    Fault::CrashUnheard,
    Fault::CrashAfter(0),
    Fault::CrashAfter(1),
    Fault::CrashAfter(2),
    Fault::CrashAfter(5),
    Fault::LoseRequest,
    Fault::LoseAnswer,
];

#[test]
fn a_worker_may_die_at_any_call_and_the_next_owner_at_any_other() {
    let (calls, found) = planned(&[], None);
    assert!(found.is_empty(), "without any fault: {found:#?}");
    assert!(calls > 20, "{calls} calls are too few to say anything");
    for first in 0..calls {
        for fault in FAULTS {
            let plan = [(first, fault)];
            let (longer, found) = planned(&plan, None);
            assert!(found.is_empty(), "{plan:?}: {found:#?}");
            for second in (first + 1..longer).step_by(3) {
                let other = FAULTS[(first + second) % FAULTS.len()];
                let plan = [(first, fault), (second, other)];
                let (_, found) = planned(&plan, None);
                assert!(found.is_empty(), "{plan:?}: {found:#?}");
            }
        }
    }
}

#[test]
fn whatever_happens_each_offset_ends_in_its_place_once() {
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in 0..seeds(120) {
        let server = chaos(seed, None);
        assert!(
            server.violations.is_empty(),
            "seed {seed}: {:#?}",
            server.violations
        );
        for (what, times) in server.seen {
            *seen.entry(what).or_default() += times;
        }
    }
    // It has happened, all of it.
    assert_eq!(seen.len(), 9, "{seen:#?}");
    assert!(seen.values().all(|times| *times >= 3), "{seen:#?}");
}

/// The simulation is worth what it finds: each of these breaks one thing that the promises rest on.
#[test]
fn what_is_broken_is_found() {
    let found_by = |broken| {
        (0..200)
            .map(|seed| (seed, chaos(seed, Some(broken)).violations))
            .find(|(_, found)| !found.is_empty())
            .unwrap_or_else(|| panic!("{broken:?} was not found in 200 runs"))
    };
    let (_, found) = found_by(Broken::AdvancesFirst);
    assert!(found[0].contains("law"), "{found:#?}");
    // Only the epoch keeps out a zombie whose batch begins just where the ledger is.
    let (_, found) = found_by(Broken::NoEpoch);
    assert!(found[0].contains("epoch"), "{found:#?}");
    // A restored database behind a worker that goes on: the rest would count as never delivered.
    let (_, found) = found_by(Broken::FromAnywhereAhead);
    assert!(found.iter().any(|f| f.contains("is Good, and in")), "{found:#?}");
    found_by(Broken::StartsAtCommitted);
    let (_, found) = found_by(Broken::ForgetsTheDead);
    assert!(found[0].contains("has killed 3 workers"), "{found:#?}");
}

#[test]
fn a_seed_gives_the_same_run_every_time() {
    let run = |seed| {
        let mut chance = Chance::new(seed);
        let mut world = World::new(2, 40, 2, None);
        for _ in 0..200 {
            world.anything(&mut chance);
        }
        (world.calls_made, format!("{:?}", world.server))
    };
    for seed in 0..10 {
        assert_eq!(run(seed), run(seed), "seed {seed}");
    }
}
