//! The densest run of prose: where the article is in the text of a whole page.
//!
//! Every block gets a score: prose earns its words, anything else costs some, and what a rule knows costs
//! more. The article is the run of blocks with the highest sum (the maximum-subsequence form of body text
//! extraction). The headline, a line that says what the page's first line says, opens it; labels that stand
//! together within it are no part of it.

use copydesk_article::{BlockKind, RuleId};

use super::surroundings::heads_end;
use crate::draft::{Draft, End};
use crate::normalise::key;
use crate::rules::{Action, Position, Rules};

const OUTSIDE_WINDOW: RuleId = RuleId::of("outside-window");
const LABEL_RUN: RuleId = RuleId::of("label-run");
const AFTER_END: RuleId = RuleId::of("after-end");

/// Words of prose before which no heading ends an article: the same words stand in menus.
const WORDS_BEFORE_END: usize = 90;
/// How much more a run with a headline is worth.
const HEADLINE_WORTH: f64 = 3.0;

/// Lines that the rules know that a whole page holds at least.
const FEWEST_CHROME: usize = 3;
/// How far before the run its headline may stand, in blocks.
const HEADLINE_REACH: usize = 40;

/// Whether a text is a whole page: many blocks, most of which are labels, and among them what stands on
/// pages and not in articles. A recipe or a list of results is many labels too.
pub(crate) fn is_whole_page(drafts: &[Draft], rules: &Rules) -> bool {
    let is_label = |d: &&Draft| !d.is_prose() && d.words <= 12 && d.end != End::Sentence;
    let labels = drafts.iter().filter(is_label).count();
    if drafts.len() < 30 || labels * 10 < drafts.len() * 5 {
        return false;
    }
    let chrome = drafts
        .iter()
        .filter(is_label)
        .filter(|d| d.rule(rules, Position::Tail).is_some())
        .take(FEWEST_CHROME)
        .count();
    chrome >= FEWEST_CHROME || labels * 10 >= drafts.len() * 9
}

/// What a rule makes of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Known {
    Nothing,
    /// An advert between two paragraphs: says nothing about them.
    Advert,
    Noise,
    /// A heading that ends articles.
    End(RuleId),
}

/// A run of blocks and its score.
#[derive(Debug, Clone, Copy)]
struct Run {
    start: usize,
    end: usize,
    score: f64,
}

/// Takes out every block outside the densest run, and runs of labels in it. Returns the headline, if the page
/// repeats one.
pub(crate) fn keep_densest(drafts: &mut [Draft], title: Option<&str>, rules: &Rules) -> Option<String> {
    let known: Vec<Known> = (0..drafts.len()).map(|i| look_up(drafts, i, rules)).collect();
    let runs = runs(drafts, &known);
    let headlines = headlines(drafts, title);
    let (run, headline) = choose(&runs, &headlines)?;
    let (mut start, end) = (run.start, run.end);
    let mut lead = start..start;
    if let Some(h) = headline {
        if h < start {
            lead = h + 1..start;
        } else {
            start = h;
        }
    }
    let end = stop_at_end(drafts, &known, start, end);
    for (i, draft) in drafts.iter_mut().enumerate() {
        let quiet = known.get(i) == Some(&Known::Nothing);
        let inside = (start..end).contains(&i) || Some(i) == headline;
        // The dek stands between the headline and the byline.
        let dek = lead.contains(&i) && quiet && is_sentence(draft);
        if inside || dek {
            continue;
        }
        match known.get(i) {
            Some(Known::End(rule)) if i == end => draft.remove(rule, None),
            _ if i > end && end < run.end && i < run.end => draft.remove(&AFTER_END, None),
            _ => draft.remove(&OUTSIDE_WINDOW, None),
        }
    }
    drop_label_runs(drafts, &known);
    let draft = drafts.get_mut(headline?)?;
    draft.kind = BlockKind::Headline;
    Some(draft.text.clone())
}

/// Every run of prose, cut where the sum of scores falls to nothing.
fn runs(drafts: &[Draft], known: &[Known]) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut current = Run {
        start: 0,
        end: 0,
        score: 0.0,
    };
    let (mut sum, mut labels) = (0.0_f64, 0_u32);
    for (i, draft) in drafts.iter().enumerate() {
        if sum <= 0.0 {
            if current.score > 0.0 {
                runs.push(current);
            }
            sum = 0.0;
            labels = 0;
            current = Run {
                start: i,
                end: i,
                score: 0.0,
            };
        }
        let own = score(draft, known.get(i).unwrap_or(&Known::Nothing));
        // Many labels in a row are a list of teasers or a menu: each costs more than the one before it.
        labels = if own > 0.0 { 0 } else { labels + 1 };
        sum += if own < -4.0 {
            own - 4.0 * f64::from(labels.saturating_sub(1))
        } else {
            own
        };
        if sum > current.score {
            current.score = sum;
            current.end = i + 1;
        }
    }
    if current.score > 0.0 {
        runs.push(current);
    }
    runs
}

