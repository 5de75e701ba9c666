//! Edits of single articles: scanning errors, other titles, pasted paragraphs.

use std::collections::HashMap;

use serde_json::json;

use super::{Article, Random};

/// Errors of a scanner in `percent` of the characters: of every article, or of copies only.
pub(crate) fn scan(articles: &mut [Article], percent: usize, copies_only: bool, random: &mut Random) {
    for article in articles {
        if copies_only
            && article.record["kind"]
                .as_str()
                .is_some_and(|k| k == "base" || k.starts_with("bg") || k == "tmpl")
        {
            continue;
        }
        for paragraph in &mut article.paragraphs {
            *paragraph = scanned(paragraph, percent, random);
        }
    }
}

fn scanned(text: &str, percent: usize, random: &mut Random) -> String {
    const ALIKE: [(char, &str); 18] = [
        ('e', "c"),
        ('c', "e"),
        ('l', "1"),
        ('i', "l"),
        ('o', "0"),
        ('a', "o"),
        ('h', "b"),
        ('n', "u"),
        ('u', "n"),
        ('m', "rn"),
        ('t', "f"),
        ('f', "t"),
        ('s', "5"),
        ('r', "t"),
        ('v', "y"),
        ('0', "O"),
        ('1', "l"),
        ('5', "S"),
    ];
    let mut out = String::with_capacity(text.len() + text.len() / 20);
    for c in text.chars() {
        // An error rate counts characters that were misread; about every second one still comes out right.
        if random.below(190) >= percent {
            out.push(c);
            continue;
        }
        match random.below(10) {
            0..3 => {}
            3..6 => out.extend([c, ' ']),
            _ => match ALIKE.iter().find(|(from, _)| *from == c) {
                Some((_, to)) => out.push_str(to),
                None if c.is_alphanumeric() => out.push(char::from(b'a' + random.below(26) as u8)),
                None => {}
            },
        }
    }
    out
}

/// Every copy gets the title of some other article.
pub(crate) fn retitle(articles: &mut [Article], random: &mut Random) {
    let titles: Vec<_> = articles.iter().map(|a| a.record["title"].clone()).collect();
    let mut seen: HashMap<String, ()> = HashMap::new();
    for article in articles {
        if seen.insert(article.text("cluster"), ()).is_some() {
            article.record["title"] = titles[random.below(titles.len())].clone();
        }
    }
}

/// Foreign paragraphs, two or three of them, in one article out of `of`; templates are left as they are.
pub(crate) fn paste(articles: &mut [Article], of: usize, scattered: bool, random: &mut Random) {
    let originals: Vec<Vec<String>> = articles.iter().map(|a| a.paragraphs.clone()).collect();
    for i in 1..articles.len() {
        if random.below(of) != 0 || articles[i].record["kind"] == "tmpl" {
            continue;
        }
        let donor = random.below(i);
        let length = 2 + random.below(2);
        if originals[donor].len() < 2 * length
            || articles[donor].text("cluster") == articles[i].text("cluster")
        {
            continue;
        }
        let from = random.below(originals[donor].len() - length);
        let foreign = originals[donor][from..from + length].to_vec();
        if scattered {
            for paragraph in foreign {
                let at = random.below(articles[i].paragraphs.len() + 1);
                articles[i].paragraphs.insert(at, paragraph);
            }
        } else {
            let at = random.below(articles[i].paragraphs.len() + 1);
            articles[i].paragraphs.splice(at..at, foreign);
        }
    }
}

