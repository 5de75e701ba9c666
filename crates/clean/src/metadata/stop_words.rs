//! The language of a text by its commonest words: a few microseconds where trigrams take two hundred.
//!
//! Function words make up a third to a half of running text in most languages, and each language has its own. A text is
//! told by them only if one language leads by far; everything else (short texts, sister languages such as Norwegian and
//! Danish, languages that are not listed) is left to the slower detector. Languages are listed here either to be told or
//! to keep a neighbour from being told in their place.

use std::sync::LazyLock;

use crate::ascii::any_run_of_letters;
use crate::draft::Draft;

/// Code and commonest words. The order has no meaning.
const LANGUAGES: [(&str, &str); 28] = [
    (
        "en",
        "the of and to in a is that for it was on with as his he be at by had not are but from have an they which you were her she there would their been has when who will more if out said what about than them can other after also its this we",
    ),
    (
        "de",
        "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch man sein wurde",
    ),
    (
        "fr",
        "le de la et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont avec ont ses mais comme on nous elle été aux cette leur ou être deux ces fait entre après aussi son sa lui dont où était",
    ),
    (
        "es",
        "de la que el en y a los se del las un por con no una su para es al lo como más pero sus le ya o fue este ha sí porque esta son entre cuando muy sin sobre también me hasta hay donde han quien desde todo nos durante uno ni contra ese eso",
    ),
    (
        "it",
        "di e il la che in a per un è del non con le si una i da sono della ha al dei nel più come gli alla anche lo ma delle o se nella su ad ed era dal stato due dopo questo hanno suo sua dalla cui essere tra fra quando degli",
    ),
    (
        "pt",
        "de a o que e do da em um para com não uma os no se na por mais as dos como mas ao ele das à seu sua ou quando muito nos já eu também só pelo pela até isso ela entre depois sem mesmo aos seus quem nas foi são está ser tem",
    ),
    (
        "gl",
        "de a o que e do da en un para con non unha os no se na por máis as dos como pero ao el das á seu súa ou cando moi nos xa tamén só polo pola ata iso ela entre despois sen mesmo aos seus quen nas foi son está ser ten",
    ),
    (
        "ca",
        "de la i el que a en els les un per una del amb no és se al ha va més com es dels són pel l'any seva seu o però aquest aquesta han entre també ja fins quan sobre ser hi molt pels tot dos sense",
    ),
    (
        "nl",
        "de van het een en in is dat op te voor met zijn die niet aan er om ook als dan maar bij nog uit door over naar heeft worden hebben werd wordt tot je ze zich hij was deze geen kan meer al zo wat of haar moet ik",
    ),
    (
        "af",
        "die van en in is het dat om te nie 'n op vir wat met as aan hy sy was ook deur word by sal daar een ek maar hulle kan ons uit tot nog hul baie jy toe",
    ),
    (
        "sv",
        "och i att det som en på är av för med till den har de inte om ett han men var jag sig från vi så kan när år under också efter eller nu sin där vid mot ska skulle kommer ut får finns vara hade alla andra mycket än här då sedan över",
    ),
    (
        "da",
        "og i at det er en til på som for de med af den har ikke et der han var men om vi jeg fra så kan sig nu efter også være blev ved have eller hun ud over skal når dem havde hvor alle mod blive deres kun",
    ),
    (
        "no",
        "og i at det er en til på som for de med av den har ikke et han var men om vi jeg fra så kan seg nå etter også være ble ved ha eller hun ut over skal når dem hadde hvor alle mot bli deres bare sier",
    ),
    (
        "fi",
        "ja on ei että se oli hän mutta myös ovat kun kuin joka tai mukaan sen vuoden ole hänen vain jo ne niin sitä olisi noin voi jos mitä sekä ollut enää tämä tämän vielä jotka",
    ),
    (
        "pl",
        "w i na z że się do nie to jest o za od po jak przez dla ale co jego są już oraz może tak tym był było ich tylko przed jej też przy będzie która który które ma lub została czy pod bardzo",
    ),
    (
        "cs",
        "a v se na je že o s z do i to k ve pro za by ale si po jako od jsem které který jeho také až byl jsou podle už jeho nebo být která bylo má ze jen při však",
    ),
    (
        "sk",
        "a v sa na je že o s z do aj to k vo pre za by ale si po ako od som ktoré ktorý jeho tiež až bol sú podľa už alebo byť ktorá bolo má zo len pri však",
    ),
    (
        "hu",
        "a az és hogy nem is egy meg ez de csak volt már még el azt mint ha vagy szerint kell aki ki lesz sem után majd pedig ami között minden arra",
    ),
    (
        "ro",
        "de și în a la cu care pe nu din o că mai un se pentru este sau fost sunt au ce prin al fi cel după dar această le lui ale ar dintre până când fiind",
    ),
    (
        "tr",
        "ve bir bu için da de ile olarak en çok olan daha gibi kadar sonra ise değil ne var o her diye ki göre iki ancak veya olduğunu yeni oldu büyük son",
    ),
    (
        "hr",
        "i u je na se da za su od s o kao što nije koji a bi ne koja iz do ali će po koje to ili samo nakon više biti još prema već kako zbog",
    ),
    (
        "sl",
        "in v je na se da za so z ki s po pa bi tudi od ne ni kot o iz do ali kar še le bo lahko pri ter že bil bila če zaradi",
    ),
    (
        "et",
        "ja on ei et see oli ka kui mis oma aga ta kes ning või seda siis veel selle nii tema välja olid pole need kuid enam",
    ),
    (
        "lt",
        "ir kad į yra iš su tai buvo ne bet kaip apie per po už dar jau tik jo jie nuo ar kurie dėl taip savo iki",
    ),
    (
        "lv",
        "un ir ka no ar uz par tas kas bija arī bet ne vai gan pēc lai kā viņš šo tiek tika līdz pie nav gada",
    ),
    (
        "id",
        "yang dan di dengan untuk ini dari dalam pada itu tidak juga akan ke tersebut adalah oleh ada bisa saat sebagai telah mereka karena lebih dia kata sudah para atau",
    ),
    (
        "ru",
        "и в не на что он с как это по но из у за от же к его до все так для было был они мы при или только уже если бы которые года после также она",
    ),
    (
        "uk",
        "і в не на що з та як це до від за про у для його але після або під час які він бути був також вже року який буде й",
    ),
];

