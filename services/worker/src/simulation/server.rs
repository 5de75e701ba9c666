//! The server: what is committed, who has which transaction and lock open, and what must never happen.

use std::collections::{BTreeMap, BTreeSet};

use copydesk_article::{Epoch, NextOffset, Offset};
use copydesk_store::{Claimed, Progress, Wanted};

use super::memory::{Answer, Broken, Kind, Op, Refusal, kind, source};

#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) first: i64,
    pub(super) next: i64,
    epoch: i64,
    in_hand_until: i64,
    unfinished_claims: i32,
}

/// What is committed.
#[derive(Debug, Clone, Default)]
pub(super) struct Tables {
    pub(super) rows: BTreeMap<i32, Row>,
    pub(super) sightings: BTreeSet<(i32, i64)>,
    pub(super) quarantine: BTreeSet<(i32, i64)>,
    /// (partition, first) to behind the last.
    pub(super) gaps: BTreeMap<(i32, i64), i64>,
}

#[derive(Debug, Default)]
struct Open {
    worker: u64,
    advanced: Option<(i32, i64)>,
    sightings: Vec<(i32, i64)>,
    quarantine: Vec<(i32, i64)>,
    gaps: Vec<((i32, i64), i64)>,
}

/// The server.
#[derive(Debug, Default)]
pub(super) struct Server {
    pub(super) tables: Tables,
    open: BTreeMap<u64, Open>,
    /// Partitions whose row a transaction has locked.
    locks: BTreeMap<i32, u64>,
    last_tx: u64,
    /// How many workers a message has killed since its partition was last set back.
    deaths: BTreeMap<(i32, i64), u32>,
    pub(super) broken: Option<Broken>,
    /// What has happened, how often: a run in which nothing does proves nothing.
    pub(super) seen: BTreeMap<&'static str, u64>,
    /// What must never happen, and has.
    pub(super) violations: Vec<String>,
}

impl Server {
    pub(super) fn new(broken: Option<Broken>) -> Self {
        Self {
            broken,
            ..Self::default()
        }
    }

