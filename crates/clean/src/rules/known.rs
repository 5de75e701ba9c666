//! The names that `disable` of a rules file may use.

use super::RulesError;
use super::file::File;

/// The rules that the code itself applies (docs/cleaning.md lists them).
pub(super) const OF_CODE: [&str; 23] = [
    "code",
    "outside-article",
    "page-chrome",
    "hidden",
    "aside",
    "teaser-card",
    "link-list",
    "not-in-stated-body",
    "outside-window",
    "label-run",
    "after-end",
    "related-item",
    "dangling-heading",
    "byline",
    "date-line",
    "repeated-title",
    "repeated-line",
    "repeated-text",
    "repeated-caption",
    "cut-mark",
    "author-note",
    "share-counter",
    "no-words",
];

/// Whether each name is that of a rule of the files read so far, of the code, or of a sign.
pub(super) fn check(names: &[String], so_far: &File) -> Result<(), RulesError> {
    if names.is_empty() {
        return Ok(());
    }
    let mut known: Vec<&str> = OF_CODE.to_vec();
    for sign in crate::signs::names() {
        known.push(sign);
    }
    known.extend(so_far.rule.iter().map(|r| r.name.as_str()));
    known.extend(so_far.widget.iter().map(|w| w.name.as_str()));
    let Some(name) = names.iter().find(|n| !known.contains(&n.as_str())) else {
        return Ok(());
    };
    let nearest = known.iter().min_by_key(|k| (distance(name, k), **k));
    Err(RulesError::Unknown {
        name: name.clone(),
        nearest: nearest.map_or_else(String::new, |k| (*k).to_owned()),
    })
}

/// How many letters have to be put in, taken out or changed to make one name of another.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (y, slot) in b.iter().zip(row.iter_mut().skip(1)) {
            let above = *slot;
            let changed = diagonal + usize::from(x != *y);
            left = changed.min(above + 1).min(left + 1);
            diagonal = above;
            *slot = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted() {
        assert_eq!(distance("info-bx", "info-box"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
