//! The words of bylines that are no part of a name. All are folded as [`crate::normalise::fold_phrase`] folds.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use crate::fast::Fast;
use crate::normalise::is_dense_script;

/// A set of words.
pub(super) type WordSet = HashSet<&'static str, Fast>;

/// Words that stand between bars.
pub(super) fn words_of(lines: &[&'static str]) -> impl Iterator<Item = &'static str> {
    lines.iter().flat_map(|line| line.split('|'))
}

pub(super) fn set(lines: &[&'static str]) -> WordSet {
    words_of(lines).collect()
}

/// Words that a text may begin with, filed by their first character.
#[derive(Debug)]
pub(super) struct Openings(HashMap<char, Vec<Opening>, Fast>);

#[derive(Debug)]
struct Opening {
    words: &'static str,
    chars: usize,
    is_dense: bool,
}

impl Openings {
    fn of(lines: &[&'static str]) -> Self {
        let mut all: HashMap<char, Vec<Opening>, Fast> = HashMap::default();
        for words in words_of(lines) {
            let first = words.chars().next().unwrap_or_default();
            all.entry(first).or_default().push(Opening {
                words,
                chars: words.chars().count(),
                is_dense: words.chars().all(is_dense_script),
            });
        }
        Self(all)
    }

    /// Whether a folded text is one of them.
    pub(super) fn has(&self, folded: &str) -> bool {
        self.longest(folded, |rest, _| rest.is_empty()).is_some()
    }

    /// The characters of the longest of them that a folded text begins with. `goes_on` is asked of what follows, and told
    /// whether the words are of a script without spaces.
    pub(super) fn longest(&self, folded: &str, goes_on: impl Fn(&str, bool) -> bool) -> Option<usize> {
        let first = folded.chars().next()?;
        let fits = |o: &&Opening| {
            folded
                .strip_prefix(o.words)
                .is_some_and(|rest| goes_on(rest, o.is_dense))
        };
        self.0.get(&first)?.iter().filter(fits).map(|o| o.chars).max()
    }
}

/// Words that open a byline.
pub(super) static OPENINGS: LazyLock<Openings> = LazyLock::new(|| {
    Openings::of(&[
        "by|written by|posted by|reported by|story by|words by|text by|article by|byline|submitted by",
        "articles by|more articles by|all articles by|posts by|all posts by|more by|published by|a guest post by|guest post by|guest column by|column by|guest essay by|essay by|a column by|commentary by|authored by|opinion by|analysis by|review by",
        "reporting by|von|par|por|di|de|door|av|af|od|oleh|text|tekst|texte|texto|testo|teksti|autor",
        "autorin|autoren|author|authors|author name|writer|auteur|autore|autrice|autora|kirjoittaja|автор",
        "автори|авторы|текст|από|από τον|από την|του|της|yazan|yazar|haber|bài|tác giả|penulis|laporan|a cura di",
        "scritto da|escrito por|publié par|rédigé par|propos recueillis par|publicado por|redacción:",
        "geschrieben von|verfasst von|ein artikel von|ein beitrag von|ein gastbeitrag von|eine analyse von",
        "ein kommentar von|eine kolumne von|ein interview von|aus|přidal|napsal|napsala|napisał|napisała",
        "írta|szerző|skrevet av|skrevet af|skriven av|geschreven door|بقلم|كتب|كتبت|الكاتب|المؤلف|تحرير",
        "מאת|كد خبرنگار|نویسنده|लेखक|द्वारा|लेखन|লেখক|எழுதியவர்|作者|撰文|文|本报记者|本報記者|记者|記者|通讯员|編譯|执笔|執筆",
        "ライター|文責|取材・文|글|글쓴이|โดย|บทความโดย|เขียนโดย|เรื่องโดย|ผู้เขียน|γράφει ο|γράφει η|words|unserem korrespondenten",
        "unserer korrespondentin|unserem redakteur|unserer redakteurin|unserem reporter|unserer reporterin|onze redacteur|onze verslaggever",
        "onze correspondent|notre correspondant|notre correspondante|notre envoyé spécial|nuestro corresponsal|nuestra corresponsal",
        "nostro inviato|nostra inviata|erstellt von|eingestellt von|gespeichert von|veröffentlicht von|submitted by|created by",
    ])
});

/// Words that open the name of somebody who did not write: what follows is left out.
pub(super) static NO_AUTHORS: LazyLock<Openings> = LazyLock::new(|| {
    Openings::of(&[
        "edited by|editing by|photo|photos|photo by|photos by|photograph|photographs|photography by",
        "photographs by|photographer|picture|pictures|pictures by|image|images|illustration by",
        "illustrations by|video by|graphics by|reviewed by|medically reviewed by|fact checked by",
        "fact-checked by|translated by|translation by|produced by|source|via|tags|foto|fotos|foto's|bild",
        "bilder|fotografie|redigiert von|bearbeitet von|übersetzt von|übersetzung|traduction|traduit par",
        "photographie|photographies|crédit photo|crédits photo|traducido por|traducción|fotografía",
        "fotografías|imagen|fotografia|foto di|traduzione|traduzione di|фото|редактор|编辑|責任編輯|责任编辑|责编|責編",
        "編輯|校对|摄影|攝影|图|圖|来源|來源|翻译|翻譯|撮影|写真|編集|사진|편집|출처|źródło|zdroj|fuente|fonte|quelle|bron|kilde|källa|lähde",
        "источник|джерело|kaynak|sumber|nguồn|πηγή|المصدر|منبع|forrás|sursa|izvor|出典",
        "コラム|ブログ|一覧|特集|連載|社説|专栏|專欄|名单|名單",
    ])
});

/// Words of what somebody does.
pub(super) static ROLES: LazyLock<WordSet> = LazyLock::new(|| {
    set(&[
        "expert|experts|professor|lecturer|founder|co-founder|cofounder|ceo|cto|cfo|director|manager|consultant|specialist|strategist",
        "coordinator|researcher|engineer|developer|economist|attorney|lawyer|physician|nutritionist|dietitian|copywriter",
        "reporter|reporters|correspondent|correspondents|editor|editors|editor-in-chief|editor-at-large",
        "writer|writers|columnist|contributor|contributors|journalist|journalists|producer|photographer",
        "photojournalist|videographer|anchor|presenter|commentator|analyst|critic|blogger|freelancer",
        "intern|stringer|chief|contributing|redakteur|redakteurin|redakteure|chefredakteur|chefredakteurin",
        "korrespondent|korrespondentin|volontär|volontärin|autor|autorin|reporterin|journalistin",
        "ressortleiter|ressortleiterin|kolumnist|kolumnistin|mitarbeiter|mitarbeiterin|journaliste",
        "correspondant|correspondante|rédacteur|rédactrice|chroniqueur|chroniqueuse|éditorialiste|envoyé",
        "envoyée|periodista|corresponsal|redactor|redactora|reportero|reportera|columnista|colaborador",
        "colaboradora|enviado|enviada|jornalista|repórter|redator|redatora|colunista|correspondente",
        "estagiário|giornalista|redattore|redattrice|inviato|inviata|corrispondente|verslaggever|redacteur",
        "redaktør|redaktör|toimittaja|dziennikarz|dziennikarka|redaktor|redaktorka|korespondent",
        "korespondentka|novinár|novinář|корреспондент|журналист|журналистка|редактор|обозреватель",
        "кореспондент|журналіст|журналістка|muhabir|muhabiri|editör|editörü|yazarı|wartawan|penulis",
        "συντάκτης|δημοσιογράφος|記者|记者|編集者|기자|특파원|논설위원|編輯|编辑|通讯员|特約記者|خبرنگار|مراسل|محرر|صحفي|संवाददाता",
        "रिपोर्टर|প্রতিবেদক|নিজস্ব",
    ])
});

/// Words of a staff as a whole.
pub(super) static COLLECTIVES: LazyLock<WordSet> = LazyLock::new(|| {
    set(&[
        "desk|newsroom|bureau|staff|team|redaktion|rédaction|redacción|redaccion|redação|redazione|redactie",
        "toimitus|redaksjonen|redaktionen|redakcja|redakce|redakcia|редакция|редакція|編集部|डेस्क|ब्यूरो",
        "ডেস্ক",
    ])
});

/// Degrees and licences behind a name, without full stops.
pub(super) static DEGREES: LazyLock<WordSet> = LazyLock::new(|| {
    set(&[
        "phd|ph d|md|dvm|vmd|rd|rdn|ldn|ms|msc|ma|mba|mph|mpp|cpa|cfp|cepf|cfa|ea|jd|esq|do|dds|dmd|rn|np",
        "pa-c|lcsw|lmft|pharmd|bsc|ba|dpt|psyd|cscs|cns|cpt|faap|facp|edd|llm|llb|bds|mbbs|frcs|jr|sr|ii",
        "iii",
    ])
});

/// Words that stand before or behind a role and make no name: "Senior Political Editor".
pub(super) static ROLE_MODIFIERS: LazyLock<WordSet> = LazyLock::new(|| {
    set(&[
        "senior|junior|chief|deputy|associate|assistant|managing|executive|contributing|staff|guest",
        "special|lead|head|former|political|politics|business|economics|economic|financial|finance|sports",
        "sport|football|science|health|medical|education|transport|technology|tech|crime|court|legal",
        "diplomatic|foreign|home|world|international|national|local|regional|city|environment|climate",
        "energy|arts|culture|entertainment|music|film|fashion|food|travel|media|defence|defense|security",
        "news|features|opinion|investigative|data|digital|online|web|social|consumer|property|royal",
        "religion|general|our|the|freelance|multimedia|video|breaking|state|statehouse|government|white",
        "house|europe|asia|africa|middle|east|economy|markets|freier|freie|stellvertretende",
        "stellvertretender|leitender|leitende|politischer|wirtschaft|politik|kultur|lokal|spécial|spéciale",
        "permanent|chef|chefin|grand|especial|speciale|jefe|jefa|adjunto|специальный|собственный",
    ])
});

/// What stands where nobody filled a name in.
pub(super) static PLACEHOLDERS: LazyLock<WordSet> =
    LazyLock::new(|| set(&["undefined|none|null|unknown|default|user|n/a|unbekannt"]));

/// Words of an organisation's name.
pub(super) static ORGANISATIONS: LazyLock<WordSet> = LazyLock::new(|| {
    set(&[
        "news|newspaper|times|post|daily|weekly|magazine|press|media|agency|agencies|desk|newsroom|network",
        "online|tv|radio|institute|center|centre|university|foundation|association|society|council",
        "committee|office|group|ltd|inc|llc|gmbh|company|service|services|department|agentur|agenturen",
        "zeitung|agence|agences|agencia|agencias|agência|agências|agenzia|agenzie|agentschap|nachrichten",
        "editorial|board|ajansı|haber|новости|агентство|通讯社|日报|新聞|新闻",
    ])
});

/// Words behind which no name follows any more: when it was published, and for whom.
pub(super) static ENDS: LazyLock<WordSet> = LazyLock::new(|| {
    set(&[
        "publiziert|gespeichert|verfasst|eingestellt|vor|published|publish|posted|updated|modified|last|first|created|updates|reading|read|follow|email",
        "e-mail|contact|view|veröffentlicht|aktualisiert|stand|zuletzt|erstellt|publié|publiée|publie|mis",
        "modifié|publicado|publicada|actualizado|actualizada|atualizado|pubblicato|aggiornato|ultimo",
        "gepubliceerd|bijgewerkt|publicerad|publicerat|uppdaterad|publisert|oppdatert|publiceret|opdateret",
        "julkaistu|opublikowano|aktualizacja|publikováno|zveřejněno|опубликовано|обновлено|опубліковано",
        "оновлено|δημοσίευση|yayınlanma|güncelleme|diterbitkan|报道|報道|報導|报导|综合报道|綜合報導|摄影报道|整理|入力|수정|입력|发布",
        "發布",
    ])
});

/// Words between an author and who or where the article was written for: "in Berlin", "for The Post", "and agencies".
pub(super) static LINKS: LazyLock<WordSet> =
    LazyLock::new(|| set(&["in|for|from|at|of|aus|für|à|au|pour|para|desde|voor|per|da|w|dla|в|из|для"]));

/// Places of several words from which papers report: they look like names.
pub(super) static PLACES: LazyLock<WordSet> = LazyLock::new(|| {
    set(&[
        "new york|new york city|los angeles|san francisco|san diego|san antonio|las vegas|new orleans",
        "washington dc|washington d.c|washington, d.c|new delhi|hong kong|tel aviv|kuala lumpur",
        "buenos aires|rio de janeiro|são paulo|sao paulo|mexico city|ciudad de méxico|cape town|abu dhabi",
        "addis ababa|den haag|the hague|santiago de chile|bad homburg|frankfurt am main|st petersburg",
        "st. petersburg|saint petersburg|санкт-петербург|phnom penh|ho chi minh city|san salvador|san juan",
        "united states|united kingdom|south africa|new zealand|saudi arabia|salt lake city|kansas city",
        "st louis|st. louis|fort worth|new jersey|new mexico|north carolina|south carolina|port-au-prince",
        "port au prince|quezon city|san josé|san jose|la paz|panama city|guatemala city|east jerusalem",
        "west bank|gaza city|nur-sultan",
    ])
});

/// Agencies that nobody names.
pub(super) static AGENCIES_IN_GENERAL: LazyLock<WordSet> = LazyLock::new(|| {
    set(&[
        "agencies|agency|wires|wire services|wire reports|news agencies|news services|agenturen|agences",
        "agencias|agências|agenzie|agenzia|agentschappen|byråer|bureaus|ajanslar|агентства|agencje",
        "nyhetsbyråer",
    ])
});

/// Agencies that sign beside an author.
pub(super) static AGENCIES: LazyLock<WordSet> = LazyLock::new(|| {
    set(&[
        "afp|ap|dpa|reuters|apa|sda|efe|ansa|pti|ani|ians|tass|xinhua|bloomberg|upi|anp|belga",
        "associated press|the associated press|agence france-presse|deutsche presse-agentur",
        "press association|pa|pa media|europa press|agencia efe|wam|kna|epd|sid|tt|ntb|ritzau|stt|lusa",
        "interfax|ukrinform|keystone-sda|afxp|dpa-afx|ip|canadian press|the canadian press|kyodo|jiji",
        "yonhap|anadolu|aa|aap|cna|antara",
    ])
});

/// Words within names that are written small.
pub(super) static PARTICLES: LazyLock<WordSet> = LazyLock::new(|| {
    set(&[
        "de|del|della|di|da|dal|dos|das|do|du|des|la|le|el|los|las|van|der|den|ter|ten|von|vom|zu|zum|zur",
        "bin|ibn|al|ul|ur|af|av|y|e|i|ap|ben|bint|abu|dr|mc|st|d'|o'|binti|und|and",
    ])
});