    pub(super) fn count(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    fn is(&self, broken: Broken) -> bool {
        self.broken == Some(broken)
    }

    /// `None`: it waits for the lock of another transaction.
    pub(super) fn execute(&mut self, worker: u64, op: &Op) -> Option<Result<Answer, Refusal>> {
        let answer = match op {
            Op::Begin => {
                self.last_tx += 1;
                let open = Open {
                    worker,
                    ..Open::default()
                };
                self.open.insert(self.last_tx, open);
                Ok(Answer::Begun(self.last_tx))
            }
            Op::Advance { tx, claim, from, to } => {
                let partition = claim.source.partition.get();
                if self.locks.get(&partition).is_some_and(|holder| holder != tx) {
                    return None;
                }
                self.advance(*tx, partition, claim.epoch.get(), *from, *to)
            }
            Op::Write {
                tx,
                partition,
                stored,
                refused,
                gaps,
            } => self.write(*tx, *partition, stored, refused, gaps),
            Op::Commit { tx } => self.commit(*tx),
            Op::Rollback { tx } => {
                self.abort(*tx);
                Ok(Answer::Done)
            }
            Op::Position(claim) => {
                let row = self.tables.rows.get(&claim.source.partition.get());
                let row = row.filter(|r| r.epoch == claim.epoch.get());
                Ok(Answer::Position(row.map(|r| r.next)))
            }
            Op::StoredBefore { partition, from, to } => {
                let within = |set: &BTreeSet<(i32, i64)>| {
                    set.range((*partition, *from)..(*partition, *to)).count() as u64
                };
                Ok(Answer::Stored {
                    stored: within(&self.tables.sightings),
                    quarantined: within(&self.tables.quarantine),
                })
            }
            Op::Claim(wanted) => {
                if wanted
                    .iter()
                    .any(|w| self.locks.contains_key(&w.source.partition.get()))
                {
                    return None;
                }
                Ok(Answer::Claimed(wanted.iter().map(|w| self.claim(w)).collect()))
            }
            Op::Release(claims) => {
                if claims
                    .iter()
                    .any(|c| self.locks.contains_key(&c.source.partition.get()))
                {
                    return None;
                }
                claims.iter().for_each(|c| self.release(c));
                Ok(Answer::Done)
            }
            Op::Progress => Ok(Answer::Progress(self.progress())),
        };
        self.check_law();
        Some(answer)
    }

    fn advance(
        &mut self,
        tx: u64,
        partition: i32,
        epoch: i64,
        from: i64,
        to: i64,
    ) -> Result<Answer, Refusal> {
        let anywhere = self.is(Broken::FromAnywhereAhead);
        let (any_epoch, first) = (self.is(Broken::NoEpoch), self.is(Broken::AdvancesFirst));
        let open = self.open.get_mut(&tx).ok_or(Refusal::Lost)?;
        let Some(row) = self.tables.rows.get_mut(&partition) else {
            return Ok(Answer::Advanced(false));
        };
        let at = row.next == from || anywhere && row.next < from;
        if !at || row.epoch != epoch && !any_epoch {
            let what = match (row.epoch == epoch, row.next.cmp(&from)) {
                (true, std::cmp::Ordering::Less) => "flush ahead of a ledger that was set back",
                (true, _) => "flush that is in already",
                (false, std::cmp::Ordering::Equal) => "flush that only its epoch keeps out",
                (false, _) => "flush under an epoch that is over",
            };
            self.count(what);
            return Ok(Answer::Advanced(false));
        }
        if row.epoch != epoch {
            let text = format!(
                "a flush of [{partition}] under epoch {epoch} was taken while {} owns it",
                row.epoch
            );
            self.violations.push(text);
        }
        if first {
            row.next = to;
        } else {
            open.advanced = Some((partition, to));
            self.locks.insert(partition, tx);
            if row.next < from {
                open.gaps.push(((partition, row.next), from));
            }
        }
        Ok(Answer::Advanced(true))
    }

    fn write(
        &mut self,
        tx: u64,
        partition: i32,
        stored: &[i64],
        refused: &[i64],
        gaps: &[(i64, i64)],
    ) -> Result<Answer, Refusal> {
        let open = self.open.get_mut(&tx).ok_or(Refusal::Lost)?;
        if stored.iter().any(|o| kind(partition, *o) == Kind::Poison) {
            self.count("row that the database refuses");
            return Err(Refusal::Data);
        }
        for (offset, table) in stored
            .iter()
            .map(|o| (*o, &self.tables.sightings))
            .chain(refused.iter().map(|o| (*o, &self.tables.quarantine)))
        {
            if table.contains(&(partition, offset)) {
                self.violations
                    .push(format!("[{partition}]@{offset} was to be stored a second time"));
                return Err(Refusal::Unique);
            }
        }
        open.sightings.extend(stored.iter().map(|o| (partition, *o)));
        open.quarantine.extend(refused.iter().map(|o| (partition, *o)));
        open.gaps
            .extend(gaps.iter().map(|(from, to)| ((partition, *from), *to)));
        Ok(Answer::Done)
    }

    fn commit(&mut self, tx: u64) -> Result<Answer, Refusal> {
        let open = self.open.remove(&tx).ok_or(Refusal::Lost)?;
        self.locks.retain(|_, holder| *holder != tx);
        if let Some((partition, to)) = open.advanced
            && let Some(row) = self.tables.rows.get_mut(&partition)
        {
            row.next = to;
        }
        self.tables.sightings.extend(open.sightings);
        self.tables.quarantine.extend(open.quarantine);
        self.tables.gaps.extend(open.gaps);
        Ok(Answer::Done)
    }

    /// A worker has prepared a message that ends its process.
    pub(super) fn killed(&mut self, partition: i32, offset: i64) {
        self.count("worker that died of a message");
        let deaths = self.deaths.entry((partition, offset)).or_default();
        *deaths += 1;
        if *deaths > 2 {
            self.violations
                .push(format!("[{partition}]@{offset} has killed {deaths} workers"));
        }
    }

    /// sightings + quarantined.
    pub(super) fn done(&self, partition: i32) -> i64 {
        let of = |set: &BTreeSet<(i32, i64)>| {
            set.range((partition, i64::MIN)..(partition + 1, i64::MIN))
                .count() as i64
        };
        of(&self.tables.sightings) + of(&self.tables.quarantine)
    }

    fn release(&mut self, claim: &Claimed) {
        let row = self.tables.rows.get_mut(&claim.source.partition.get());
        if let Some(row) = row.filter(|r| r.epoch == claim.epoch.get() && r.unfinished_claims == 0) {
            row.in_hand_until = 0;
        }
    }

    fn claim(&mut self, wanted: &Wanted) -> Claimed {
        let low = wanted.low.get();
        let done = self.done(wanted.source.partition.get());
        let forgets = self.is(Broken::ForgetsTheDead);
        let row = self
            .tables
            .rows
            .entry(wanted.source.partition.get())
            .or_insert(Row {
                first: low,
                next: low,
                epoch: 0,
                in_hand_until: 0,
                unfinished_claims: 0,
            });
        row.epoch += 1;
        row.unfinished_claims = match done < row.in_hand_until && !forgets {
            true => row.unfinished_claims + 1,
            false => 0,
        };
        row.in_hand_until = done + wanted.in_hand;
        Claimed {
            unfinished_claims: row.unfinished_claims,
            source: wanted.source.clone(),
            next_offset: NextOffset::new(row.next),
            epoch: Epoch::new(row.epoch),
        }
    }

    pub(super) fn progress(&self) -> Vec<Progress> {
        let rows = self.tables.rows.iter();
        rows.map(|(partition, row)| Progress {
            source: source(*partition),
            first_offset: Offset::new(row.first),
            next_offset: NextOffset::new(row.next),
            epoch: Epoch::new(row.epoch),
            owner: String::new(),
        })
        .collect()
    }

    pub(super) fn next(&self, partition: i32) -> Option<i64> {
        self.tables.rows.get(&partition).map(|r| r.next)
    }

    pub(super) fn abort(&mut self, tx: u64) {
        self.open.remove(&tx);
        self.locks.retain(|_, holder| *holder != tx);
    }

    /// The connections of a worker are gone; so are its transactions.
    pub(super) fn abort_all(&mut self, of: impl Fn(u64) -> bool) {
        let gone: Vec<u64> = self
            .open
            .iter()
            .filter(|(_, open)| of(open.worker))
            .map(|(tx, _)| *tx)
            .collect();
        gone.into_iter().for_each(|tx| self.abort(tx));
    }

    pub(super) fn backup(&self) -> Tables {
        self.tables.clone()
    }

    /// The server comes back with older tables; nobody's connection survives.
    pub(super) fn restore(&mut self, tables: Tables) {
        self.abort_all(|_| true);
        self.count("restored backup");
        self.tables = tables;
        self.deaths.clear();
    }

    /// What `copydesk rewind` does in its transaction. Nothing if the row is locked.
    pub(super) fn rewind(&mut self, partition: i32, back: i64) {
        if self.locks.contains_key(&partition) {
            return;
        }
        let Some(row) = self.tables.rows.get_mut(&partition) else {
            return;
        };
        let to = (row.next - back).max(row.first);
        row.next = to;
        row.epoch += 1;
        row.in_hand_until = 0;
        self.deaths
            .retain(|(p, offset), _| *p != partition || *offset < to);
        *self.seen.entry("rewind").or_default() += 1;
        let stays = |(p, offset): &(i32, i64)| *p != partition || *offset < to;
        self.tables.sightings.retain(stays);
        self.tables.quarantine.retain(stays);
        self.tables.gaps.retain(|at, _| stays(at));
        for ((p, _), end) in &mut self.tables.gaps {
            if *p == partition {
                *end = (*end).min(to);
            }
        }
        self.check_law();
    }
}
