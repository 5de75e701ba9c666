//! When an article was published.
//!
//! Sources in fixed order, each nearly always right where it exists. A date of change is taken only where the page
//! states no other, and then the article says so.

use chrono::{Datelike, NaiveDate};
use copydesk_article::{BlockKind, MetadataSource, Sourced, Timestamp};
use serde_json::{Map, Value};

use super::Place;
use super::address_dates::{in_path, is_within, month_in_path};
use super::dateline::{date_line, is_change};
use super::facts::{Facts, TimeFact};
use super::json_ld::date;
use super::script_dates;
use crate::dates::{Order, labelled, parse_date_as, parse_stated};
use crate::draft::Draft;
use crate::text_signs::reads_as_prose;

/// `<meta>` names of the time of publication, the surest first.
const METAS: &[&str] = &[
    "article:published_time",
    "article:published:time",
    "og:published_time",
    "og:article:published_time",
    "datepublished",
    "date",
    "pubdate",
    "publishdate",
    "publish-date",
    "publish_date",
    "published_date",
    "publication_date",
    "publication-date",
    "parsely-pub-date",
    "sailthru.date",
    "article.published",
    "article:publicationdate",
    "cxenseparse:recs:publishtime",
    "article_date_original",
    "originalpublicationdate",
    "shareaholic:article_published_time",
    "dc.date.issued",
    "dc.date",
    "dc:date",
    "dcterms.created",
    "dcterms.date",
    "dcterms.issued",
    "citation_publication_date",
    "citation_date",
    "creation_date",
    "date_published",
    "rnews:datepublished",
    "buildtime",
    "displaydate",
    "pub_date",
    "datecreated",
    "published-date",
    "published",
    "published_at",
    "publicationdate",
    "article:published",
    "article-published-date",
    "dc.date.created",
];

/// Days that stand for "no date" in databases and spreadsheets.
const SENTINELS: [(i32, u32, u32); 7] = [
    (1970, 1, 1),
    (1969, 12, 31),
    (1601, 1, 1),
    (1899, 12, 30),
    (1899, 12, 31),
    (1900, 1, 1),
    (1980, 1, 1),
];

/// When a page says that its article was published, and changed.
#[derive(Debug, Default)]
pub(crate) struct Published {
    pub(crate) published: Option<Sourced<Timestamp>>,
    /// The page says no more than when it was changed: `published` is that.
    pub(crate) is_change: bool,
    /// The page states a time for machines, and only such as nobody meant: a sentinel, or one in the future.
    pub(crate) is_doubted: bool,
    /// What readers are shown as the time of a change.
    pub(crate) changed: Option<Sourced<Timestamp>>,
}

