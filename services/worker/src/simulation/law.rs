//! What must hold of the tables: the audit law after every call, and each offset in its place at the end.

use super::memory::{Kind, kind};
use super::server::Server;

impl Server {
    /// sightings + quarantined + offsets in gaps = next_offset − first_offset.
    pub(super) fn check_law(&mut self) {
        for (partition, row) in &self.tables.rows {
            let gaps: i64 = self
                .tables
                .gaps
                .iter()
                .filter(|((p, _), _)| p == partition)
                .map(|((_, from), to)| to - from)
                .sum();
            let done = self.done(*partition);
            if done + gaps != row.next - row.first {
                self.violations.push(format!(
                    "the law is broken for [{partition}]: {done} + {gaps} is not {} - {}",
                    row.next, row.first
                ));
            }
        }
    }

    /// Every offset is where it belongs: what Kafka holds in one table, what it does not in one gap.
    pub(super) fn check_offsets(&mut self) {
        for (partition, row) in &self.tables.rows {
            for offset in row.first..row.next {
                let at = (*partition, offset);
                let kind = kind(*partition, offset);
                let in_gaps = self
                    .tables
                    .gaps
                    .iter()
                    .filter(|((p, from), to)| p == partition && *from <= offset && offset < **to)
                    .count();
                let found = (
                    self.tables.sightings.contains(&at),
                    self.tables.quarantine.contains(&at),
                    in_gaps,
                );
                let wanted = match kind {
                    Kind::Good | Kind::Tombstone => (true, false, 0),
                    Kind::Bad | Kind::Poison | Kind::Killer => (false, true, 0),
                    Kind::Hole => (false, false, 1),
                };
                if found != wanted {
                    self.violations.push(format!(
                        "[{partition}]@{offset} is {kind:?}, and in (sighting, quarantine, gaps): {found:?}"
                    ));
                }
            }
        }
    }
}
