//! Traditional Chinese characters and their simplified ones: one text in both scripts is one text.
//!
//! Character by character: 後 and 后, which simplified Chinese writes alike, meet, as 发 stands for 發 and 髮. Words that are
//! chosen otherwise in Taipei and Beijing stay different.

use std::sync::LazyLock;

/// Pairs, with comments: `data/simplified.txt` says where they are from.
const FILE: &str = include_str!("../data/simplified.txt");

/// Ascending by the traditional character.
static PAIRS: LazyLock<Vec<(char, char)>> = LazyLock::new(|| {
    let lines = FILE.lines().filter(|line| !line.starts_with('#'));
    let mut pairs: Vec<(char, char)> = lines
        .flat_map(str::split_whitespace)
        .filter_map(|pair| {
            let mut characters = pair.chars();
            Some((characters.next()?, characters.next()?))
        })
        .collect();
    pairs.sort_unstable();
    pairs
});

/// The simplified form of a character, which is the character itself if it has no other.
pub(crate) fn simplified(c: char) -> char {
    PAIRS
        .binary_search_by_key(&c, |(traditional, _)| *traditional)
        .ok()
        .and_then(|at| PAIRS.get(at))
        .map_or(c, |(_, simplified)| *simplified)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_whole_and_what_is_simplified_stays() {
        assert_eq!(PAIRS.len(), 2_852);
        assert!(PAIRS.iter().all(|(_, to)| simplified(*to) == *to));
        let simple: String = "國際學習體發髮後裏台abc".chars().map(simplified).collect();
        assert_eq!(simple, "国际学习体发发后里台abc");
    }
}