/// Words of the beginning that are looked up.
const MOST_WORDS: u32 = 160;
/// Fewer words tell nothing.
const FEWEST_WORDS: u32 = 40;
/// Longer words are nobody's commonest.
const LONGEST_WORD: usize = 14;
/// Languages that are listed for comparison only: two of them share nearly all their words, or a third one is not listed.
const NEVER_TOLD: [&str; 9] = ["gl", "da", "no", "hr", "sl", "cs", "sk", "af", "id"];

/// Each word with one bit for each language that it is of.
static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let mut words = Words(vec![Slot::default(); 1 << SLOT_BITS]);
    for (n, (_, list)) in LANGUAGES.iter().enumerate() {
        for word in list.split(' ') {
            words.add(key(word.as_bytes()), 1 << n);
        }
    }
    words
});

/// A word of at most sixteen bytes, with zeros after it.
type Key = [u64; 2];

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    key: Key,
    languages: u32,
}

/// A hash table for this one list: twice as many slots as words and a hash of one product. None of the words is a
/// stranger's, and the table does not grow.
struct Words(Vec<Slot>);

const SLOT_BITS: u32 = 12;

impl Words {
    /// The slots in the order in which a word is looked for.
    fn places([front, back]: Key) -> impl Iterator<Item = usize> {
        let hash = (front ^ back.rotate_left(23)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - SLOT_BITS);
        (0..1 << SLOT_BITS).map(move |step| (hash as usize + step) % (1 << SLOT_BITS))
    }

