//! What a fingerprint depends on, what it does not, and its way through storage.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

mod texts;

use copydesk_article::Fingerprint;
use copydesk_dedup::evidence::{self, SAMPLE_ABOVE, Sampling};
use copydesk_dedup::versions::compare;
use copydesk_dedup::{Fingerprinter, MIN_SHINGLES, SHINGLE_KEYS, body_key, fingerprint_parts};
use proptest::prelude::*;
use texts::{article, paragraphs, print};

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-zA-Z0-9 .,'\"-]{0,300}",
        "[一-鿿。、]{0,80}",
        "[ก-ฮะ-ู ]{0,80}",
        "[а-яА-Я ё«».]{0,120}",
    ]
}

fn without_keys(fingerprint: &Fingerprint) -> Fingerprint {
    Fingerprint {
        keys: Vec::new(),
        ..fingerprint.clone()
    }
}

proptest! {
    #[test]
    fn lists_are_ordered_and_keys_are_few(texts in prop::collection::vec(any_text(), 0..6)) {
        let print = fingerprint_parts(texts.first().map(String::as_str), texts.iter().map(String::as_str));
        prop_assert!(print.keys.is_sorted_by(|a, b| a < b));
        prop_assert!(print.shingles.is_sorted_by(|a, b| a.hash < b.hash));
        prop_assert!(print.marks.is_sorted_by(|a, b| a < b));
        prop_assert!(print.title_words.is_sorted_by(|a, b| a < b));
        prop_assert_eq!(print.blocks.len(), texts.len());
        prop_assert!(print.keys.len() <= SHINGLE_KEYS + 1);
        prop_assert_eq!(print.keys.is_empty(), print.word_count == 0);
        if print.word_count > 0 {
            prop_assert!(print.keys.contains(&body_key(print.body_hash)));
        }
        if print.shingles.len() < MIN_SHINGLES {
            prop_assert!(print.keys.len() <= 1);
        }
    }

    #[test]
    fn keys_depend_on_the_text_alone(
        before in article(), (title, text) in article(), other_title in "[a-z ]{0,30}",
    ) {
        let mut used = Fingerprinter::default();
        used.fingerprint(before.0.as_deref(), before.1.iter().map(String::as_str));
        let again = used.fingerprint(Some(&other_title), text.iter().map(String::as_str));
        let fresh = print(title.as_deref(), &text);
        prop_assert_eq!(&again.keys, &fresh.keys);
        prop_assert_eq!(Fingerprint { title_words: Vec::new(), title_dates: Vec::new(), ..again },
            Fingerprint { title_words: Vec::new(), title_dates: Vec::new(), ..fresh });
        // Nor on where an extractor parts paragraphs.
        let joined = fingerprint_parts(None, [text.join(" ").as_str()]);
        prop_assert_eq!(joined.keys, print(None, &text).keys);
    }

    #[test]
    fn case_quotes_and_spacing_do_not_count(
        words in prop::collection::vec("[a-zà-öø-ÿα-ωа-я]{1,12}", 1..60), seed in any::<u64>(),
    ) {
        let plain = words.join(" ");
        let mut state = seed;
        let mut pick = |of: &[&str]| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            of[(state >> 33) as usize % of.len()].to_owned()
        };
        let mut dressed = String::new();
        for word in &words {
            dressed += &pick(&["", "“", "\"", "« ", "‘", "\u{feff}", "—"]);
            let upper = word.to_uppercase();
            // Not all letters come back from their capitals (ŉ, ΐ): those stay as they are.
            let form = if upper.to_lowercase() == *word { &upper } else { word };
            // A place to break the line, which nobody sees.
            let half = form.chars().count() / 2;
            dressed.extend(form.chars().take(half));
            dressed += &pick(&["", "\u{ad}", "\u{200b}"]);
            dressed.extend(form.chars().skip(half));
            dressed += &pick(&[" ", "\u{a0}", "  ", "\t", "”, ", "’ ", "\u{2009}", " … ", "\u{ad} "]);
        }
        let (a, b) = (fingerprint_parts(None, [plain.as_str()]), fingerprint_parts(None, [dressed.as_str()]));
        prop_assert_eq!(a.body_hash, b.body_hash);
        prop_assert_eq!(a.keys, b.keys);
        prop_assert_eq!(a.shingles, b.shingles);
    }

    #[test]
    fn evidence_comes_back(texts in prop::collection::vec(any_text(), 0..6), (title, long) in article()) {
        let strange = fingerprint_parts(title.as_deref(), texts.iter().map(String::as_str));
        for print in [strange, print(title.as_deref(), &long)] {
            let bytes = evidence::encode(&print, Sampling::Full);
            prop_assert_eq!(evidence::decode(&bytes).unwrap(), without_keys(&print));
            let sampled = evidence::decode(&evidence::encode(&print, Sampling::Quarter)).unwrap();
            if print.shingles.len() <= SAMPLE_ABOVE {
                prop_assert_eq!(sampled, without_keys(&print));
            } else {
                prop_assert!(sampled.shingles.iter().all(|s| print.shingles.contains(s)));
                prop_assert_eq!(sampled.sampling, 2);
            }
        }
    }

    #[test]
    fn hostile_evidence_is_refused_without_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        (_, text) in article(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let _ = evidence::decode(&bytes);
        let _ = evidence::decode(&[&[1], bytes.as_slice()].concat());
        let good = evidence::encode(&print(None, &text), Sampling::Full);
        prop_assert!(evidence::decode(&good[..cut.index(good.len())]).is_err());
        let mut bad = good;
        for (at, byte) in damage {
            let at = at.index(bad.len());
            bad[at] = byte;
        }
        if let Ok(read) = evidence::decode(&bad) {
            // What is read can be used and written again.
            prop_assert!(read.shingles.is_sorted_by(|a, b| a.hash < b.hash));
            let _ = compare(&read, &read);
            prop_assert_eq!(evidence::decode(&evidence::encode(&read, Sampling::Full)), Ok(read));
        }
    }

    #[test]
    fn a_version_is_like_itself((title, text) in article(), other in article()) {
        let a = print(title.as_deref(), &text);
        let same = compare(&a, &a);
        prop_assert!(same.same_text && !same.url_reused && same.jaccard == 1.0);
        let b = print(other.0.as_deref(), &other.1);
        let (one, two) = (compare(&a, &b), compare(&b, &a));
        prop_assert_eq!(one.jaccard, two.jaccard);
        prop_assert_eq!((one.old_kept, one.new_known), (two.new_known, two.old_kept));
    }
}

