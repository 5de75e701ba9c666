//! docs/cleaning.md lists exactly the rules that there are.

use super::*;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// Rules of the file, rules of the code, and signs.
fn existing() -> BTreeSet<String> {
    let rules = cleaner().rules();
    let mut names: BTreeSet<String> = rules.rules.iter().map(|r| r.id.to_string()).collect();
    names.extend(rules.widgets.iter().map(ToString::to_string));
    let mut files = Vec::new();
    // Site memory takes blocks out as well, under a rule of its own.
    for folder in ["src", "../site/src"] {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut files);
    }
    for file in files {
        let code = std::fs::read_to_string(file).unwrap();
        for part in code.split("= RuleId::of(\"").skip(1) {
            names.extend(part.split('"').next().map(str::to_owned));
        }
    }
    names.extend(crate::signs::names().map(str::to_owned));
    names
}

#[test]
fn every_rule_and_sign_can_be_switched_off_by_its_name() {
    // Site memory has a setting of its own.
    for name in existing().into_iter().filter(|n| n != "site-memory") {
        let file = format!("disable = [{name:?}]");
        assert!(Rules::from_toml(&file).is_ok(), "{name}");
    }
}

#[test]
fn the_rules_are_documented() {
    let doc = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cleaning.md");
    let doc = std::fs::read_to_string(doc).unwrap();
    let section = doc
        .split("\n## ")
        .find(|s| s.starts_with("Rules\n"))
        .unwrap()
        .split("### Your own rules")
        .next()
        .unwrap();
    let listed: BTreeSet<String> = section
        .lines()
        .filter(|l| l.starts_with("| `"))
        .filter_map(|l| l.split('|').nth(1))
        .flat_map(|cell| {
            cell.split('`')
                .skip(1)
                .step_by(2)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(listed, existing());
}
