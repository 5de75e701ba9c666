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
