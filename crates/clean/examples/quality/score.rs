//! The metric of the scorer that belongs to the corpus (score_clean.py).

use std::collections::{BTreeSet, HashMap};

use copydesk_article::{CleanArticle, Reject};
use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization;

/// What is right about a page.
#[derive(Default)]
pub(crate) struct Gold {
    pub(crate) text: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) authors: Vec<String>,
    pub(crate) date: Option<String>,
    pub(crate) lang: Option<String>,
    pub(crate) with: Vec<String>,
    pub(crate) without: Vec<String>,
}

impl Gold {
    pub(crate) fn read(v: &Value) -> Self {
        let list = |k: &str| -> Vec<String> {
            match &v[k] {
                Value::Array(a) => a.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
                Value::String(s) => vec![s.clone()],
                _ => Vec::new(),
            }
        };
        let one = |k: &str| v[k].as_str().filter(|s| !s.is_empty()).map(str::to_owned);
        Self {
            text: one("text"),
            title: one("title"),
            authors: list("authors"),
            date: one("date").as_deref().and_then(day),
            lang: one("lang"),
            with: list("with"),
            without: list("without"),
        }
    }
}

/// What cleaning said.
pub(crate) struct Prediction {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) title: Option<String>,
    pub(crate) authors: Vec<String>,
    pub(crate) date: Option<String>,
    pub(crate) lang: Option<String>,
    pub(crate) removed: Vec<(String, String)>,
}

impl Prediction {
    pub(crate) fn as_json(&self) -> Value {
        json!({"id": self.id, "text": self.text, "title": self.title, "authors": self.authors, "date": self.date, "lang": self.lang})
    }
}

/// CPU time of this thread.
pub(crate) fn cpu() -> std::time::Duration {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    std::time::Duration::new(
        u64::try_from(t.tv_sec).unwrap_or(0),
        u32::try_from(t.tv_nsec).unwrap_or(0),
    )
}

/// Words as Python's `\w+` finds them.
fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|w| !w.is_empty())
        .collect()
}

type Shingles<'t> = HashMap<Vec<&'t str>, usize>;

fn shingles(text: &str) -> Shingles<'_> {
    let words = words(text);
    let mut out = HashMap::new();
    if words.is_empty() {
        return out;
    }
    for i in 0..words.len().saturating_sub(3).max(1) {
        *out.entry(words[i..(i + 4).min(words.len())].to_vec())
            .or_insert(0) += 1;
    }
    out
}

fn counts(gold: &Shingles<'_>, got: &Shingles<'_>) -> (f64, f64, f64) {
    let tp: usize = gold
        .iter()
        .map(|(k, c)| got.get(k).map_or(0, |g| *c.min(g)))
        .sum();
    let fnn = gold.values().sum::<usize>() - tp;
    let fp = got.values().sum::<usize>() - tp;
    let total = (tp + fp + fnn) as f64;
    if total > 0.0 {
        (tp as f64 / total, fp as f64 / total, fnn as f64 / total)
    } else {
        (0.0, 0.0, 0.0)
    }
}

fn fold(s: &str) -> String {
    let s: String = s
        .nfkc()
        .filter_map(|c| match c {
            '’' | '‘' => Some('\''),
            '“' | '”' => Some('"'),
            '–' | '—' => Some('-'),
            '\u{ad}' => None,
            c => Some(c),
        })
        .collect();
    copydesk_article::fold_for_compare(&s)
}

fn names(values: &[String]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for value in values {
        let mut parts = vec![value.clone()];
        for separator in [";", ",", " and ", " und ", " & ", " et ", " y ", "|", "/"] {
            parts = parts
                .iter()
                .flat_map(|p| p.split(separator).map(str::to_owned).collect::<Vec<_>>())
                .collect();
        }
        for part in parts {
            let mut part = fold(&part);
            for opening in ["by", "von", "par", "por", "di", "af", "av", "text"] {
                if let Some(rest) = part.strip_prefix(opening)
                    && rest.starts_with([' ', ':'])
                {
                    part = rest.trim_start_matches([' ', ':']).to_owned();
                    break;
                }
            }
            let part = part.trim_matches([' ', '.', ':', '-']);
            if !part.is_empty() {
                found.insert(part.to_owned());
            }
        }
    }
    found
}

