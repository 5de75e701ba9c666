//! Charts as SVG, drawn on the server: shapes and words tell what is what, never colour alone.

use chrono::{DateTime, Utc};
use copydesk_store::reads::{FlowHour, MemberRow};
use maud::{Markup, html};

use crate::text::{relation, span};

/// Rows of a timeline.
const MOST_ROWS: usize = 24;
const ROW: usize = 26;
const WIDTH: usize = 900;
/// Where the line of time begins: names of sites stand before it.
const LEFT: usize = 200;
const RIGHT: usize = 870;

/// The time of an article: when it says that it was published, else when its message came.
fn time_of(member: &MemberRow) -> DateTime<Utc> {
    member
        .published_at
        .or(member.message_time)
        .unwrap_or(member.ingested_at)
}

/// The articles of a story along a line of time, one site a row.
pub(crate) fn timeline(members: &[MemberRow]) -> Markup {
    let times: Vec<DateTime<Utc>> = members.iter().map(time_of).collect();
    let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) else {
        return html! {};
    };
    let length = (*last - *first).num_seconds().max(1);
    let mut sites: Vec<&str> = Vec::new();
    for member in members {
        let site = member.site.as_deref().unwrap_or("–");
        if !sites.contains(&site) && sites.len() < MOST_ROWS {
            sites.push(site);
        }
    }
    let height = sites.len() * ROW + 40;
    let label = format!(
        "Timeline: {} articles on {} sites within {}; the table below has the same",
        members.len(),
        sites.len(),
        span((*last - *first).num_seconds())
    );
    html! {
        svg.chart viewBox=(format!("0 0 {WIDTH} {height}")) role="group" aria-label=(label) {
            @for (row, site) in sites.iter().enumerate() {
                @let y = row * ROW + 20;
                text x=(LEFT - 16) y=(y + 5) text-anchor="end" { (crate::text::beginning(site, 22)) }
                line.grid x1=(LEFT) y1=(y) x2=(RIGHT) y2=(y) {}
            }
            @for (member, time) in members.iter().zip(&times) {
                @if let Some(row) = sites.iter().position(|s| *s == member.site.as_deref().unwrap_or("–")) {
                    @let x = place((*time - *first).num_seconds(), length);
                    (mark(member, x, row * ROW + 20))
                }
            }
            text x=(LEFT) y=(height - 6) { (first.format("%Y-%m-%d %H:%M")) }
            text x=(RIGHT) y=(height - 6) text-anchor="end" { (last.format("%Y-%m-%d %H:%M")) " UTC" }
        }
    }
}

fn place(seconds: i64, length: i64) -> i64 {
    let width = i64::try_from(RIGHT - LEFT).unwrap_or(0);
    i64::try_from(LEFT).unwrap_or(0) + seconds.saturating_mul(width) / length
}

/// An original is a square, a copy a circle, a part or a whole of another a triangle.
fn mark(member: &MemberRow, x: i64, y: usize) -> Markup {
    let y = i64::try_from(y).unwrap_or(0);
    let title = format!(
        "{}: {}, {} UTC",
        member.site.as_deref().unwrap_or("–"),
        relation(&member.relation),
        time_of(member).format("%Y-%m-%d %H:%M")
    );
    let what = html! { title { (title) } };
    html! {
        a href={ "/articles/" (member.article_id) } aria-label=(title) {
            @match member.relation.as_str() {
                "original" | "digest" => rect.original x=(x - 6) y=(y - 6) width="12" height="12" { (what) },
                "excerpt" | "contains" => path.part d=(format!("M{} {}l7 12h-14z", x, y - 7)) { (what) },
                _ => circle.copy cx=(x) cy=(y) r="6" { (what) },
            }
        }
    }
}

/// Articles, copies and refusals of each hour, one bar an hour, one above the other.
pub(crate) fn hours(hours: &[FlowHour], days: u32, now: DateTime<Utc>) -> Markup {
    let count = i64::from(days) * 24;
    let begin = (now.timestamp() / 3_600 + 1 - count) * 3_600;
    let most = hours
        .iter()
        .map(|h| h.originals + h.copies + h.refused)
        .max()
        .unwrap_or(0)
        .max(1);
    let (height, bar) = (160, 880.0 / count as f64);
    let up = |n: i64| n as f64 / most as f64 * f64::from(height - 20);
    let total: i64 = hours.iter().map(|h| h.originals + h.copies).sum();
    let label = format!("{total} articles in {days} days, at most {most} messages an hour");
    html! {
        svg.chart viewBox=(format!("0 0 900 {}", height + 24)) role="img" aria-label=(label) {
            line.grid x1="10" y1=(height) x2="890" y2=(height) {}
            text x="10" y="14" { "at most " (crate::text::number(most)) " an hour" }
            @for hour in hours {
                @let at = (hour.hour.timestamp() - begin) / 3_600;
                @if (0..count).contains(&at) {
                    @let x = 10.0 + at as f64 * bar;
                    @let (a, b, c) = (up(hour.originals), up(hour.copies), up(hour.refused));
                    @let base = f64::from(height);
                    g {
                        title { (hour.hour.format("%Y-%m-%d %H:00")) " UTC: " (hour.originals) " originals, "
                            (hour.copies) " copies, " (hour.refused) " refused" }
                        rect.original x=(round(x)) y=(round(base - a)) width=(round(bar * 0.85))
                            height=(round(a)) {}
                        rect.copy x=(round(x)) y=(round(base - a - b)) width=(round(bar * 0.85))
                            height=(round(b)) {}
                        rect.refused x=(round(x)) y=(round(base - a - b - c)) width=(round(bar * 0.85))
                            height=(round(c)) {}
                    }
                }
            }
            text x="10" y=(height + 18) { (days) " days ago" }
            text x="890" y=(height + 18) text-anchor="end" { "now" }
        }
    }
}

fn round(n: f64) -> String {
    format!("{n:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(site: &str, relation: &str, at: &str) -> MemberRow {
        MemberRow {
            article_id: 7,
            title: None,
            site: Some(site.to_owned()),
            language: None,
            relation: relation.to_owned(),
            linked_to: None,
            similarity: None,
            containment: None,
            containment_of_linked: None,
            link_reason: None,
            word_count: 1,
            version: 1,
            published_at: Some(at.parse().unwrap()),
            published_offset_minutes: None,
            message_time: None,
            ingested_at: at.parse().unwrap(),
        }
    }

    #[test]
    fn a_timeline_has_a_mark_for_each_article_and_no_markup_of_strangers() {
        let members = [
            member("a.example", "original", "2026-11-24T10:00:00Z"),
            member(
                "</svg><script>alert(1)</script>",
                "near_copy",
                "2026-11-24T12:00:00Z",
            ),
            member("a.example", "excerpt", "2026-11-24T11:00:00Z"),
        ];
        let drawn = timeline(&members).into_string();
        assert_eq!(drawn.matches("<a href").count(), 3);
        assert!(drawn.contains("<rect") && drawn.contains("<circle") && drawn.contains("<path"));
        assert!(!drawn.contains("<script") && !drawn.contains("style="), "{drawn}");
        assert!(timeline(&[]).into_string().is_empty());
        assert!(timeline(&members[..1]).into_string().contains("within 0 s"));
    }
}