/// The best run, with the headline that stands in its first half or shortly before it. A run with a headline
/// counts for more.
fn choose(runs: &[Run], headlines: &[usize]) -> Option<(Run, Option<usize>)> {
    let headline_of = |run: &Run| {
        let middle = run.start + (run.end - run.start) / 2;
        headlines
            .iter()
            .rev()
            .copied()
            .find(|h| (run.start.saturating_sub(HEADLINE_REACH)..middle.max(run.start + 1)).contains(h))
    };
    let worth = |run: &Run| {
        run.score
            * if headline_of(run).is_some() {
                HEADLINE_WORTH
            } else {
                1.0
            }
    };
    let best = runs.iter().max_by(|a, b| worth(a).total_cmp(&worth(b)))?;
    Some((*best, headline_of(best)))
}

/// Where a heading ends the article within its run, if enough of it stands before.
fn stop_at_end(drafts: &[Draft], known: &[Known], start: usize, end: usize) -> usize {
    let mut words = 0;
    for i in start..end {
        let Some(draft) = drafts.get(i) else { break };
        if words >= WORDS_BEFORE_END && matches!(known.get(i), Some(Known::End(_))) {
            return i;
        }
        if is_sentence(draft) {
            words += draft.words;
        }
    }
    end
}

fn look_up(drafts: &[Draft], at: usize, rules: &Rules) -> Known {
    let Some(hit) = drafts.get(at).and_then(|d| d.rule(rules, Position::Tail)) else {
        return Known::Nothing;
    };
    if hit.rule.action == Action::End && heads_end(drafts, at, &hit) {
        Known::End(hit.rule.id.clone())
    } else if hit.rule.id.as_str().starts_with("advert") {
        Known::Advert
    } else {
        Known::Noise
    }
}

fn is_sentence(draft: &Draft) -> bool {
    (draft.words >= 8 && draft.end == End::Sentence) || draft.words >= 28
}

fn score(draft: &Draft, known: &Known) -> f64 {
    let words = f64::from(u32::try_from(draft.words).unwrap_or(u32::MAX));
    match known {
        Known::Advert => return -1.0,
        Known::Noise | Known::End(_) => return -12.0 - words / 2.0,
        Known::Nothing => {}
    }
    match draft.end {
        End::Sentence if draft.words >= 8 => words,
        End::Colon if draft.words >= 10 => words,
        _ if draft.words >= 28 => words * 0.8,
        End::Sentence => 0.0,
        End::Ellipsis => -8.0,
        _ => -10.0,
    }
}

/// Lines that say the title, or what the page's first lines say without the name of the site.
fn headlines(drafts: &[Draft], title: Option<&str>) -> Vec<usize> {
    let mut wanted: Vec<u64> = title.and_then(key).into_iter().collect();
    if wanted.is_empty() {
        for first in drafts.iter().take(2).filter(|d| d.words >= 4) {
            wanted.push(first.key());
            let mut rest = first.text.as_str();
            for _ in 0..3 {
                let Some((before, _)) = cut_site(rest) else { break };
                wanted.extend(key(before));
                rest = before;
            }
        }
    }
    drafts
        .iter()
        .enumerate()
        .skip(usize::from(title.is_none()))
        .filter(|(_, d)| d.words >= 3 && d.words <= 40 && wanted.contains(&d.key()))
        .map(|(i, _)| i)
        .take(50)
        .collect()
}

/// A title before its last separator.
fn cut_site(text: &str) -> Option<(&str, &str)> {
    [
        " - ", " | ", " – ", " — ", " · ", " • ", " * ", "｜", "ㅣ", "-", "|",
    ]
    .iter()
    .filter_map(|s| text.rsplit_once(s))
    .max_by_key(|(before, _)| before.len())
    .filter(|(before, _)| before.split(' ').count() >= 3 || before.chars().count() >= 12)
}

/// Two labels that follow each other are no sub-headline: teasers, tags, buttons. One alone is left.
fn drop_label_runs(drafts: &mut [Draft], known: &[Known]) {
    let label = |i: usize, d: &Draft| {
        d.kind != BlockKind::Headline
            && (known.get(i) != Some(&Known::Nothing)
                || (matches!(d.end, End::Open | End::Ellipsis) && d.words < 28))
    };
    let mut run: Vec<usize> = Vec::new();
    for i in 0..=drafts.len() {
        match drafts.get(i) {
            Some(d) if !d.is_kept() => {}
            Some(d) if label(i, d) => run.push(i),
            _ => {
                if run.len() >= 2 {
                    for &r in &run {
                        if known.get(r) == Some(&Known::Nothing)
                            && let Some(d) = drafts.get_mut(r)
                        {
                            d.remove(&LABEL_RUN, None);
                        }
                    }
                }
                run.clear();
            }
        }
    }
}