    fn add(&mut self, key: Key, language: u32) {
        for place in Self::places(key) {
            if let Some(slot) = self.0.get_mut(place)
                && (slot.languages == 0 || slot.key == key)
            {
                slot.key = key;
                slot.languages |= language;
                return;
            }
        }
    }

    /// The languages of a word.
    #[inline]
    fn languages(&self, key: Key) -> u32 {
        let mut slots = Self::places(key).filter_map(|place| self.0.get(place));
        let found = slots.find(|slot| slot.languages == 0 || slot.key == key);
        found.map_or(0, |slot| slot.languages)
    }
}

/// Of bytes that are at most sixteen.
fn key(bytes: &[u8]) -> Key {
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |all, b| all << 8 | u64::from(*b));
    match bytes.split_first_chunk::<8>() {
        Some((front, back)) => [u64::from_le_bytes(*front), number(back)],
        None => [number(bytes), 0],
    }
}

/// The language that most of the common words of a text are of, if no other comes near. Two-letter code.
pub(super) fn by_words<'d>(drafts: impl Iterator<Item = &'d Draft>) -> Option<&'static str> {
    let mut tally = Tally::default();
    for draft in drafts {
        let text = draft.text.as_str();
        let ends = if text.is_ascii() {
            tally.add_ascii(text.as_bytes())
        } else {
            tally.add_any(text)
        };
        if ends {
            break;
        }
    }
    leader(&tally.counts, tally.words, 2)
}

type Counts = [u32; LANGUAGES.len()];

/// The words of a text so far, and how many of them each language has.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    counts: Counts,
    words: u32,
}

impl Tally {
    /// Reads a text until there are enough words: then it says so.
    fn add_any(&mut self, text: &str) -> bool {
        let mut lower = String::new();
        let words = text.split(|c: char| !c.is_alphabetic());
        words.filter(|w| !w.is_empty()).any(|word| {
            lower.clear();
            if word.len() <= LONGEST_WORD {
                lower.extend(word.chars().flat_map(char::to_lowercase));
            }
            let known = !lower.is_empty() && lower.len() <= 16;
            self.add(known.then(|| key(lower.as_bytes())))
        })
    }

    /// [`Self::add_any`] of a text that is ASCII.
    fn add_ascii(&mut self, text: &[u8]) -> bool {
        any_run_of_letters(text, |sixteen, length| {
            self.add((length <= LONGEST_WORD).then(|| ascii_key(sixteen, length)))
        })
    }

    /// Adds a word to the languages that it is of. Whether there are enough now.
    #[inline]
    fn add(&mut self, word: Option<Key>) -> bool {
        self.words += 1;
        let mut languages = word.map_or(0, |key| WORDS.languages(key));
        while languages != 0 {
            if let Some(count) = self.counts.get_mut(languages.trailing_zeros() as usize) {
                *count += 1;
            }
            languages &= languages - 1;
        }
        let clear = self.words == FEWEST_WORDS && leader(&self.counts, self.words, 3).is_some();
        clear || self.words >= MOST_WORDS
    }
}

/// [`key`] of the first letters, in lower case; of one at least.
#[inline]
fn ascii_key(letters: &[u8; 16], length: usize) -> Key {
    /// The bit that tells small letters from capitals.
    const CASE: u64 = 0x2020_2020_2020_2020;
    let both = u128::from_le_bytes(*letters) | u128::from(CASE) << 64 | u128::from(CASE);
    let word = both & (u128::MAX >> (128 - 8 * length.clamp(1, 16)));
    [word as u64, (word >> 64) as u64]
}

/// The language that a fifth of the words are of, if half as many again are of it as of any other. `halves`: 2 asks for
/// that, 3 for twice as many.
fn leader(counts: &Counts, words: u32, halves: u32) -> Option<&'static str> {
    let best = (0..counts.len()).max_by_key(|n| counts.get(*n))?;
    let first = counts.get(best).copied()?;
    let others = counts.iter().enumerate().filter(|(n, _)| *n != best);
    let second = others.map(|(_, c)| *c).max().unwrap_or(0);
    let (code, _) = LANGUAGES.get(best)?;
    let leads = words >= FEWEST_WORDS && first * 5 >= words && first * 2 >= second * (halves + 1);
    (leads && !NEVER_TOLD.contains(code)).then_some(*code)
}

