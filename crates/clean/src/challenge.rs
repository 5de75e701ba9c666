//! Pages that a server sends in an article's place with status 200: errors, blocks, bot checks, consent, maintenance, log-in.
//!
//! In: what cleaning has left of a page or text. Out: which kind of such page it is, or nothing. No single sign decides:
//! a court's "access denied" is news, and a ferry has maintenance. Signs are added up ([`weigh`]) and only a short text
//! is looked at, so an unknown page stays an article rather than an article being lost.

use std::collections::HashMap;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use copydesk_article::{Metadata, MetadataSource, RawArticle, RawBody, Reason, Reject, Stage};

use crate::draft::Draft;
use crate::normalise::{fold_phrase, is_dense_script, is_terminal};

/// The kinds, in the order in which they are preferred where they have equal weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    BotCheck,
    Blocked,
    Maintenance,
    Login,
    Consent,
    Error,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::BotCheck,
        Self::Blocked,
        Self::Maintenance,
        Self::Login,
        Self::Consent,
        Self::Error,
    ];

    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "botcheck" => Self::BotCheck,
            "blocked" => Self::Blocked,
            "maintenance" => Self::Maintenance,
            "login" => Self::Login,
            "consent" => Self::Consent,
            "error" => Self::Error,
            _ => return None,
        })
    }

    const fn reason(self) -> Reason {
        match self {
            Self::BotCheck => Reason::BotCheck,
            Self::Blocked => Reason::BlockedPage,
            Self::Maintenance => Reason::MaintenancePage,
            Self::Login => Reason::LoginPage,
            Self::Consent => Reason::ConsentPage,
            Self::Error => Reason::ErrorPage,
        }
    }
}

/// A body with more words than this is never looked at.
const MOST_WORDS: usize = 250;
/// A body with no more words than this is short, which is a sign.
const SHORT: usize = 60;
/// A title with more bytes than this is none of the list, site name included.
const LONGEST_TITLE: usize = 120;
/// The sum of signs from which a page is refused.
const NEEDED: i32 = 4;
/// The most blocks that are looked at where nothing of the page was kept.
const MOST_BLOCKS: usize = 60;

/// The lists of `phrases.txt`.
struct Lists {
    titles: HashMap<String, Kind>,
    phrases: AhoCorasick,
    kinds: Vec<Kind>,
    trade: AhoCorasick,
    tokens: Vec<(Kind, String)>,
}

static LISTS: LazyLock<Option<Lists>> = LazyLock::new(|| Lists::read(include_str!("challenge/phrases.txt")));

impl Lists {
    fn read(text: &str) -> Option<Self> {
        let (mut titles, mut phrases, mut kinds) = (HashMap::new(), Vec::new(), Vec::new());
        let (mut trade, mut tokens) = (Vec::new(), Vec::new());
        let mut head = ("", None);
        for line in text.lines().filter(|l| !l.starts_with('#')) {
            let Some(entries) = line.strip_prefix("    ") else {
                let (list, kind) = line.split_once(' ').unwrap_or((line, ""));
                head = (list, Kind::from_name(kind));
                continue;
            };
            for entry in entries.split(" | ") {
                match head {
                    ("title", Some(kind)) => {
                        titles.entry(fold_phrase(entry)).or_insert(kind);
                    }
                    ("phrase", Some(kind)) => {
                        phrases.push(fold_phrase(entry));
                        kinds.push(kind);
                    }
                    ("token", Some(kind)) => tokens.push((kind, entry.to_owned())),
                    ("trade", None) => trade.push(fold_phrase(entry)),
                    _ => return None,
                }
            }
        }
        let automaton = |patterns: &[String]| {
            AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .build(patterns)
                .ok()
        };
        Some(Self {
            titles,
            phrases: automaton(&phrases)?,
            kinds,
            trade: automaton(&trade)?,
            tokens,
        })
    }

    /// The kind of page that has this title.
    fn title(&self, title: &str) -> Option<Kind> {
        if title.len() > LONGEST_TITLE {
            return None;
        }
        let whole = std::iter::once(title);
        let parts = title.split(['|', '-', '–', '—', '·', '•', '»', '«', ':', '/']);
        whole.chain(parts).find_map(|part| {
            let folded = fold_phrase(part);
            let named = self.titles.get(&folded).copied();
            named.or_else(|| self.numbered(&folded))
        })
    }