#[test]
fn every_damaged_byte_is_seen_or_harmless() {
    let text = "On Monday Ilsa Brandt said 40 ships had waited. On Friday 40 more came, said Brandt and Ilsa Kepler.";
    let good = evidence::encode(
        &fingerprint_parts(Some("Ships wait"), [text, text, "Brandt has 40"]),
        Sampling::Full,
    );
    for at in 0..good.len() {
        for byte in 0..=u8::MAX {
            let mut bad = good.clone();
            bad[at] = byte;
            let Ok(read) = evidence::decode(&bad) else {
                continue;
            };
            assert!(read.shingles.is_sorted_by(|a, b| a.hash < b.hash));
            assert!(read.marks.is_sorted_by(|a, b| a < b), "byte {at} = {byte}");
            assert!(read.title_words.is_sorted_by(|a, b| a < b));
        }
    }
}

#[test]
fn scripts_without_spaces_go_by_characters() {
    for text in [
        "港口在关闭九天后于星期二重新开放，四十艘船只在港外等候入港。",
        "港は九日間の閉鎖の後、火曜日に再び開かれ、四十隻の船が外で待っていた。",
        "ท่าเรือเปิดอีกครั้งในวันอังคารหลังจากปิดไปเก้าวัน",
        "ဆိပ်ကမ်းကို အင်္ဂါနေ့တွင် ပြန်လည်ဖွင့်လှစ်ခဲ့သည်",
        "កំពង់ផែបានបើកឡើងវិញនៅថ្ងៃអង្គារ",
    ] {
        let whole = fingerprint_parts(None, [text]);
        assert!(
            whole.shingles.len() >= MIN_SHINGLES && whole.keys.len() > 1,
            "{text}"
        );
        // A changed end leaves the shingles before it alone.
        let half: String = text.chars().take(text.chars().count() * 2 / 3).collect();
        let cut = fingerprint_parts(None, [format!("{half}甲乙丙丁戊").as_str()]);
        let shared = cut
            .shingles
            .iter()
            .filter(|s| whole.shingles.iter().any(|w| w.hash == s.hash))
            .count();
        assert!(
            shared * 10 >= whole.shingles.len() * 5,
            "{text}: {shared} of {}",
            whole.shingles.len()
        );
    }
}

#[test]
fn traditional_and_simplified_chinese_are_one_text() {
    let traditional = fingerprint_parts(
        Some("港口重新開放"),
        ["港口在關閉九天後於星期二重新開放，四十艘船隻在港外等候入港。"],
    );
    let simplified = fingerprint_parts(
        Some("港口重新开放"),
        ["港口在关闭九天后于星期二重新开放，四十艘船只在港外等候入港。"],
    );
    assert_eq!(traditional, simplified);
}

