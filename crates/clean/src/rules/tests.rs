use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::ascii::Facts;

fn rule_of(rules: &Rules, line: &str, position: Position) -> Option<String> {
    let folded = fold_phrase(line);
    rules
        .find(&folded, line.chars().count(), position)
        .map(|h| h.rule.id.to_string())
}

#[test]
fn builtin_rules_compile() {
    Rules::compile(&[BUILTIN]).unwrap();
    assert!(Rules::builtin().rules.len() > 10);
}

#[test]
fn lines_starts_and_insides_match_where_they_may() {
    let rules = Rules::builtin();
    let body = Position::Body;
    assert_eq!(
        rule_of(&rules, "Check Also", body).as_deref(),
        Some("related-marker")
    );
    assert_eq!(
        rule_of(&rules, "» LESEN SIE AUCH: Hafen öffnet wieder", body).as_deref(),
        Some("related-line")
    );
    assert_eq!(rule_of(&rules, "Advertisement", body).as_deref(), Some("advert"));
    assert_eq!(
        rule_of(&rules, "Get the best stories straight to your inbox", body).as_deref(),
        Some("newsletter-within")
    );
    assert_eq!(
        rule_of(&rules, "関連記事", body).as_deref(),
        Some("related-marker")
    );
    // A sentence that merely holds the words, or begins like a longer word, is none.
    assert_eq!(
        rule_of(
            &rules,
            "The minister told reporters to check also the annexes of the treaty.",
            body
        ),
        None
    );
    assert_eq!(rule_of(&rules, "Moreover: nobody came.", body), None);
    // Zones are evidence.
    assert_eq!(
        rule_of(&rules, "4 min read", Position::Head).as_deref(),
        Some("read-time")
    );
    assert_eq!(rule_of(&rules, "4 min read", body), None);
}

#[test]
fn a_file_extends_replaces_and_disables() {
    let own = r#"
        disable = ["advert"]
        [[rule]]
        name = "house-slogan"
        match = "start"
        action = "line"
        phrases = ["The paper that sees the sea"]
    "#;
    let rules = Rules::from_toml(own).unwrap();
    assert_eq!(rule_of(&rules, "Advertisement", Position::Body), None);
    assert_eq!(
        rule_of(&rules, "The paper that sees the sea, since 1901", Position::Body).as_deref(),
        Some("house-slogan")
    );
    assert_eq!(
        rule_of(&rules, "Check also", Position::Body).as_deref(),
        Some("related-marker")
    );
    assert_ne!(rules.version(), Rules::builtin().version());

    let rules = Rules::from_toml(&format!(
        "replace = true\n{}",
        own.replace("disable = [\"advert\"]", "")
    ))
    .unwrap();
    assert_eq!(rule_of(&rules, "Check also", Position::Body), None);
}

#[test]
fn a_wrong_file_says_what_is_wrong() {
    for (text, says) in [
        (
            "[[rule]]\nname = \"A b\"\nmatch = \"line\"\naction = \"line\"\nphrases = [\"x\"]",
            "kebab",
        ),
        (
            "[[rule]]\nname = \"a\"\nmatch = \"line\"\naction = \"line\"\nphrases = []",
            "disable",
        ),
        (
            "[[rule]]\nname = \"a\"\nmatch = \"line\"\naction = \"line\"\nphrases = [\"--\"]",
            "no letter",
        ),
        ("colour = 3", "colour"),
    ] {
        let error = Rules::from_toml(text).unwrap_err().to_string();
        let expected = if says == "kebab" {
            "lower-case letters"
        } else {
            says
        };
        assert!(error.contains(expected), "{error}");
    }
}

/// Short phrases, as a user may have them.
const SHORT: &str = r#"
replace = true
[[rule]]
name = "within"
match = "within"
action = "line"
phrases = ["(app", "o2"]
[[rule]]
name = "start"
match = "start"
action = "line"
phrases = ["tv:", "psst"]
"#;

/// The built-in rules and short ones, with their phrases.
fn some_rules() -> [(Rules, Vec<String>); 2] {
    [BUILTIN, SHORT].map(|text| {
        let file: File = toml::from_str(text).unwrap();
        let phrases = file.rule.into_iter().flat_map(|r| r.phrases);
        (
            Rules::compile(&[text]).unwrap(),
            phrases.filter(|p| p.is_ascii()).collect(),
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever surrounds a phrase, and however it is written: a line that a rule knows is never left out.
    #[test]
    fn no_line_is_left_out_unheard(
        (which, at) in (0..2_usize, any::<prop::sample::Index>()),
        (before, after) in ("|[ -~]{0,9}|[a-z ]{0,70}[ (.]", "|[ -~]{0,9}|[ ).][a-z ]{0,70}"),
        (loud, cut) in any::<(bool, bool)>(),
    ) {
        static RULES: LazyLock<[(Rules, Vec<String>); 2]> = LazyLock::new(some_rules);
        let (rules, phrases) = &RULES[which];
        let mut phrase = at.get(phrases).clone();
        if loud {
            phrase = phrase.to_uppercase();
        }
        if cut {
            phrase.pop();
        }
        let line = format!("{before}{phrase}{after}");
        if Facts::of(&line).is_phrase() && rules.find(&fold_phrase(&line), line.len(), Position::Anywhere).is_some() {
            prop_assert!(rules.may_know(&line), "{line:?}");
        }
    }
}

/// The question would be of no use if it were answered with yes.
#[test]
fn most_lines_are_left_out() {
    let rules = Rules::builtin();
    for line in [
        "The harbour master said on Tuesday that the channel was clear and that ships could enter again.",
        "Two tugs were standing by in the afternoon to pull the ferry clear at high water, he added.",
        "\"It was not the first time,\" a spokeswoman for the port said, \"and it will not be the last.\"",
    ] {
        assert!(!rules.may_know(line), "{line}");
    }
}