    /// "404", "error 503", "502 bad gateway": the number of an HTTP error, alone or with its name.
    fn numbered(&self, folded: &str) -> Option<Kind> {
        let mut kind = None;
        let mut rest = Vec::new();
        for word in folded.split([' ', '(', ')', ',', '.']).filter(|w| !w.is_empty()) {
            match word.trim_start_matches('#').parse::<u16>() {
                Ok(401 | 403 | 429 | 451) => kind = kind.or(Some(Kind::Blocked)),
                Ok(400..=599) => kind = kind.or(Some(Kind::Error)),
                _ if matches!(
                    word,
                    "error"
                        | "http"
                        | "code"
                        | "status"
                        | "fehler"
                        | "erreur"
                        | "erro"
                        | "errore"
                        | "fout"
                        | "ошибка"
                        | "błąd"
                        | "hata"
                        | "خطأ"
                ) => {}
                _ => rest.push(word),
            }
        }
        let kind = kind?;
        if rest.is_empty() {
            return Some(kind);
        }
        self.titles.get(&rest.join(" ")).copied()
    }
}

/// What was found in a text.
#[derive(Debug, Default)]
struct Signs {
    title: Option<Kind>,
    token: Option<Kind>,
    /// Distinct phrases.
    phrases: Vec<(usize, Kind)>,
    words: usize,
    sentences: usize,
    /// Sentences that hold a phrase or a word of the trade.
    of_trade: usize,
    /// Words of blocks that hold neither a title, a phrase nor a word of the trade.
    other_words: usize,
    /// Those of them that stand in whole sentences.
    other_prose: usize,
    /// The page itself says when it was published, or who wrote it.
    dated: bool,
    signed: bool,
    /// Cleaning has kept nothing of it: it is refused whatever it is.
    nothing_kept: bool,
}

/// Refuses a page that was sent in an article's place. `None`: it may be an article.
pub(crate) fn refuse(raw: &RawArticle, metadata: &Metadata, drafts: &[Draft]) -> Option<Reject> {
    let body = || drafts.iter().filter(|d| d.is_kept() && d.kind.is_body());
    let words: usize = body().map(|d| d.words).sum();
    if words > MOST_WORDS {
        return None;
    }
    let title = metadata.title.as_ref().map_or("", |t| t.value.as_str());
    // A text has no source to look into: past some length it takes a title that is short enough for the list.
    if words > SHORT && matches!(raw.body, RawBody::Text(_)) && (title.is_empty() || title.len() > 48) {
        return None;
    }
    let lists = LISTS.as_ref()?;
    let mut signs = Signs {
        words,
        nothing_kept: body().next().is_none(),
        dated: metadata.published_at.as_ref().is_some_and(|t| stated(t.source)),
        signed: metadata.authors_source.is_some_and(stated),
        ..Signs::default()
    };
    signs.title = lists.title(title);
    if let RawBody::Html(html) = &raw.body {
        signs.title = signs.title.or_else(|| lists.title(&title_element(html)));
        let token = lists
            .tokens
            .iter()
            .find(|(_, t)| memchr::memmem::find(html.as_bytes(), t.as_bytes()).is_some());
        signs.token = token.map(|(kind, _)| *kind);
    }
    let all = signs.nothing_kept;
    for draft in drafts.iter().filter(|d| all || d.is_kept()).take(MOST_BLOCKS) {
        signs.read(draft, lists);
    }
    let kind = signs.kind()?;
    if !signs.nothing_kept && weigh(&signs) < NEEDED {
        return None;
    }
    let named = [
        (signs.title.is_some(), "its title"),
        (signs.token.is_some(), "its source"),
    ];
    let mut named: Vec<String> = named
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, name)| (*name).to_owned())
        .collect();
    if !signs.phrases.is_empty() {
        named.push(format!("{} of its phrases", signs.phrases.len()));
    }
    let detail = format!(
        "a page in an article's place, by {}; {words} words",
        named.join(" and ")
    );
    Some(Reject::new(Stage::Clean, kind.reason(), detail))
}

