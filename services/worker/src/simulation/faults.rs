//! What goes wrong in a run: anything, by chance ([`World::anything`]), or what a plan names ([`World::step`]).

use std::time::Duration;

use super::memory::locked;
use super::worker::Task;
use super::world::World;

/// SplitMix64: all chance of a run.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }
}

/// What is lost of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    Request,
    Answer,
}

/// What happens at one call of a worker to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The worker dies before the call reaches the server.
    CrashBefore,
    /// The server carries it out; the worker dies without hearing of it.
    CrashUnheard,
    /// The worker hears the answer and dies so many turns of its scheduler later.
    CrashAfter(usize),
    LoseRequest,
    LoseAnswer,
}

impl World {
    /// One step of a run in which anything may happen.
    pub(super) fn anything(&mut self, chance: &mut Chance) {
        let ids: Vec<u64> = self.workers.iter().map(|w| w.id).collect();
        let partitions: Vec<i32> = self.ends.keys().copied().collect();
        let partition = partitions[chance.below(partitions.len())];
        let somebody = ids.get(chance.below(ids.len())).copied();
        match chance.below(100) {
            0..=44 => {
                let waiting = locked(&self.calls).pending.len();
                let loss = match chance.below(25) {
                    0 => Some(Loss::Request),
                    1 => Some(Loss::Answer),
                    _ => None,
                };
                self.serve(chance.below(waiting), loss);
            }
            45..=69 => {
                if let Some(id) = self.group.get(&partition).copied() {
                    self.deliver(id, partition, 1 + chance.below(6) as i64);
                }
            }
            70..=79 => {
                let time = [Duration::from_millis(300), Duration::from_secs(5)][chance.below(2)];
                for worker in self.workers.iter_mut().filter(|w| !w.frozen) {
                    worker.pass_time(time);
                }
            }
            80..=84 => self.rebalance(partition, chance),
            85..=87 => {
                if let Some(id) = somebody {
                    self.crash(id, chance.below(2) == 0);
                }
            }
            88..=89 if self.workers.len() < 4 => {
                self.join();
            }
            90..=92 => {
                if let Some(worker) = somebody.and_then(|id| self.worker(id)) {
                    worker.frozen = !worker.frozen;
                }
            }
            93 => {
                // The server ends the transactions of frozen workers.
                let frozen: Vec<u64> = self.workers.iter().filter(|w| w.frozen).map(|w| w.id).collect();
                self.server.abort_all(|worker| frozen.contains(&worker));
            }
            94..=95 => self.server.rewind(partition, 1 + chance.below(9) as i64),
            96 => self.backup = Some(self.server.backup()),
            97 => {
                if let Some(tables) = self.backup.take() {
                    self.server.restore(tables);
                }
            }
            _ => {
                // A hint: always behind the ledger when it is made.
                if let Some(next) = self.server.next(partition) {
                    self.committed.insert(partition, next);
                }
            }
        }
        for id in ids {
            self.turn(id);
        }
    }

    /// Gives the partition to another worker: drained and handed over, or taken from an owner that does not answer.
    fn rebalance(&mut self, partition: i32, chance: &mut Chance) {
        let next = self.awake(Some(chance));
        let Some(owner) = self.group.get(&partition).copied().filter(|o| *o != next) else {
            return;
        };
        let stalled = self.worker(owner).is_none_or(|w| w.frozen) || chance.below(3) == 0;
        if stalled {
            if let Some(worker) = self.worker(owner) {
                worker.tasks.push_back(Task::Lost(partition));
            }
            self.give(partition, next);
        } else if let Some(worker) = self.worker(owner)
            && !worker
                .tasks
                .iter()
                .any(|t| matches!(t, Task::Revoke(p, _) if *p == partition))
        {
            worker.tasks.push_back(Task::Revoke(partition, next));
        }
    }

    /// One call of a run in which nothing goes wrong but what the plan says, at the call that it names.
    pub(super) fn step(&mut self, plan: &[(usize, Fault)]) {
        self.move_workers();
        let waiting = locked(&self.calls).pending.len();
        let fault = plan
            .iter()
            .find(|(call, _)| *call == self.calls_made)
            .map(|(_, f)| *f);
        for place in 0..waiting {
            let worker = locked(&self.calls).pending[place].worker;
            let loss = match fault {
                Some(Fault::LoseRequest) => Some(Loss::Request),
                Some(Fault::LoseAnswer) => Some(Loss::Answer),
                _ => None,
            };
            match fault {
                Some(Fault::CrashBefore) => {
                    self.calls_made += 1;
                    self.crash(worker, false);
                    return;
                }
                Some(Fault::CrashUnheard) => {
                    self.calls_made += 1;
                    self.crash(worker, true);
                    return;
                }
                _ => {}
            }
            if self.serve(place, loss) {
                if let Some(Fault::CrashAfter(turns)) = fault {
                    if let Some(worker) = self.worker(worker) {
                        worker.run(turns);
                    }
                    self.crash(worker, false);
                }
                return;
            }
        }
        for worker in &mut self.workers {
            worker.pass_time(Duration::from_secs(1));
        }
    }
}
