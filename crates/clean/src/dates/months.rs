//! The names of the months.

use std::collections::HashMap;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

use super::tokens::Token;
use crate::fast::Fast;

/// One language a row: twelve months, each with its cases and abbreviations. Where two languages disagree (Croatian and
/// Polish "listopad"), the row that stands first wins. A name of two words is written with `_` between them.
const NAMES: &[&str] = &[
    // English, German, Dutch, Scandinavian, Icelandic
    "january/jan february/feb march/mar april/apr may june/jun july/jul august/aug september/sep/sept october/oct november/nov december/dec",
    "januar/jänner februar/feber märz/mär/mrz april mai juni juli august september oktober/okt november dezember/dez",
    "januari februari maart/mrt april mei juni juli augustus september oktober november december",
    "januari/januar februari/februar mars/marts april maj/mai juni juli/juuli augusti/august september oktober november december/desember/des",
    "janúar febrúar mars apríl maí júní júlí ágúst september október nóvember desember",
    // Romance
    "janvier/janv février/fév/févr/fevr mars avril/avr mai juin juillet/juil août septembre octobre novembre décembre/déc",
    "enero/ene febrero marzo abril/abr mayo junio julio agosto/ago septiembre/setiembre/septbre octubre noviembre diciembre/dic",
    "janeiro fevereiro/fev março abril maio/mai junho julho agosto setembro/set outubro/out novembro dezembro",
    "gennaio/gen febbraio/febbr marzo aprile maggio/mag giugno/giu luglio/lug agosto settembre/sett ottobre/ott novembre dicembre",
    "ianuarie/ian februarie martie aprilie mai iunie/iun iulie/iul august septembrie octombrie/oct noiembrie/noi decembrie",
    "gener febrer març abril maig juny juliol agost setembre octubre novembre desembre",
    "xaneiro febreiro marzo abril maio xuño xullo agosto setembro outubro novembro decembro",
    // Slavic in Latin letters
    "styczeń/stycznia/sty luty/lutego/lut marzec/marca kwiecień/kwietnia/kwi maj/maja czerwiec/czerwca/cze lipiec/lipca/lip sierpień/sierpnia/sie wrzesień/września/wrz październik/października/paź listopad/listopada/lis grudzień/grudnia/gru",
    "leden/ledna únor/února/úno březen/března/bře duben/dubna/dub květen/května/kvě červen/června/čvn červenec/července/čvc srpen/srpna září/zář říjen/října/říj listopad/listopadu prosinec/prosince/pro",
    "január/januára február/februára marec/marca apríl/apríla máj/mája jún/júna júl/júla august/augusta september/septembra október/októbra november/novembra december/decembra",
    "siječanj/siječnja/sij veljača/veljače/velj ožujak/ožujka/ožu travanj/travnja/tra svibanj/svibnja/svi lipanj/lipnja srpanj/srpnja/srp kolovoz/kolovoza/kol rujan/rujna/ruj _ studeni/studenog/studenoga/stu _",
    "januar/januara februar/februara mart/marta april/aprila maj/maja jun/juna/juni jul/jula/juli avgust/avgusta/avg/august/augusta septembar/septembra oktobar/oktobra novembar/novembra decembar/decembra",
    "januar/januarja februar/februarja marec/marca april/aprila maj/maja junij/junija julij/julija avgust/avgusta september/septembra oktober/oktobra november/novembra december/decembra",
    // Slavic in Cyrillic letters
    "январь/января/янв февраль/февраля/фев/февр март/марта/мар апрель/апреля/апр май/мая июнь/июня/июн июль/июля/июл август/августа/авг сентябрь/сентября/сен/сент октябрь/октября/окт ноябрь/ноября/ноя/нояб декабрь/декабря/дек",
    "січень/січня/січ лютий/лютого/лют березень/березня/бер квітень/квітня/квіт/кві травень/травня/трав/тра червень/червня/черв/чер липень/липня/лип серпень/серпня/серп/сер вересень/вересня/вер жовтень/жовтня/жовт/жов листопад/листопада/лист/лис грудень/грудня/груд/гру",
    "студзень/студзеня люты/лютага сакавік/сакавіка красавік/красавіка май/мая/траўня чэрвень/чэрвеня ліпень/ліпеня жнівень/жніўня верасень/верасня кастрычнік/кастрычніка лістапад/лістапада снежань/снежня",
    "януари/ян/яну февруари март април май юни/юн юли/юл август септември/септ октомври ноември/ное декември",
    "јануар/јануара/јануари/јан фебруар/фебруара/фебруари март/марта април/априла мај/маја/мај јун/јуна/јуни јул/јула/јули август/августа септембар/септембра/септември октобар/октобра/октомври новембар/новембра/ноември децембар/децембра/декември",
    // Greek, Hungarian, Finnish, Estonian, Baltic, Albanian, Basque
    "ιανουάριος/ιανουαρίου/ιαν φεβρουάριος/φεβρουαρίου/φεβ μάρτιος/μαρτίου/μαρ απρίλιος/απριλίου/απρ μάιος/μαΐου/μαι ιούνιος/ιουνίου/ιουν ιούλιος/ιουλίου/ιουλ αύγουστος/αυγούστου/αυγ σεπτέμβριος/σεπτεμβρίου/σεπ/σεπτ οκτώβριος/οκτωβρίου/οκτ νοέμβριος/νοεμβρίου/νοε δεκέμβριος/δεκεμβρίου/δεκ",
    "január/jan február/febr március/márc április/ápr május/máj június/jún július/júl augusztus/aug szeptember/szept október/okt november/nov december/dec",
    "tammikuu/tammikuuta/tammi helmikuu/helmikuuta/helmi maaliskuu/maaliskuuta/maalis huhtikuu/huhtikuuta/huhti toukokuu/toukokuuta/touko kesäkuu/kesäkuuta/kesä heinäkuu/heinäkuuta/heinä elokuu/elokuuta/elo syyskuu/syyskuuta/syys lokakuu/lokakuuta/loka marraskuu/marraskuuta/marras joulukuu/joulukuuta/joulu",
    "jaanuar/jaan veebruar/veebr märts aprill mai juuni juuli august september/sept oktoober/okt november/nov detsember/dets",
    "sausio/sausis vasario/vasaris kovo/kovas balandžio/balandis gegužės/gegužė birželio/birželis liepos/liepa rugpjūčio/rugpjūtis rugsėjo/rugsėjis spalio/spalis lapkričio/lapkritis gruodžio/gruodis",
    "janvāris/janvārī februāris/februārī marts/martā aprīlis/aprīlī maijs/maijā jūnijs/jūnijā jūlijs/jūlijā augusts/augustā septembris/septembrī oktobris/oktobrī novembris/novembrī decembris/decembrī",
    "janar shkurt mars prill maj qershor korrik gusht shtator tetor nëntor dhjetor",
    "urtarrila/urtarrilaren otsaila/otsailaren martxoa/martxoaren apirila/apirilaren maiatza/maiatzaren ekaina/ekainaren uztaila/uztailaren abuztua/abuztuaren iraila/irailaren urria/urriaren azaroa/azaroaren abendua/abenduaren",
    // Turkish, Azerbaijani, Uzbek, Kazakh, Georgian, Armenian
    "ocak/oca şubat/şub mart/mar nisan/nis mayıs/may haziran/haz temmuz/tem ağustos/ağu eylül/eyl ekim/eki kasım/kas aralık/ara",
    "yanvar fevral mart aprel may iyun iyul avqust/avgust sentyabr oktyabr noyabr dekabr",
    "қаңтар ақпан наурыз сәуір мамыр маусым шілде тамыз қыркүйек қазан қараша желтоқсан",
    "იანვარი/იანვარს/იან თებერვალი/თებ მარტი/მარ აპრილი/აპრ მაისი/მაი ივნისი/ივნ ივლისი/ივლ აგვისტო/აგვ სექტემბერი/სექ ოქტომბერი/ოქტ ნოემბერი/ნოე დეკემბერი/დეკ",
    "հունվար/հունվարի փետրվար/փետրվարի մարտ/մարտի ապրիլ/ապրիլի մայիս/մայիսի հունիս/հունիսի հուլիս/հուլիսի օգոստոս/օգոստոսի սեպտեմբեր/սեպտեմբերի հոկտեմբեր/հոկտեմբերի նոյեմբեր/նոյեմբերի դեկտեմբեր/դեկտեմբերի",
    // Arabic of Egypt and the Gulf, of the Levant and Iraq, of the Maghreb; Hebrew; Persian and Urdu of Gregorian months
    "يناير فبراير مارس أبريل/ابريل مايو يونيو/يونيه يوليو/يوليه أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
    "كانون_الثاني شباط آذار نيسان أيار/ايار حزيران تموز آب أيلول/ايلول تشرين_الأول تشرين_الثاني كانون_الأول",
    "جانفي فيفري مارس أفريل ماي جوان جويلية أوت/غشت سبتمبر/شتنبر أكتوبر نوفمبر/نونبر ديسمبر/دجنبر",
    "ינואר/ינו פברואר/פבר מרץ/מרס אפריל/אפר מאי יוני יולי אוגוסט/אוג ספטמבר/ספט אוקטובר/אוק נובמבר/נוב דצמבר/דצמ",
    "ژانویه/ژانويه فوریه مارس/مارچ آوریل/اپریل مه/می ژوئن/جون ژوئیه/جولای/جولائی اوت/اگست/آگست سپتامبر/ستمبر اکتبر/اکتوبر نوامبر/نومبر دسامبر/دسمبر",
    "جنوری فروری مارچ اپریل مئی جون جولائی اگست ستمبر اکتوبر نومبر دسمبر",
    // Hindi, Marathi, Nepali, Bengali, Gujarati, Punjabi, Tamil, Telugu, Kannada, Malayalam, Odia, Sinhala
    "जनवरी/जन फरवरी/फर मार्च अप्रैल मई जून जुलाई अगस्त सितंबर/सितम्बर/सित अक्टूबर/अक्तूबर नवंबर/नवम्बर/नव दिसंबर/दिसम्बर/दिस",
    "जानेवारी/जाने फेब्रुवारी/फेब्रु मार्च एप्रिल मे जून जुलै ऑगस्ट सप्टेंबर ऑक्टोबर नोव्हेंबर डिसेंबर",
    "जनवरी फेब्रुअरी मार्च अप्रिल मे जुन जुलाई अगस्ट सेप्टेम्बर अक्टोबर नोभेम्बर डिसेम्बर",
    "জানুয়ারি/জানুয়ারী ফেব্রুয়ারি/ফেব্রুয়ারী মার্চ এপ্রিল মে জুন জুলাই আগস্ট/অগস্ট সেপ্টেম্বর অক্টোবর নভেম্বর ডিসেম্বর",
    "જાન્યુઆરી ફેબ્રુઆરી માર્ચ એપ્રિલ મે જૂન જુલાઈ ઓગસ્ટ સપ્ટેમ્બર ઓક્ટોબર નવેમ્બર ડિસેમ્બર",
    "ਜਨਵਰੀ ਫਰਵਰੀ ਮਾਰਚ ਅਪ੍ਰੈਲ ਮਈ ਜੂਨ ਜੁਲਾਈ ਅਗਸਤ ਸਤੰਬਰ ਅਕਤੂਬਰ ਨਵੰਬਰ ਦਸੰਬਰ",
    "ஜனவரி/ஜன பிப்ரவரி/பிப் மார்ச்/மார் ஏப்ரல்/ஏப் மே ஜூன் ஜூலை ஆகஸ்ட்/ஆக செப்டம்பர்/செப் அக்டோபர்/அக் நவம்பர்/நவ டிசம்பர்/டிச",
    "జనవరి ఫిబ్రవరి మార్చి ఏప్రిల్ మే జూన్ జూలై/జులై ఆగస్టు/ఆగస్ట్ సెప్టెంబర్/సెప్టెంబరు అక్టోబర్/అక్టోబరు నవంబర్/నవంబరు డిసెంబర్/డిసెంబరు",
    "ಜನವರಿ ಫೆಬ್ರವರಿ/ಫೆಬ್ರುವರಿ ಮಾರ್ಚ್ ಏಪ್ರಿಲ್ ಮೇ ಜೂನ್ ಜುಲೈ ಆಗಸ್ಟ್ ಸೆಪ್ಟೆಂಬರ್ ಅಕ್ಟೋಬರ್ ನವೆಂಬರ್ ಡಿಸೆಂಬರ್",
    "ജനുവരി ഫെബ്രുവരി മാർച്ച് ഏപ്രിൽ മേയ്/മെയ് ജൂൺ ജൂലൈ ഓഗസ്റ്റ്/ആഗസ്റ്റ് സെപ്റ്റംബർ ഒക്ടോബർ നവംബർ ഡിസംബർ",
    "ଜାନୁଆରୀ ଫେବୃଆରୀ/ଫେବ୍ରୁଆରୀ ମାର୍ଚ୍ଚ ଅପ୍ରେଲ ମଇ ଜୁନ ଜୁଲାଇ ଅଗଷ୍ଟ ସେପ୍ଟେମ୍ବର ଅକ୍ଟୋବର ନଭେମ୍ବର ଡିସେମ୍ବର",
    "ජනවාරි පෙබරවාරි මාර්තු අප්‍රේල් මැයි ජූනි ජූලි අගෝස්තු සැප්තැම්බර් ඔක්තෝබර් නොවැම්බර් දෙසැම්බර්",
    // Thai, Indonesian and Malay, Filipino, Swahili
    "มกราคม/ม_ค กุมภาพันธ์/ก_พ มีนาคม/มี_ค เมษายน/เม_ย พฤษภาคม/พ_ค มิถุนายน/มิ_ย กรกฎาคม/ก_ค สิงหาคม/ส_ค กันยายน/ก_ย ตุลาคม/ต_ค พฤศจิกายน/พ_ย ธันวาคม/ธ_ค",
    "januari februari/pebruari maret/mac april mei juni/jun juli/julai agustus/agt/ogos september oktober november/nopember desember/disember",
    "enero pebrero marso abril mayo hunyo hulyo agosto setyembre oktubre nobyembre disyembre",
    "januari februari machi aprili mei juni julai agosti septemba oktoba novemba desemba",
];