pub(crate) fn day(s: &str) -> Option<String> {
    let day = s.get(..10)?;
    let ok = day.bytes().enumerate().all(|(i, b)| {
        if i == 4 || i == 7 {
            b == b'-'
        } else {
            b.is_ascii_digit()
        }
    });
    ok.then(|| day.to_owned())
}

fn mean(v: &[f64]) -> f64 {
    if v.is_empty() {
        0.0
    } else {
        v.iter().sum::<f64>() / v.len() as f64
    }
}

fn share(label: &str, hits: &[bool]) {
    if !hits.is_empty() {
        println!(
            "  {label:<28} {:.3}   ({} pages)",
            hits.iter().filter(|h| **h).count() as f64 / hits.len() as f64,
            hits.len()
        );
    }
}

/// Prints the table and the worst pages.
pub(crate) fn report(golds: &[(&str, &Gold)], predictions: &[Option<Prediction>], worst: usize) {
    let (mut rows, mut title, mut author, mut date, mut lang, mut wanted, mut leaked) =
        (vec![], vec![], vec![], vec![], vec![], vec![], vec![]);
    let mut bad: Vec<(f64, String)> = Vec::new();
    let mut classes: HashMap<String, (usize, usize)> = HashMap::new();
    let show_wrong = std::env::var("WRONG").unwrap_or_default();
    for ((id, gold), prediction) in golds.iter().zip(predictions) {
        let text = prediction.as_ref().map_or("", |p| p.text.as_str());
        if let Some(g) = &gold.text {
            let (gs, ps) = (shingles(g), shingles(text));
            let row = counts(&gs, &ps);
            bad.push((
                row.1 + row.2,
                format!(
                    "{id}: missed {:.2}, leaked {:.2}\n{}",
                    row.2,
                    row.1,
                    differences(
                        g,
                        text,
                        prediction.as_ref().map_or(&[][..], |p| &p.removed),
                        &mut classes
                    )
                ),
            ));
            rows.push(row);
        }
        if !gold.with.is_empty() {
            let folded = fold(text);
            let (mut m, mut l) = (vec![], vec![]);
            for s in &gold.with {
                let hit = folded.contains(&fold(s));
                wanted.push(hit);
                if !hit {
                    m.push(s.as_str());
                }
            }
            for s in &gold.without {
                let hit = folded.contains(&fold(s));
                leaked.push(hit);
                if hit {
                    l.push(s.as_str());
                }
            }
            if m.len() + l.len() > 0 {
                bad.push((
                    (m.len() + l.len()) as f64,
                    format!("{id}: missed {m:?}\n    leaked {l:?}"),
                ));
            }
        }
        let p = prediction.as_ref();
        let wrong = |what: &str, ok: bool, gold: &dyn std::fmt::Debug, got: &dyn std::fmt::Debug| {
            if !ok && (show_wrong == what || show_wrong == "all") {
                println!("    {what} {id}\n      gold {gold:?}\n      got  {got:?}");
            }
            ok
        };
        if let Some(t) = &gold.title {
            let got = p.and_then(|p| p.title.as_deref());
            title.push(wrong("title", fold(t) == fold(got.unwrap_or("")), t, &got));
        }
        if !gold.authors.is_empty() {
            let got = p.map_or(&[][..], |p| &p.authors);
            author.push(wrong(
                "authors",
                names(&gold.authors) == names(got),
                &gold.authors,
                &got,
            ));
        }
        if let Some(d) = &gold.date {
            let got = p.and_then(|p| p.date.as_ref());
            date.push(wrong("date", Some(d) == got, d, &got));
        }
        if let Some(l) = &gold.lang {
            let got = p.and_then(|p| p.lang.as_deref());
            lang.push(wrong("lang", got.unwrap_or("").get(..2) == Some(l), l, &got));
        }
    }
    if !rows.is_empty() {
        let ps: Vec<f64> = rows
            .iter()
            .filter(|r| r.0 + r.1 > 0.0)
            .map(|r| r.0 / (r.0 + r.1))
            .collect();
        let rs: Vec<f64> = rows
            .iter()
            .filter(|r| r.0 + r.2 > 0.0)
            .map(|r| r.0 / (r.0 + r.2))
            .collect();
        let (p, r) = (mean(&ps), mean(&rs));
        println!(
            "  body precision / recall / F1   {p:.3} / {r:.3} / {:.4}   ({} pages)",
            2.0 * p * r / (p + r),
            rows.len()
        );
    }
    share("wanted snippets found", &wanted);
    share("unwanted snippets leaked", &leaked);
    if !wanted.is_empty() {
        let tp = wanted.iter().filter(|h| **h).count() as f64;
        let fp = leaked.iter().filter(|h| **h).count() as f64;
        println!(
            "  {:<28} {:.3}",
            "snippet F1",
            2.0 * tp / (2.0 * tp + fp + wanted.len() as f64 - tp)
        );
    }
    share("title exact", &title);
    share("authors exact (as a set)", &author);
    share("date exact (day)", &date);
    share("language", &lang);
    if worst > 0 {
        let mut classes: Vec<_> = classes.into_iter().collect();
        classes.sort_by_key(|c| std::cmp::Reverse(c.1.1));
        for (class, (lines, words)) in classes.iter().take(25) {
            println!("  {words:>6} words in {lines:>4} lines  {class}");
        }
    }
    bad.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (_, what) in bad.iter().take(worst) {
        println!("  {what}");
    }
}

