//! The table of a kind of articles, and each worker beside what was measured right before and after it.

use crate::plan::{ONE, Run};

/// One row of the table.
pub(crate) struct Row {
    pub(crate) run: Run,
    pub(crate) who: String,
    pub(crate) articles: i64,
    pub(crate) rate: f64,
    pub(crate) megabytes: f64,
    pub(crate) worker: f64,
    pub(crate) postgres: f64,
    pub(crate) kafka: f64,
    pub(crate) peak: Option<u64>,
}

pub(crate) fn print(rows: &[Row]) {
    println!(
        "| | articles | articles/s | MB/s | CPU s: program | Postgres | Kafka | CPU ms an article | peak RSS |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for row in rows {
        let peak = row
            .peak
            .map_or_else(|| "-".to_owned(), |b| format!("{} MiB", b >> 20));
        println!(
            "| {} | {} | {:.0} | {:.1} | {:.1} | {:.1} | {:.1} | {:.2} | {peak} |",
            row.who,
            row.articles,
            row.rate,
            row.megabytes,
            row.worker,
            row.postgres,
            row.kafka,
            (row.worker + row.postgres + row.kafka) * 1_000.0 / (row.articles.max(1) as f64),
        );
    }
}

/// One worker against what was measured right before and after it.
pub(crate) fn compare(rows: &[Row]) {
    let one = |row: &Row| matches!(row.run, Run::Workers(v) if v.label == ONE.label);
    let (mut of_four, mut of_one) = (Vec::new(), Vec::new());
    let (mut of_earlier, mut of_peer) = (Vec::new(), Vec::new());
    for (a, b) in rows.iter().zip(rows.iter().skip(1)) {
        let (worker, other) = if one(a) { (a, b) } else { (b, a) };
        match other.run {
            Run::Ceiling(4) if one(worker) => of_four.push(worker.rate / other.rate),
            Run::Ceiling(_) if one(worker) => of_one.push(worker.rate / other.rate),
            Run::Earlier if one(worker) => of_earlier.push(worker.rate / other.rate),
            Run::Peer(1) if one(worker) => of_peer.push(worker.rate / other.rate),
            _ => {}
        }
    }
    let shown = |ratios: &[f64], digits: usize| {
        let each: Vec<String> = ratios.iter().map(|r| format!("{r:.digits$}")).collect();
        let mut sorted = ratios.to_vec();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN);
        format!("{} (median {middle:.digits$})", each.join(", "))
    };
    println!(
        "\n1 worker to the ceiling of four clients beside it: {}",
        shown(&of_four, 2)
    );
    println!(
        "1 worker to the ceiling of one client beside it: {}",
        shown(&of_one, 2)
    );
    if !of_earlier.is_empty() {
        println!(
            "1 worker to the earlier copydesk's beside it: {}",
            shown(&of_earlier, 2)
        );
    }
    if !of_peer.is_empty() {
        println!(
            "1 worker to the peer with 1 process beside it: {}",
            shown(&of_peer, 1)
        );
    }
}