/// The months of the Persian calendar.
const PERSIAN: [&str; 12] = [
    "فروردین",
    "اردیبهشت",
    "خرداد",
    "تیر",
    "مرداد",
    "شهریور",
    "مهر",
    "آبان",
    "آذر",
    "دی",
    "بهمن",
    "اسفند",
];

static MONTHS: LazyLock<HashMap<String, u32, Fast>> = LazyLock::new(|| {
    let mut months = HashMap::default();
    for row in NAMES {
        for (month, names) in (1..).zip(row.split(' ')) {
            for name in names.split('/').filter(|n| *n != "_") {
                months.entry(form(name)).or_insert(month);
            }
        }
    }
    months
});

static PERSIAN_MONTHS: LazyLock<HashMap<String, u32, Fast>> =
    LazyLock::new(|| PERSIAN.iter().map(|name| form(name)).zip(1..).collect());

/// The month (1 to 12) at the beginning of some tokens, and how many of them name it: "march", "كانون الثاني", "มี.ค.",
/// "tháng 3".
pub(super) fn month_at(tokens: &[Token]) -> Option<(u32, usize)> {
    let [Token::Word(word), rest @ ..] = tokens else {
        return None;
    };
    match rest {
        [Token::Mark(' '), Token::Number(n @ 1..=12, 1 | 2), ..] if word == "tháng" => return Some((*n, 3)),
        [Token::Mark(' ' | '.'), Token::Word(second), ..] => {
            if let Some(month) = MONTHS.get(&form(&format!("{word}_{second}"))) {
                return Some((*month, 3));
            }
        }
        _ => {}
    }
    month_of(word).map(|month| (month, 1))
}