/// Looks through all sources.
pub(crate) fn published(
    facts: &Facts,
    article: Option<&Map<String, Value>>,
    html: &str,
    url: Option<&str>,
    title: Option<&str>,
    place: &Place<'_>,
    order: Order,
) -> Published {
    let path = url.and_then(in_path);
    let month = url.and_then(month_in_path);
    let fits = |t: &Sourced<Timestamp>| month.is_none_or(|m| is_within(t.value, m));
    let Shown {
        near,
        labelled,
        far,
        changed,
    } = shown(facts, place, order);
    let (line, far) = (near.filter(fits), far.filter(fits));
    let seen = [path, line.as_ref().map(|l| l.value)];
    let sane = |t: &Sourced<Timestamp>| is_plausible(t.value, place.latest) && is_confirmed(t.value, seen);
    let all_stated = stated(facts, article, order);
    let is_doubted = !all_stated.is_empty() && !all_stated.iter().any(sane);
    let stated = all_stated.into_iter().find(sane);
    // A template that states the last change as the publication is put right by what readers see.
    // So is one that states a publication later than the last change. Far from the headline only a date that is called
    // one of publication does that.
    let change = stated_change(facts, article, order);
    let labelled = labelled.filter(fits);
    let is_in_path =
        |t: Timestamp| path.is_some_and(|p| (p.local_day() - t.local_day()).num_days().abs() <= 1);
    let stated = stated.filter(|t| {
        let other = line.as_ref().or(labelled.as_ref());
        let is_earlier = other.is_some_and(|o| o.value.local_day() < t.value.local_day());
        let is_odd = change.is_some_and(|c| c == t.value || c.local_day() < t.value.local_day());
        // The day in the address bears the stated one out.
        !(is_odd && is_earlier) || is_in_path(t.value)
    });
    // So is one beside which readers are shown a day that neither it nor the last change has: a post that was dated anew.
    let stated = stated.filter(|t| {
        let shown = line.as_ref().filter(|l| l.source == MetadataSource::TimeElement);
        is_in_path(t.value) || !shown.is_some_and(|l| is_dated_anew(l.value, t.value, change))
    });
    // The day that is shown may be that of the last change.
    let modified = change.map(|t| t.local_day());
    let seen_day = path.or_else(|| {
        line.as_ref()
            .map(|l| l.value)
            .filter(|t| Some(t.local_day()) != modified)
    });
    let found = stated
        .map(|t| Sourced::new(with_shown_day(t.value, seen_day), t.source))
        .or_else(|| line.filter(sane))
        .or_else(|| far.filter(|t| sane(t) && path.is_none()))
        .or_else(|| script_dates::find(html, url, title, path, order).filter(|t| sane(t) && fits(t)))
        .or_else(|| path.map(|t| Sourced::new(t, MetadataSource::Url)).filter(sane));
    let changed = changed.filter(|t| is_plausible(t.value, place.latest));
    Published {
        is_change: found.is_none() && changed.is_some(),
        is_doubted: is_doubted && found.is_none(),
        published: found.or_else(|| changed.clone()),
        changed,
    }
}

/// Whether a day that readers are shown is another one than the stated one and than that of the last change, and no day to
/// come: events are announced in such elements, too.
fn is_dated_anew(shown: Timestamp, stated: Timestamp, change: Option<Timestamp>) -> bool {
    let days = |t: Timestamp| (shown.local_day() - t.local_day()).num_days();
    let is_of_change = change.is_some_and(|c| days(c).abs() <= 1);
    let to_come = days(change.unwrap_or(stated)) > 0;
    days(stated).abs() > 1 && !is_of_change && !to_come
}

/// Not later than the day after the page was fetched, where that is known.
pub(crate) fn is_plausible(t: Timestamp, latest: Option<NaiveDate>) -> bool {
    let next = latest.and_then(|day| day.succ_opt());
    next.is_none_or(|next| t.local_day() <= next)
}

/// A day that stands for "no date" counts if readers are shown it or the address has it.
fn is_confirmed(t: Timestamp, others: [Option<Timestamp>; 2]) -> bool {
    let day = t.local_day();
    !SENTINELS.contains(&(day.year(), day.month(), day.day()))
        || others.iter().flatten().any(|o| o.local_day() == day)
}

/// When the page was last changed, as it tells machines.
fn stated_change(facts: &Facts, article: Option<&Map<String, Value>>, order: Order) -> Option<Timestamp> {
    let ld = article.and_then(|a| date(a, "dateModified", order));
    let metas = facts
        .metas
        .iter()
        .filter(|(k, _)| k == "article:modified_time" || k == "og:updated_time");
    ld.or_else(|| metas.filter_map(|(_, v)| parse_stated(v, order)).next())
}

/// What the parts of the page that are made for machines say, the surest first.
fn stated(facts: &Facts, article: Option<&Map<String, Value>>, order: Order) -> Vec<Sourced<Timestamp>> {
    let ld = article.and_then(|a| date(a, "datePublished", order).or_else(|| date(a, "dateCreated", order)));
    let metas = METAS.iter().flat_map(|name| {
        let values = facts.metas.iter().filter(move |(k, _)| k == name);
        values.filter_map(|(_, v)| parse_stated(v, order))
    });
    let items = facts
        .items
        .iter()
        .filter(|(k, _)| k.split(' ').any(|k| k == "datepublished"))
        .filter_map(|(_, v)| parse_stated(v, order));
    let ld = ld.into_iter().map(|t| Sourced::new(t, MetadataSource::JsonLd));
    let metas = metas.map(|t| Sourced::new(t, MetadataSource::Meta));
    let items = items.map(|t| Sourced::new(t, MetadataSource::Microdata));
    ld.chain(metas).chain(items).collect()
}

