//! `copydesk audit`: the law of docs/delivery.md, from SQL alone.

use super::{Outcome, print, print_json, store};
use crate::args::AuditArgs;
use crate::config::Config;
use crate::show::Style;

pub(crate) async fn run(config: &Config, args: &AuditArgs) -> anyhow::Result<Outcome> {
    let report = store(config).await?.audit().await?;
    let style = Style::detect();
    if args.json {
        let findings: Vec<_> = report.findings.iter().map(ToString::to_string).collect();
        let record = serde_json::json!({
            "partitions": report.partitions.len(),
            "offsets": report.offsets(),
            "findings": findings,
        });
        print_json(record);
    } else {
        for finding in &report.findings {
            print(&style.bad(&format!("broken: {finding}")));
        }
        if report.is_clean() {
            print(&style.good(&format!(
                "clean: {} offsets of {} partitions, each stored, quarantined or recorded as a gap, exactly once",
                report.offsets(),
                report.partitions.len()
            )));
        }
    }
    Ok(if report.is_clean() {
        Outcome::Done
    } else {
        Outcome::Found
    })
}
