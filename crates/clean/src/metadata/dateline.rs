//! Lines that say when something was published or changed.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use copydesk_article::Timestamp;

use super::author_words::words_of;
use crate::dates::{Order, labelled};
use crate::draft::{Draft, End};
use crate::normalise::is_dense_script;

/// Words that say that a date is one of a change: whole words, or characters in scripts without spaces.
static CHANGE: LazyLock<Phrases> = LazyLock::new(|| {
    Phrases::of(&[
        "updated|update|updates|modified|edited|revised|reviewed|corrected|aktualisiert|aktualisierung",
        "geändert|bearbeitet|überarbeitet|stand|mis à jour|mise à jour|modifié|actualisé|actualizado",
        "actualizada|actualización|modificado|modificada|atualizado|atualizada|atualização|editado",
        "aggiornato|aggiornata|aggiornamento|modificato|modifica|bijgewerkt|gewijzigd|laatste update",
        "oppdatert|uppdaterad|uppdaterat|opdateret|päivitetty|muokattu|uppfært|zaktualizowano|aktualizacja",
        "aktualizováno|aktualizované|upraveno|ažurirano|izmjena|posodobljeno|frissítve|frissült|módosítva",
        "actualizat|actualizată|modificat|uuendatud|atnaujinta|atjaunināts|përditësuar|обновлено",
        "обновление|изменено|оновлено|змінено|актуализирана|обновена|ажурирано|ενημερώθηκε|ενημέρωση",
        "τελευταία ενημέρωση|güncelleme|güncellenme|güncellendi|son güncelleme|diperbarui|dikemas kini",
        "kemaskini|cập nhật|تحديث|آخر تحديث|تم التحديث|به‌روزرسانی|بروزرسانی|ویرایش|اپ ڈیٹ|עודכן|עדכון",
        "अपडेट|अपडेटेड|अद्यतन|आखरी अपडेट|অপডেট|আপডেট|புதுப்பிக்கப்பட்டது|నవీకరించబడింది|更新|修正|最終更新|수정|업데이트",
        "อัปเดต|อัพเดต|แก้ไข",
    ])
});

/// Words that say that a date is one of publication.
static PUBLICATION: LazyLock<Phrases> = LazyLock::new(|| {
    Phrases::of(&[
        "published|posted|publication|created|released|issued|veröffentlicht|erschienen|erstellt|publié",
        "publiée|paru|publicado|publicada|pubblicato|pubblicata|gepubliceerd|geplaatst|publisert",
        "publicerad|publicerat|publiceret|julkaistu|opublikowano|dodano|publikováno|vydáno|objavljeno",
        "megjelent|publicat|опубликовано|опубліковано|δημοσίευση|δημοσιεύτηκε|yayınlanma|yayın|giriş",
        "oluşturulma|dipublikasikan|diterbitkan|đăng|نشر|تاریخ انتشار|انتشار|פורסם|प्रकाशित|প্রকাশ",
        "প্রকাশিত|வெளியிடப்பட்டது|发布|發布|发表|公開|掲載|配信|投稿|등록|입력|승인|เผยแพร่",
    ])
});

/// What a line says of the article's dates.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct DateLine {
    pub(crate) published: Option<Timestamp>,
    pub(crate) changed: Option<Timestamp>,
    /// A word says that it is the day of publication.
    pub(crate) is_labelled: bool,
}