/// The month (1 to 12) that a word of the Persian calendar names.
pub(super) fn persian_month(word: &str) -> Option<u32> {
    PERSIAN_MONTHS.get(&form(word)).copied()
}

/// The month (1 to 12) that a lower-case word names. Hebrew puts "in" before it as a letter.
pub(super) fn month_of(word: &str) -> Option<u32> {
    let find = |word: &str| MONTHS.get(&form(word)).copied();
    find(word).or_else(|| word.strip_prefix('ב').and_then(find))
}

/// A name without its accents and vowel signs, which careless pages leave out, and with one letter for those that are
/// typed in two ways.
fn form(name: &str) -> String {
    let folded = |c: char| match c {
        'ی' | 'ى' => Some('ي'),
        'ک' => Some('ك'),
        'ς' => Some('σ'),
        'ı' => Some('i'),
        '\u{640}' | '\u{200c}' | '\u{200d}' | '\'' | '’' => None,
        c if canonical_combining_class(c) != 0 => None,
        c => Some(c),
    };
    if name.is_ascii() {
        return name.to_owned();
    }
    name.nfkd().filter_map(folded).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::*;

    #[test]
    fn every_row_has_twelve_months() {
        for row in NAMES {
            assert_eq!(row.split(' ').count(), 12, "{row}");
        }
    }

    #[test]
    fn months_of_many_languages() {
        for (word, month) in [
            ("march", 3),
            ("märz", 3),
            ("listopada", 11),
            ("août", 8),
            ("mayo", 5),
            ("марта", 3),
            ("ocak", 1),
            ("setembro", 9),
            ("mai", 5),
            ("lipca", 7),
            ("marraskuuta", 11),
            ("במרץ", 3),
            ("آذار", 3),
            ("اذار", 3),
            ("मार्च", 3),
            ("जानेवारी", 1),
            ("ফেব্রুয়ারি", 2),
            ("மார்ச்", 3),
            ("مارچ", 3),
            ("มีนาคม", 3),
        ] {
            assert_eq!(month_of(word), Some(month), "{word}");
        }
        for word in ["harbour", "marked", "decided", "senator", "лист бумаги", "novel"] {
            assert_eq!(month_of(word), None, "{word}");
        }
    }

    #[test]
    fn months_of_two_words() {
        for (text, month) in [
            ("كانون الثاني", 1),
            ("كانون الأول", 12),
            ("تشرين الأول", 10),
            ("มี.ค.", 3),
            ("พ.ย. 2569", 11),
            ("tháng 3", 3),
        ] {
            assert_eq!(month_at(&tokens(text)).map(|(m, _)| m), Some(month), "{text}");
        }
        assert_eq!(month_at(&tokens("كانون")), None);
        assert_eq!(persian_month("اسفند"), Some(12));
    }
}