#[cfg(test)]
mod tests {
    use copydesk_article::BlockKind;
    use proptest::prelude::*;

    use super::*;

    fn told(text: &str) -> Option<&'static str> {
        let draft = Draft::new(BlockKind::Body, text.to_owned());
        by_words(std::iter::once(&draft))
    }

    proptest! {
        #[test]
        fn ascii_is_read_as_anything_else(
            text in "([A-Za-z]{1,18}|the|Of|AND|die|was|van|l'an)?([ .,0-9'-]{1,3}(The|of|and|to|a|that|is|de|een|[A-Za-z]{1,18})){0,60}",
        ) {
            let (mut plain, mut quick) = (Tally::default(), Tally::default());
            prop_assert_eq!(plain.add_any(&text), quick.add_ascii(text.as_bytes()));
            prop_assert_eq!(plain, quick);
        }

        #[test]
        fn words_of_ascii_have_the_key_of_their_letters(word in "[A-Za-z]{1,14}", after in "[ -~]{16}") {
            let low: String = word.chars().map(|c| c.to_ascii_lowercase()).collect();
            let text = format!("{word}{after}");
            let sixteen = text.as_bytes().first_chunk().unwrap();
            prop_assert_eq!(ascii_key(sixteen, word.len()), key(low.as_bytes()));
        }
    }

    #[test]
    fn every_listed_word_is_found() {
        for (n, (_, list)) in LANGUAGES.iter().enumerate() {
            for word in list.split(' ') {
                assert!(word.len() <= 16, "{word}");
                assert_ne!(WORDS.languages(key(word.as_bytes())) >> n & 1, 0, "{word}");
            }
        }
        assert_eq!(WORDS.languages(key(b"harbour")), 0);
    }

    #[test]
    fn a_language_is_told_by_its_words() {
        let english = "The ferry ran onto a sandbank early on Tuesday, and all of the people who were on board had been taken to the shore by lifeboats when the tide came in. It was not the first time that this had happened in the bay.";
        assert_eq!(told(english), Some("en"));
        let german = "Die Fähre lief am frühen Dienstagmorgen auf eine Sandbank, und alle Menschen an Bord wurden von Rettungsbooten an Land gebracht. Es war nicht das erste Mal, dass sich so etwas in der Bucht ereignet hat, sagte der Leiter des Hafens.";
        assert_eq!(told(german), Some("de"));
        let russian = "Паром сел на мель рано утром во вторник, и все люди, которые были на борту, уже доставлены на берег. Это не первый случай в заливе, как сообщили в порту, но на этот раз обошлось без ущерба для судна и его груза, а также для экипажа.";
        assert_eq!(told(russian), Some("ru"));
    }

    #[test]
    fn sister_languages_and_short_texts_are_left_to_the_other_detector() {
        let danish = "Færgen sejlede tidligt tirsdag morgen på en sandbanke, og alle der var om bord er blevet bragt i land af redningsbåde. Det var ikke den første gang, at det er sket i bugten, men denne gang var der ikke nogen som kom til skade, og skibet kan sejle igen efter en uge.";
        assert_eq!(told(danish), None);
        let galician = "O ferri encallou na area o martes pola mañá e todas as persoas que ían a bordo foron levadas á terra. Non é a primeira vez que isto pasa na baía, pero desta vez ninguén quedou ferido e o barco vai poder navegar dentro dunha semana, segundo o porto, que xa está a traballar.";
        assert_eq!(told(galician), None);
        assert_eq!(told("The ferry ran onto a sandbank."), None);
        assert_eq!(told(&"港が再開した。".repeat(40)), None);
    }
}