/// What readers see.
#[derive(Debug)]
struct Shown {
    /// A `<time>` element or a line with a date between headline and text, or around them.
    near: Option<Sourced<Timestamp>>,
    /// A `<time>` element anywhere that is called one of publication.
    labelled: Option<Sourced<Timestamp>>,
    /// The same as `near` elsewhere on the page.
    far: Option<Sourced<Timestamp>>,
    /// When it was changed.
    changed: Option<Sourced<Timestamp>>,
}

fn shown(facts: &Facts, place: &Place<'_>, order: Order) -> Shown {
    let own: Vec<&TimeFact> = facts.times.iter().filter(|t| is_own(t, place, order)).collect();
    let read = |t: &TimeFact| {
        let stated = by_label(t, order).or_else(|| parse_date_as(&t.value, order));
        stated.or_else(|| parse_date_as(&t.text, order))
    };
    let is_change = |t: &TimeFact| is_change(&t.names) || labels_change(t, place, order);
    let time = |inside: &dyn Fn(usize) -> bool, marked: bool| {
        own.iter()
            .filter(|t| inside(t.at) && !is_change(t) && (!marked || t.names.contains("publi")))
            .find_map(|t| read(t))
            .map(|t| Sourced::new(t, MetadataSource::TimeElement))
    };
    let head = |at: usize| (place.from..=place.prose).contains(&at);
    // What stands behind the last paragraph is not near the headline, however short the article is.
    let last = place
        .blocks
        .iter()
        .rposition(|d| d.is_kept() && d.kind.is_body() && d.is_prose())
        .unwrap_or(place.prose);
    let to = place.to().min(last.max(place.prose));
    let near = |at: usize| (place.from..=to).contains(&at);
    // A day that the headline names is what it is about, unless no other line has one.
    let (headlines, others): (Vec<_>, Vec<_>) = place.near().partition(|d| d.kind == BlockKind::Headline);
    let lines: Vec<_> = others
        .into_iter()
        .chain(headlines)
        .filter_map(|d| date_line(d, order))
        .collect();
    let line = || {
        let t = lines.iter().find_map(|l| l.published)?;
        Some(Sourced::new(t, MetadataSource::Element))
    };
    let behind_headline = |at: usize| (place.headline..=place.prose).contains(&at);
    let near_headline = time(&behind_headline, true)
        .or_else(|| time(&behind_headline, false))
        .or_else(|| time(&head, true))
        .or_else(|| time(&head, false))
        .or_else(line)
        .or_else(|| time(&near, true))
        .or_else(|| time(&near, false));
    let labelled = time(&|_| true, true);
    let far = labelled
        .clone()
        .or_else(|| {
            // Far from the headline every story has a date: one that all of them have is the page's.
            let first = time(&|_| true, false)?;
            let others = own.iter().filter(|t| !is_change(t)).filter_map(|t| read(t));
            others
                .into_iter()
                .all(|t| t.local_day() == first.value.local_day())
                .then_some(first)
        })
        .or_else(|| {
            let last = place
                .blocks
                .iter()
                .rposition(|d| d.is_kept() && d.kind.is_body())?;
            let behind = place.blocks.iter().skip(last + 1).take(BEHIND);
            let t = behind
                .filter_map(|d| date_line(d, order))
                .filter(|l| l.is_labelled)
                .find_map(|l| l.published)?;
            Some(Sourced::new(t, MetadataSource::Element))
        });
    let changed = own
        .iter()
        .filter(|t| near(t.at) && is_change(t))
        .find_map(|t| read(t))
        .map(|t| Sourced::new(t, MetadataSource::TimeElement))
        .or_else(|| {
            let t = lines.iter().find_map(|l| l.changed)?;
            Some(Sourced::new(t, MetadataSource::Element))
        });
    Shown {
        near: near_headline,
        labelled,
        far,
        changed,
    }
}

