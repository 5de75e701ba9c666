//! How site memory grows with the pages of a site.
//!
//! A site is a real page: its lines that are not in the gold text are the template. Each article of the site
//! is invented and stands where the gold text stood. Both are known exactly, so precision and recall of the
//! kept words are counted plainly.

use std::collections::HashSet;
use std::fmt::Write as _;

use copydesk_site::apply;

use crate::Options;
use crate::site::Store;

/// Pages a site.
const STOPS: [usize; 8] = [1, 2, 3, 5, 10, 20, 50, 100];

#[derive(Default, Clone, Copy)]
struct Sum {
    articles: f64,
    precision: f64,
    recall: f64,
}

pub(crate) fn run(options: &Options) {
    let templates: Vec<(Vec<String>, Vec<String>)> = crate::read(&options.file)
        .filter_map(|page| {
            let text = page["text"].as_str()?;
            let gold: HashSet<&str> = page["gold"]["text"].as_str()?.lines().map(str::trim).collect();
            let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
            let first = lines.iter().position(|l| gold.contains(l))?;
            let last = lines.iter().rposition(|l| gold.contains(l))?;
            let own = |l: &&&str| !gold.contains(**l);
            let head = lines[..first]
                .iter()
                .filter(own)
                .map(|l| (*l).to_owned())
                .collect();
            let tail = lines[last + 1..]
                .iter()
                .filter(own)
                .map(|l| (*l).to_owned())
                .collect();
            Some((head, tail))
        })
        .step_by(10)
        .collect();
    let mut rules = [Sum::default(); STOPS.len()];
    let mut memory = [Sum::default(); STOPS.len()];
    for (number, (head, tail)) in templates.iter().enumerate() {
        let site = format!("site{number}.example");
        let mut store = Store::new();
        let mut words = Words(number as u64 + 1);
        let mut own = Vec::new();
        for page in 0..STOPS[STOPS.len() - 1] {
            let body: Vec<String> = (0..8).map(|_| words.paragraph()).collect();
            let title = words.words(9);
            let text = [head.join("\n"), title.clone(), body.join("\n"), tail.join("\n")].join("\n");
            let url = format!("https://{site}/{page}");
            own.push(body.join(" "));
            if store
                .insert(Some(&site), Some(&url), Some(&title), &text)
                .is_none()
            {
                own.pop();
            }
            let Some(stop) = STOPS.iter().position(|s| *s == page + 1) else {
                continue;
            };
            for (article, own) in own.iter().enumerate() {
                let decision = store.decide(article, true, &options.params);
                let clean = &store.articles[article].clean;
                count(&mut rules[stop], own, &clean.body());
                count(&mut memory[stop], own, &apply(clean, &decision).body());
            }
        }
    }
    println!(
        "{} sites\npages  rules: precision recall   with site memory: precision recall",
        templates.len()
    );
    for (stop, (r, m)) in STOPS.iter().zip(rules.iter().zip(&memory)) {
        println!(
            "{stop:>5}         {:.3}    {:.3}                   {:.3}    {:.3}",
            r.precision / r.articles,
            r.recall / r.articles,
            m.precision / m.articles,
            m.recall / m.articles
        );
    }
}

fn count(sum: &mut Sum, own: &str, kept: &str) {
    let own: HashSet<&str> = own.split_whitespace().collect();
    let kept: Vec<&str> = kept.split_whitespace().collect();
    let good = kept.iter().filter(|w| own.contains(**w)).count() as f64;
    let found: HashSet<&str> = kept.iter().copied().filter(|w| own.contains(w)).collect();
    sum.articles += 1.0;
    sum.precision += if kept.is_empty() {
        1.0
    } else {
        good / kept.len() as f64
    };
    sum.recall += found.len() as f64 / own.len() as f64;
}

/// Words of syllables from a seed.
struct Words(u64);

impl Words {
    fn words(&mut self, n: usize) -> String {
        const SYLLABLES: [&str; 16] = [
            "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "ve",
        ];
        let mut out = String::new();
        for n in 0..n {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let bits = self.0 >> 33;
            let syllable = |shift: u32| SYLLABLES[(bits >> shift) as usize & 15];
            let _ = write!(
                out,
                "{}{}{}{}{}",
                if n > 0 { " " } else { "" },
                syllable(0),
                syllable(4),
                syllable(8),
                syllable(12)
            );
        }
        out
    }

    fn paragraph(&mut self) -> String {
        format!("{}.", self.words(35))
    }
}
