//! docs/site-memory.md states the thresholds that there are.

use copydesk_site::{Guard, MOST_BLOCKS, Params, RULE_VERSION, SIBLINGS};

const DOCUMENT: &str = include_str!("../../../../docs/site-memory.md");

fn section(heading: &str) -> impl Iterator<Item = &'static str> {
    DOCUMENT
        .lines()
        .skip_while(move |line| *line != heading)
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
}

#[test]
fn the_thresholds_are_documented() {
    let Params {
        repeats,
        min_siblings,
        same_title,
        same_text,
        most_words,
        reach,
        menu,
    } = Params::default();
    let expected = [
        ("repeats", repeats as f64),
        ("min_siblings", min_siblings as f64),
        ("same_title", same_title),
        ("same_text", same_text),
        ("most_words", most_words),
        ("reach", reach as f64),
        ("menu", menu as f64),
        ("SIBLINGS", SIBLINGS as f64),
        ("MOST_BLOCKS", MOST_BLOCKS as f64),
        ("RULE_VERSION", f64::from(RULE_VERSION)),
    ];
    let rows: Vec<(&str, f64)> = section("## Thresholds")
        .filter_map(|line| {
            let (name, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
            Some((name, rest.split(" |").next()?.parse().unwrap()))
        })
        .collect();
    assert_eq!(rows, expected);
}

#[test]
fn the_guards_are_documented() {
    for guard in Guard::ALL {
        let row = format!("| `{}` |", guard.as_str());
        assert!(section("## Guards").any(|line| line.starts_with(&row)), "{row}");
    }
}