/// What a line says, if it is one that gives dates: a sentence that speaks of a day, or of the days from one to another,
/// is none.
pub(crate) fn date_line(draft: &Draft, order: Order) -> Option<DateLine> {
    let short = draft.words <= 18 && draft.chars <= 140;
    let text = match draft.text.split_once(['|', '•', '·']) {
        Some((before, _)) if !short && draft.chars <= 240 => before,
        _ if short => draft.text.as_str(),
        _ => return None,
    };
    let found = labelled(text, order);
    let mut line = DateLine::default();
    for dated in &found {
        if holds(&dated.label, &CHANGE) && !dated.label.contains("publi") {
            line.changed = line.changed.or(Some(dated.date));
            continue;
        }
        let words = dated.label.split(' ').filter(|w| !w.is_empty()).count();
        let sentence = draft.end == End::Sentence && words >= 2 && draft.words >= 6;
        if words > 9 || sentence && !(words <= 6 && holds(&dated.label, &PUBLICATION)) {
            return None;
        }
        line.is_labelled |= holds(&dated.label, &PUBLICATION);
        match line.published {
            None => line.published = Some(dated.date),
            // Two days of which nothing says what they are: what lasts from one to the other.
            Some(first)
                if first.local_day() != dated.date.local_day() && !holds(&dated.label, &PUBLICATION) =>
            {
                return None;
            }
            Some(_) => {}
        }
    }
    (!found.is_empty()).then_some(line)
}

/// Whether the names of an element or the words before a date say that it is one of a change.
pub(crate) fn is_change(names: &str) -> bool {
    let lower: String = names.chars().flat_map(char::to_lowercase).collect();
    let joined = lower.replace(['-', '_'], " ");
    (holds(&joined, &CHANGE) || lower.contains("updated") || lower.contains("modified"))
        && !lower.contains("publi")
}

/// Phrases that are sought all at once.
#[derive(Debug)]
struct Phrases {
    /// `None` if they cannot be compiled, which a test would show: then nothing is found.
    any: Option<AhoCorasick>,
    /// Which of them are of a script without spaces.
    dense: Vec<bool>,
}

impl Phrases {
    fn of(lines: &[&'static str]) -> Self {
        Self {
            any: AhoCorasick::new(words_of(lines)).ok(),
            dense: words_of(lines)
                .map(|phrase| phrase.chars().all(is_dense_script))
                .collect(),
        }
    }
}

/// Whether a text holds one of some phrases as whole words.
fn holds(text: &str, phrases: &Phrases) -> bool {
    let Some(any) = phrases.any.as_ref().filter(|_| !text.is_empty()) else {
        return false;
    };
    any.find_overlapping_iter(text).any(|found| {
        let before = text.get(..found.start()).and_then(|s| s.chars().next_back());
        let after = text.get(found.end()..).and_then(|s| s.chars().next());
        let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() && !is_dense_script(c));
        let dense = phrases.dense.get(found.pattern().as_usize()) == Some(&true);
        dense || !inside(before) && !inside(after)
    })
}

#[cfg(test)]
mod tests {
    use copydesk_article::BlockKind;

    use super::*;

    fn read(text: &str) -> (String, String) {
        let line =
            date_line(&Draft::new(BlockKind::Body, text.to_owned()), Order::DayFirst).unwrap_or_default();
        let day = |t: Option<Timestamp>| t.map_or(String::new(), |t| t.local_day().to_string());
        (day(line.published), day(line.changed))
    }

    #[test]
    fn lines_give_dates() {
        for (text, published, changed) in [
            ("Thursday 19 March 2026, 18.40", "2026-03-19", ""),
            (
                "19 mar 2026 - 18h40 Atualizado em 21 mar 2026 - 9h10",
                "2026-03-19",
                "2026-03-21",
            ),
            (
                "Updated: 21 March 2026 | Published: 19 March 2026",
                "2026-03-19",
                "2026-03-21",
            ),
            ("Last updated 21 March 2026", "", "2026-03-21"),
            ("Stand: 21.03.2026, 18:40 Uhr", "", "2026-03-21"),
            ("更新日：2026年3月21日", "", "2026-03-21"),
            (
                "公開日：2026年3月19日 更新日：2026年3月21日",
                "2026-03-19",
                "2026-03-21",
            ),
            ("Brenmark, 15 March 2026", "2026-03-15", ""),
            ("Published on 19 March 2026.", "2026-03-19", ""),
            ("The fair opens on 14 September 2027.", "", ""),
            ("14 September 2027 – 25 September 2027", "", ""),
            ("No date here", "", ""),
        ] {
            assert_eq!(read(text), (published.to_owned(), changed.to_owned()), "{text}");
        }
    }
}