/// Adds up the signs.
fn weigh(signs: &Signs) -> i32 {
    let weights = [
        (signs.title.is_some(), 2),
        (signs.token.is_some(), 2),
        (!signs.phrases.is_empty(), 2),
        (signs.phrases.len() > 1, 2),
        (signs.words <= SHORT, 1),
        // It speaks of nothing else.
        (signs.other_words <= 4, 2),
        (signs.of_trade * 2 >= signs.sentences, 1),
        (signs.other_prose > 20, -2),
        (signs.other_prose > 80, -2),
        (signs.dated, -2),
        (signs.signed, -1),
    ];
    weights
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, weight)| weight)
        .sum()
}

/// Whether the page has stated it in data that is made for articles.
const fn stated(source: MetadataSource) -> bool {
    matches!(
        source,
        MetadataSource::JsonLd | MetadataSource::Meta | MetadataSource::Microdata | MetadataSource::Engine
    )
}

impl Signs {
    fn read(&mut self, draft: &Draft, lists: &Lists) {
        let title = lists.title(&draft.text);
        if let Some(kind) = title {
            self.title = self.title.or(Some(kind));
            return;
        }
        // Folding takes the quotation mark at the very beginning.
        let mut quoted = draft.text.starts_with(['"', '“', '„', '«']);
        for sentence in sentences(draft.folded()) {
            let mut found = 0;
            for hit in lists
                .phrases
                .find_iter(sentence)
                .filter(|h| begins_word(sentence, h.start()))
            {
                // Quoted speech is reported.
                if quoted != sentence.get(..hit.start()).is_some_and(in_quotes) {
                    continue;
                }
                found += hit.len();
                let pattern = hit.pattern().as_usize();
                if let Some(kind) = lists.kinds.get(pattern)
                    && self.phrases.iter().all(|(p, _)| *p != pattern)
                {
                    self.phrases.push((pattern, *kind));
                }
            }
            quoted ^= in_quotes(sentence);
            let trade = found > 0
                || lists
                    .trade
                    .find_iter(sentence)
                    .any(|h| begins_word(sentence, h.start()));
            let words = words(sentence);
            self.sentences += 1;
            self.of_trade += usize::from(trade);
            // A phrase that is quoted in a long sentence does not make the sentence one of such a page.
            if found * 4 < sentence.len() {
                self.other_words += words;
                if words >= 6 {
                    self.other_prose += words;
                }
            }
        }
    }

    /// The kind that most speaks for. `None`: there is no sign of any.
    fn kind(&self) -> Option<Kind> {
        let weight = |kind: Kind| {
            let phrases = self.phrases.iter().filter(|(_, k)| *k == kind).count();
            let one = |found: Option<Kind>| 2 * usize::from(found == Some(kind));
            phrases + one(self.title) + one(self.token)
        };
        // The last of equals is what `max_by_key` answers with; the first is preferred.
        let best = Kind::ALL.into_iter().rev().max_by_key(|kind| weight(*kind))?;
        (weight(best) > 0).then_some(best)
    }
}

/// Whether no letter stands before this place, except of a script that writes without spaces.
fn begins_word(text: &str, at: usize) -> bool {
    let before = text.get(..at).and_then(|t| t.chars().next_back());
    before.is_none_or(|c| !c.is_alphanumeric() || is_dense_script(c))
}

/// Whether a quotation that begins in this text is still open at its end.
fn in_quotes(text: &str) -> bool {
    text.matches('"').count() % 2 == 1
}

fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(is_terminal)
        .map(str::trim)
        .filter(|s| s.chars().any(char::is_alphanumeric))
}

fn words(text: &str) -> usize {
    let dense = text.chars().filter(|c| is_dense_script(*c)).count();
    text.split_whitespace().count() + dense / 2
}

/// The text of the page's title element, as it stands there.
fn title_element(html: &str) -> String {
    let head = html.get(..html.floor_char_boundary(65_536)).unwrap_or(html);
    let at = head.find("<title").or_else(|| head.find("<TITLE"));
    let found = at.and_then(|at| {
        let (_, text) = head.get(at..)?.split_once('>')?;
        text.split('<').next()
    });
    found
        .unwrap_or_default()
        .trim()
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
pub(crate) fn lists_are_read() -> bool {
    LISTS.is_some()
}