/// The lines of either text whose 4-grams are mostly not in the other; for a missed line the rule that
/// took it out. `classes` collects words lost by rule.
fn differences(
    gold: &str,
    got: &str,
    removed: &[(String, String)],
    classes: &mut HashMap<String, (usize, usize)>,
) -> String {
    let (gs, ps) = (shingles(gold), shingles(got));
    let removed: Vec<(Shingles<'_>, &str)> = removed.iter().map(|(t, r)| (shingles(t), r.as_str())).collect();
    let mut out = String::new();
    for (text, other, mark) in [(gold, &ps, '-'), (got, &gs, '+')] {
        let mut shown = 0;
        for line in text.lines() {
            let own = shingles(line);
            let total: usize = own.values().sum();
            let both: usize = own.keys().filter(|k| other.contains_key(*k)).count();
            let n = words(line).len();
            let short = n < 4
                && other
                    .keys()
                    .any(|k| k.windows(n.max(1)).any(|w| w == words(line)));
            if total > 0 && (both as f64) < 0.4 * total as f64 && !short {
                let rule = if mark == '-' {
                    let rule = removed
                        .iter()
                        .map(|(s, r)| (own.keys().filter(|k| s.contains_key(*k)).count(), *r))
                        .max_by_key(|(n, _)| *n)
                        .filter(|(n, _)| *n * 3 >= total.min(12))
                        .map_or("NOT FOUND", |(_, r)| r);
                    rule.to_owned()
                } else if n <= 4 {
                    "leak: up to 4 words".to_owned()
                } else if n <= 14 {
                    "leak: 5 to 14 words".to_owned()
                } else {
                    "leak: longer".to_owned()
                };
                let class = classes.entry(rule.clone()).or_default();
                class.0 += 1;
                class.1 += n;
                shown += 1;
                if shown <= 8 {
                    out.push_str(&format!(
                        "    {mark} [{rule}] {}\n",
                        line.chars().take(110).collect::<String>()
                    ));
                }
            }
        }
        if shown > 8 {
            out.push_str(&format!("    {mark} and {} more\n", shown - 8));
        }
    }
    out
}

/// Prints every block of an article.
pub(crate) fn show(result: &Result<CleanArticle, Reject>) {
    match result {
        Err(reject) => println!("{reject}"),
        Ok(clean) => {
            for b in &clean.blocks {
                let rule = b.removed.as_ref().map_or(String::new(), |r| {
                    format!("{} {:?}", r.rule, r.evidence.as_deref().unwrap_or(""))
                });
                println!(
                    "{} {:<12} {:<28} {}",
                    if b.is_kept() { ' ' } else { '-' },
                    b.kind.as_str(),
                    rule,
                    b.text.chars().take(200).collect::<String>()
                );
            }
            println!("{:#?}\n{:?}", clean.metadata, clean.warnings);
        }
    }
}