/// Later reports on the same event: one original in four comes again within the next articles, at its own site or another one. It has a title of its
/// own, opens with one or two new paragraphs (names and words of the old ones, in other sentences) in place of the first ones, and has lost a paragraph at times.
pub(crate) fn developing(articles: Vec<Article>, random: &mut Random) -> Vec<Article> {
    let hosts: Vec<_> = articles.iter().map(|a| a.record["host"].clone()).collect();
    let mut later: HashMap<usize, Vec<Article>> = HashMap::new();
    for (i, article) in articles.iter().enumerate() {
        if article.record["kind"] != "base" || article.paragraphs.len() < 6 || random.below(4) != 0 {
            continue;
        }
        let mut paragraphs = article.paragraphs.clone();
        let replaced = 1 + random.below(2);
        let fresh: Vec<String> = (0..replaced)
            .map(|n| told_anew(&paragraphs[n], &paragraphs[n + replaced], random))
            .collect();
        let title: Vec<&str> = fresh[0]
            .split_whitespace()
            .skip(random.below(4))
            .take(8)
            .collect();
        let title = title.join(" ");
        paragraphs.splice(..replaced, fresh);
        if random.below(2) == 0 {
            paragraphs.remove(replaced + random.below(paragraphs.len() - replaced));
        }
        let (from, to) = (random.below(10), random.below(10));
        let digit = |n: usize| char::from(b'0' + n as u8);
        let changed = random.below(paragraphs.len());
        paragraphs[changed] = paragraphs[changed].replace(digit(from), &digit(to).to_string());
        let mut record = article.record.clone();
        record["kind"] = json!("developing");
        record["title"] = json!(title);
        if random.below(2) == 0 {
            record["host"] = hosts[random.below(hosts.len())].clone();
        }
        later
            .entry((i + 5 + random.below(300)).min(articles.len() - 1))
            .or_default()
            .push(Article { record, paragraphs });
    }
    with_later(articles, later)
}

/// The stream with others after the articles of these numbers; ids are given anew.
pub(crate) fn with_later(articles: Vec<Article>, mut later: HashMap<usize, Vec<Article>>) -> Vec<Article> {
    let mut all = Vec::new();
    for (i, article) in articles.into_iter().enumerate() {
        all.push(article);
        all.extend(later.remove(&i).unwrap_or_default());
    }
    for (id, article) in all.iter_mut().enumerate() {
        article.record["id"] = json!(id);
    }
    all
}

/// A new paragraph out of the words of two: pieces of two or three words, every other one of either text, so that names stay and no sentence does.
fn told_anew(one: &str, other: &str, random: &mut Random) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (
        one.split_whitespace().collect(),
        other.split_whitespace().collect(),
    );
    let mut words = vec![
        ["Officials", "Witnesses", "Reporters", "Sources"][random.below(4)],
        "said",
        "later",
        "that",
    ];
    let (mut i, mut j) = (random.below(4), random.below(4));
    while words.len() < 30 + random.below(20) && i + 3 < a.len() && j + 3 < b.len() {
        let piece = 2 + random.below(2);
        words.extend_from_slice(&a[i..i + piece]);
        words.extend_from_slice(&b[j..j + 5 - piece]);
        i += piece + 1 + random.below(2);
        j += 6 - piece + random.below(2);
    }
    words.join(" ")
}

/// Pages that hold two to four other articles whole, anywhere in the stream: the articles come before, after, or both.
pub(crate) fn round_ups(articles: Vec<Article>, count: usize, random: &mut Random) -> Vec<Article> {
    const TITLES: [&str; 6] = [
        "Morning briefing",
        "What you need to know today",
        "The day in brief",
        "News in brief",
        "Five things to start the week",
        "Evening round-up",
    ];
    let total = articles.len();
    let mut pages: HashMap<usize, Vec<Article>> = HashMap::new();
    for n in 0..count {
        let mut paragraphs = Vec::new();
        if random.below(2) == 0 {
            paragraphs.push("Good morning. Here are the stories that our editors picked for you.".to_owned());
        }
        for _ in 0..2 + random.below(3) {
            let item = &articles[random.below(total)];
            if random.below(2) == 0 {
                paragraphs.push(item.title());
            }
            paragraphs.extend(item.paragraphs.iter().cloned());
        }
        let mut record = articles[random.below(total)].record.clone();
        record["kind"] = json!("round_up");
        record["cluster"] = json!(1_000_000 + n);
        record["title"] = json!(TITLES[random.below(TITLES.len())]);
        pages
            .entry(random.below(total))
            .or_default()
            .push(Article { record, paragraphs });
    }
    let mut all = Vec::with_capacity(total + count);
    for (i, article) in articles.into_iter().enumerate() {
        all.extend(pages.remove(&i).unwrap_or_default());
        all.push(article);
    }
    for (id, article) in all.iter_mut().enumerate() {
        article.record["id"] = json!(id);
    }
    all
}