#[test]
fn mixed_scripts_have_both_kinds() {
    let text = "アップルは新しい iPhone 17 Pro Max を火曜日に発表した";
    assert!(fingerprint_parts(None, [text]).shingles.len() > 10);
}

#[test]
fn numbers_tell_texts_apart_but_not_blocks() {
    let at = |n: u32| {
        fingerprint_parts(
            None,
            [format!("Trading closed {n} minutes after the bell rang").as_str()],
        )
    };
    assert_ne!(at(3).body_hash, at(12).body_hash);
    assert_eq!(at(3).blocks, at(12).blocks);
}

#[test]
fn short_texts_are_never_sampled() {
    let of = |n: u64| print(None, &paragraphs(0..n));
    let mut seen = (false, false);
    for print in (1..8).map(of) {
        let stored = evidence::decode(&evidence::encode(&print, Sampling::Quarter)).unwrap();
        let short = print.shingles.len() <= SAMPLE_ABOVE;
        assert_eq!(short, stored.sampling == 0);
        assert!(short || stored.shingles.len() < print.shingles.len() / 2);
        seen = (seen.0 | short, seen.1 | !short);
    }
    assert_eq!(seen, (true, true));
}

/// The recipe is a promise to what is stored. If this fails, raise `FINGERPRINT_VERSION` or undo the change.
#[test]
fn the_recipe_has_not_changed() {
    let text = "The harbour of Velmora opened again on Tuesday after 9 days; “forty ships” had waited outside. Nicolás Peña, \
                the harbour master, said 12,500 tonnes of grain would be unloaded by Friday.";
    let print = fingerprint_parts(Some("Harbour opens"), [text, "港口在关闭九天后于星期二重新开放"]);
    let pinned = (
        print.body_hash.0 as u64,
        print
            .keys
            .iter()
            .fold(0_u64, |h, k| h.rotate_left(7) ^ k.0 as u64),
        print
            .shingles
            .iter()
            .fold(0_u32, |h, s| h.rotate_left(7) ^ s.hash ^ u32::from(s.paragraph)),
        print.blocks.iter().map(|b| b.0).collect::<Vec<_>>(),
        print.marks.len(),
        print.title_words.clone(),
    );
    let expected = (
        16_969_611_511_433_162_970,
        18_355_263_540_799_174_386,
        3_952_215_247,
        vec![-6_164_141_259_968_574_229, 6_648_472_800_058_668_608],
        7,
        vec![3_370_415_836, 3_828_838_516],
    );
    assert_eq!(pinned, expected);
}

/// What rule 1 stored: encoded by the program before format 2.
const FORMAT_1: &str = "010200a0e2ebb9bce9a2f70286e70f4238eaa32400000000012100000002000700000007009d94da487255bd7978e25ad6217dbe19e7960719854641bd2d3c432eb0e7e39bd574066889bd0eeafab4829854e8aa8633eb0c650748488987207645564d3208c7152aa028fb5b5d9d6fdc3f98965583a391ec6bbb2ce05c3180d8c95c129fcaf979a820ccde7060d8ccf1729691fa5da0abc55fca568e5c390f9edb73f6f35df984cfebf72a5818f20e000000d8b0418fb5dcd79a67036c0c8cdc6009323c6f83ff7611f1c1aab5f3be3b9d368e60df7f56dc2581e9f66a042febfaedb32a406090c06c9109";

#[test]
fn evidence_of_the_format_before_stays_readable() {
    let bytes: Vec<u8> = FORMAT_1
        .as_bytes()
        .chunks(2)
        .map(|hex| u8::from_str_radix(std::str::from_utf8(hex).unwrap(), 16).unwrap())
        .collect();
    let read = evidence::decode(&bytes).unwrap();
    // The recipe has changed since, but not for this text.
    let now = Fingerprint {
        version: read.version,
        ..fingerprint_parts(
            Some("Harbour of Velmora opens after 9 days"),
            [
                "The harbour of Velmora opened again on Tuesday after 9 days, and forty ships had waited outside since the storm.",
                "Mayor Ilse Brandt said that 12 of the ships carry grain for the mills of Ostrand.",
            ],
        )
    };
    // It did not know which words of the title are dates, nor the lead: to a decision that is unknown, not different.
    let known = Fingerprint {
        title_dates: Vec::new(),
        lead_words: Vec::new(),
        ..without_keys(&now)
    };
    assert_eq!(read, known);
    let change = compare(&read, &now);
    assert!(change.same_text && change.jaccard == 1.0);
}