/// The date of an element that shows several and says what each is: "Updated 21 March 2026, published 19 March 2026".
fn by_label(time: &TimeFact, order: Order) -> Option<Timestamp> {
    if time.value != time.text {
        return None;
    }
    let dates = labelled(&time.text, order);
    let published = dates.iter().find(|d| !is_change(&d.label));
    published.filter(|_| dates.len() > 1).map(|d| d.date)
}

/// Blocks behind the text among which a line may say when it was published.
const BEHIND: usize = 8;

/// Whether a `<time>` may be the article's: not in a paragraph that speaks of a day, and in no other story's block.
fn is_own(time: &TimeFact, place: &Place<'_>, order: Order) -> bool {
    let Some(block) = place.blocks.get(time.at) else {
        return true;
    };
    let more = block.chars.saturating_sub(time.text.chars().count());
    let in_prose = block.kind.is_body()
        && (block.is_prose() && more > 60
            || reads_as_prose(block) && more > 24 && date_line(block, order).is_none());
    // A date beside a link is that of what the link leads to.
    let aside = block.removed.as_ref().is_some_and(|r| r.rule.as_str() == "aside");
    let of_link = aside && block.linked > LONGEST_LINKED && block.linked * 4 >= more * 3;
    !in_prose && !of_link && !place.is_of_others(time.at)
}

/// A longer link beside a date, in characters, is no author's name: it leads to another article.
const LONGEST_LINKED: usize = 28;

/// Whether the line around a `<time>` says that it is one of a change.
fn labels_change(time: &TimeFact, place: &Place<'_>, order: Order) -> bool {
    let line = place
        .blocks
        .get(time.at)
        .and_then(|block: &Draft| date_line(block, order));
    let day = || parse_date_as(&time.value, order).map(|t| t.local_day());
    line.is_some_and(|l| l.published.is_none() && l.changed.is_some_and(|c| Some(c.local_day()) == day()))
}

/// A time stated in UTC, beside the day that readers are shown: where the two are neighbouring days, the page
/// is of another zone. The instant stays; its offset becomes the smallest in whole hours that gives the shown
/// day.
pub(crate) fn with_shown_day(stated: Timestamp, shown: Option<Timestamp>) -> Timestamp {
    let (Timestamp::Zoned(instant), Some(shown)) = (stated, shown) else {
        return stated;
    };
    if instant.offset().local_minus_utc() != 0 {
        return stated;
    }
    let days = (shown.local_day() - instant.date_naive()).num_days();
    let hour = i32::try_from(chrono::Timelike::hour(&instant)).unwrap_or(0);
    let hours = match days {
        -1 if hour <= 11 => -(hour + 1),
        1 if hour >= 10 => 24 - hour,
        _ => return stated,
    };
    chrono::FixedOffset::east_opt(hours * 3_600)
        .map_or(stated, |zone| Timestamp::Zoned(instant.with_timezone(&zone)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shown_day_tells_the_zone() {
        let time = |t: &str| parse_date_as(t, Order::DayFirst).unwrap();
        let zoned = with_shown_day(time("2026-03-21T03:10:00Z"), Some(time("2026-03-20")));
        assert_eq!(zoned.local_day().to_string(), "2026-03-20");
        assert_eq!(zoned.instant(), time("2026-03-21T03:10:00Z").instant());
        for other in ["2026-03-21", "2026-03-14"] {
            assert_eq!(
                with_shown_day(time("2026-03-21T03:10:00Z"), Some(time(other))).offset_minutes(),
                Some(0)
            );
        }
    }
}
