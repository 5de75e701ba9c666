//! What papers put around their articles, in the languages that the rules know, and sentences of articles that sound like it.
//! None of the lines was at hand when the lists were written.

use super::*;

/// In the middle of an article and at its end.
const GO: &[&str] = &[
    // Headings and lines that send readers on.
    "Also in the news: Ring road late again",
    "Mehr aus der Region",
    "Das könnte Sie noch interessieren: Fähre fährt bis Mitternacht",
    "Weitere Artikel aus diesem Ressort",
    "Nos derniers articles",
    "À lire également : le bac jusqu'à minuit",
    "Dans la même rubrique | Le bac jusqu'à minuit",
    "Más de esta sección",
    "Te recomendamos leer: El transbordador navega hasta medianoche",
    "Lee más aquí: El transbordador navega hasta medianoche",
    "Mais desta editoria",
    "Leia outras notícias: Balsa até a meia-noite",
    "Altri articoli di questa sezione",
    "Potrebbero interessarti anche: il traghetto fino a mezzanotte",
    "Meer uit deze rubriek",
    "Ook interessant voor u: Veer vaart tot middernacht",
    "Konuyla ilgili haber: Feribot gece yarısına kadar",
    "Bu kategorideki diğer haberler",
    "Son dakika haberleri",
    "مواضيع قد تهمك",
    "أخبار ذات صلة: العبارة تعمل ليلا",
    "مطالب پیشنهادی برای شما",
    "در همین زمینه بخوانید: کشتی تا نیمه‌شب",
    "خبریں جو آپ کو پسند آئیں گی: کشتی آدھی رات تک",
    "مزید متعلقہ خبریں",
    "इससे जुड़ी खबरें",
    "यह भी पढ़ें - नाव आधी रात तक चलेगी",
    "संबंधित बातम्या: नाव मध्यरात्रीपर्यंत",
    "या विभागातील इतर बातम्या",
    "এ বিভাগের আরও খবর",
    "আরও পড়ুন: ফেরি চলবে মাঝরাত পর্যন্ত",
    "மேலும் படிக்க: படகு நள்ளிரவு வரை",
    "இந்தப் பிரிவில் மேலும்",
    "このカテゴリーの最新記事",
    "あわせて読みたい関連記事",
    "同類文章",
    "【延伸閱讀】渡輪開到午夜",
    "많이 본 뉴스",
    "[관련기사] 나룻배 자정까지",
    "ข่าวในหมวดเดียวกัน",
    "อ่านข่าวเพิ่มเติม: เรือวิ่งถึงเที่ยงคืน",
    "Материалы по теме: Паром до полуночи",
    "Ещё новости раздела",
    "Останні новини рубрики",
    "Читайте також: Пором до опівночі",
    "Więcej z tego działu",
    "Przeczytaj również | Prom do północy",
    "Artikel terkait lainnya",
    "Baca juga: Feri sampai tengah malam",
    "Tin cùng chuyên mục",
    "Đọc thêm: Phà chạy đến nửa đêm",
    "Fler artiklar om ämnet",
    "Läs även: Färjan går till midnatt",
    "Lisää aiheesta",
    "Související články: Přívoz do půlnoci",
    "Kapcsolódó cikkeink: Komp éjfélig",
    "Știri din aceeași categorie",
    "Διαβάστε ακόμη: Φέρι ως τα μεσάνυχτα",
    "עוד בנושא: המעבורת עד חצות",
    // Buttons and prompts.
    "Folgt uns auf Instagram",
    "Suivez-nous sur TikTok",
    "Únete a nuestro canal de WhatsApp",
    "Inscreva-se no nosso canal do YouTube",
    "Seguici su Facebook",
    "Bizi Instagram'da takip edin",
    "تابعونا على يوتيوب",
    "ما را در تلگرام دنبال کنید",
    "हमें यूट्यूब पर फॉलो करें",
    "আমাদের ইউটিউব চ্যানেল সাবস্ক্রাইব করুন",
    "எங்கள் யூடியூப் சேனலை சப்ஸ்கிரைப் செய்யுங்கள்",
    "ہمارا یوٹیوب چینل سبسکرائب کریں",
    "公式Instagramをフォロー",
    "유튜브 채널 구독하기",
    "ติดตามเราบน YouTube",
    "Подписывайтесь на наш Telegram-канал",
    "Obserwuj nas na Facebooku",
    "Theo dõi chúng tôi trên Zalo",
    "Ikuti saluran WhatsApp kami",
    "Share this story with your friends",
    "Diesen Beitrag teilen",
    "Partagez sur WhatsApp",
    "Compartilhe esta matéria",
    "Bu haberi paylaş",
    "شارك هذا الخبر",
    "ही बातमी शेअर करा",
    "この記事をシェア",
    "แชร์ข่าวนี้",
    "İçerik reklamdan sonra devam ediyor",
    "El artículo continúa después del anuncio",
    "Статья продолжается после рекламы",
    "広告の後に続きます",
    "Subscribe to our YouTube channel for more videos like this one.",
    "Abonnieren Sie unseren Newsletter und verpassen Sie keine Nachricht aus der Region.",
    "Inscrivez-vous à notre newsletter pour recevoir l'essentiel de l'actualité.",
    "Suscríbete a nuestro boletín y recibe las noticias en tu correo.",
    "Receba as principais notícias no seu WhatsApp, clique aqui.",
    "Iscriviti al nostro canale Telegram per restare aggiornato.",
    "Schrijf je in voor onze nieuwsbrief en blijf op de hoogte.",
    "Son gelişmelerden haberdar olmak için WhatsApp kanalımıza katılın.",
    "اشترك في نشرتنا البريدية لتصلك آخر الأخبار.",
    "ताज़ा खबरों के लिए हमारे व्हाट्सएप चैनल से जुड़ें।",
    "ताज्या बातम्यांसाठी आमच्या यूट्यूब चॅनलला सबस्क्राइब करा.",
    "সর্বশেষ খবর পেতে আমাদের ফেসবুক পেজে লাইক দিন।",
    "最新ニュースをお届けするメールマガジンに登録してください。",
    "뉴스레터를 구독하고 매일 아침 소식을 받아보세요.",
    "Подпишитесь на нашу рассылку, чтобы не пропустить главное.",
    "Zapisz się na nasz newsletter i bądź na bieżąco.",
    "Đăng ký kênh YouTube của chúng tôi để không bỏ lỡ tin tức.",
    "Tilaa uutiskirjeemme, niin saat tärkeimmät uutiset sähköpostiisi.",
];

/// At the end of an article.
const GO_AT_THE_END: &[&str] = &[
    // Headings that go on as they like.
    "More on this from our region",
    "Latest articles in Local News",
    // Notes and questions of the paper.
    "© 2026 Brenmark Post. All rights reserved.",
    "© Brenmarker Bote. Alle Rechte vorbehalten, Nachdruck verboten.",
    "Sva prava pridržana.",
    "Tüm hakları saklıdır. İzinsiz kopyalanamaz.",
    "تمامی حقوق این سایت محفوظ است.",
    "सर्वाधिकार सुरक्षित।",
    "무단 전재 및 재배포 금지",
    "สงวนลิขสิทธิ์ ห้ามทำซ้ำหรือดัดแปลง",
    "The views expressed here are those of the author.",
    "Die Kolumne gibt nicht unbedingt die Meinung der Redaktion wieder.",
    "Las opiniones expresadas en esta columna son responsabilidad de su autor.",
    "Les propos tenus n'engagent que leur auteur.",
    "As opiniões expressas neste texto não refletem necessariamente a posição do jornal.",
    "Мнение автора может не совпадать с позицией редакции.",
    "Poglądy wyrażone w tekście są prywatnymi poglądami autora.",
    "Yazıda yer alan görüşler yazarın kişisel görüşleridir.",
    "الآراء الواردة في هذا المقال لا تعبر بالضرورة عن رأي الصحيفة.",
    "इस लेख में व्यक्त विचार लेखक के निजी हैं।",
    "মতামত লেখকের নিজস্ব।",
    "本文仅代表作者个人观点，不代表本报立场。",
    "本稿の内容は筆者個人の見解です。",
    "Do you have a story for us? Write to the newsroom.",
    "Haben Sie einen Hinweis für uns? Schreiben Sie uns.",
    "Vous avez repéré une erreur ? Écrivez-nous.",
    "¿Tienes una historia que contar? Escríbenos.",
    "Encontrou um erro? Fale com a redação.",
    "Hai una segnalazione? Scrivici.",
    "Heb je een tip voor de redactie? Mail ons.",
    "Bir haberiniz mi var? Bize yazın.",
    "هل لديك خبر؟ راسلنا.",
    "क्या आपके पास कोई खबर है? हमें बताएं।",
    "Нашли ошибку? Выделите её и нажмите Ctrl+Enter.",
    "Знайшли помилку? Напишіть нам.",
    "제보하기: 카카오톡 채널",
    "Fuente: Agencias",
    "출처: 해안일보",
    "Har du tips til oss? Send oss en e-post.",
    "Leserkommentare",
    "Deja tu comentario",
    "تعليقات القراء",
    "コメントを書く",
];

/// Sentences and headings of articles.
const STAY: &[&str] = &[
    "More from the region's farmers came to the meeting than anybody had expected.",
    "The latest articles of the association were signed in 1987, the lawyer said.",
    "Mehr aus dem Hafen herauszuholen, sei nicht möglich, sagte der Kapitän.",
    "Weitere Artikel des Vertrags sollen bis Freitag verhandelt werden, teilte der Rat mit.",
    "Nos derniers articles de presse datent de 1912, raconte l'archiviste du musée.",
    "Más de esta cosecha se perdió en marzo que en todo el año pasado.",
    "Lee más aquí que en la escuela, dijo la maestra de la isla.",
    "Mais desta água chega agora ao moinho, disse o moleiro.",
    "Altri articoli della legge restano in vigore, ha spiegato il sindaco.",
    "Meer uit deze oogst halen kan niet, zei de boer.",
    "Konuyla ilgili haber alamayan aileler limanda bekledi, dedi muhtar.",
    "Bizi burada kimse takip etmiyor, dedi kaptan.",
    "أخبار ذات أهمية وصلت إلى الميناء صباحا، قال القبطان.",
    "تابعونا من الشاطئ طوال الليل، قال الصياد الناجي.",
    "در همین زمینه شهردار گفت که پل تا پاییز بسته می‌ماند.",
    "ما را در دریا تنها گذاشتند، ناخدا گفت.",
    "इससे जुड़ी समस्याओं पर मंगलवार को चर्चा होगी, मेयर ने कहा।",
    "हमारे चैनल का पानी सूख गया है, किसानों ने बताया।",
    "संबंधित बातम्या खोट्या असल्याचे महापौरांनी सांगितले.",
    "আরও পড়ুয়া এবার স্কুলে ফিরেছে, প্রধান শিক্ষক বলেন।",
    "மேலும் படிக்க விரும்பும் மாணவர்களுக்கு உதவி கிடைக்கும் என்று அமைச்சர் கூறினார்.",
    "مزید پڑھنے کے لیے بچے شہر جاتے ہیں، استاد نے کہا۔",
    "関連記事を書いた記者は二人とも町の出身だと編集長は話した。",
    "同类文章在旧报纸里还有三篇，馆长说。",
    "많이 본 풍경이라고 선장은 말했다.",
    "Читайте также вслух, говорит учительница, и дети запомнят.",
    "Подпишитесь или уходите, сказал им чиновник.",
    "Więcej z tego pola nie da się zebrać, powiedział rolnik.",
    "Baca juga pelajaran sejarah di museum itu, kata pemandu.",
    "Đọc thêm ba trang nữa thì ông dừng lại, người thủ thư nói.",
    "Share this story with the grandchildren, the old keeper told her.",
    "Subscribe to our doctrine or leave, the sect's leader told the villagers.",
    "Follow us, the pilot had radioed, and the trawler followed.",
    "Die Kommentare der Leser seien ihm gleich, sagte der Bürgermeister.",
    "Nach der Werbung für den Hafen kamen mehr Gäste, sagte die Wirtin.",
    "Todos los derechos de pesca quedaron en manos de tres familias, según el alcalde.",
    "Uw mening telt niet, kregen de bewoners te horen.",
    "Our readers of meters come twice a year, the water board says.",
    "Do you have a story to tell, the judge asked the witness, or do you not?",
    "Il vous reste deux jours, a dit le juge aux pêcheurs.",
    "Recibe las quejas de los vecinos una funcionaria que, según contó, no puede resolverlas.",
    "Bağış toplayan dernek limana yeni bir tekne aldı.",
    "Suivez toute la côte et vous verrez le phare, disait son père.",
    "Join our crew, the notice on the harbour wall said, and see the north.",
];

fn fails(lines: &[&str], all_places: bool, goes: bool) -> Vec<String> {
    let mut out = Vec::new();
    for line in lines {
        let middle = text(&format!("{LEAD}\n\n{ONE}\n\n{line}\n\n{TWO}\n\n{THREE}"));
        let end = text(&format!("{LEAD}\n\n{ONE}\n\n{TWO}\n\n{THREE}\n\n{line}"));
        let page = html(&format!(
            "<html lang=en><body><article><h1>Weir to close</h1><p>{LEAD}</p><p>{ONE}</p><p>{TWO}</p><p>{THREE}</p><p>{line}</p></article></body></html>"
        ));
        let places = [("middle", middle), ("end", end), ("page", page)];
        for (place, clean) in places.iter().skip(usize::from(!all_places)) {
            let whole = [LEAD, ONE, TWO, THREE].iter().all(|p| clean.body().contains(p));
            if !whole || clean.body().contains(line) == goes {
                out.push(format!("{place}: {line} ({})", rule_of(clean, line)));
            }
        }
    }
    out
}

#[test]
fn lines_of_the_paper_go() {
    let mut failed = fails(GO, true, true);
    failed.extend(fails(GO_AT_THE_END, false, true));
    assert!(failed.is_empty(), "{}\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn sentences_of_the_article_stay() {
    let failed = fails(STAY, true, false);
    assert!(failed.is_empty(), "{}\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn elements_of_comments_are_known_by_their_names() {
    let remark =
        "They should have thought of that before they closed the road, and who pays for my ferry now?";
    for class in [
        "comments-widget",
        "article-comments__list",
        "CommentsSection",
        "fb-comments",
        "comment-thread",
        "reader-comments",
    ] {
        for place in ["<article>@</article>", "<article></article><div>@</div>"] {
            let comments =
                format!("<div class='{class}'><p>{remark}</p><p>{remark} Well, I do not.</p></div>");
            let article = format!("<h1>Weir to close</h1><p>{LEAD}</p><p>{ONE}</p><p>{TWO}</p>{comments}");
            let clean = html(&format!(
                "<html lang=en><body>{}</body></html>",
                place.replace('@', &article)
            ));
            assert!(!clean.body().contains(remark), "{class} in {place}");
            assert!(clean.body().contains(TWO), "{class} in {place}");
        }
    }
}

#[test]
fn marks_of_a_cut_go_and_the_words_before_them_stay() {
    for (mark, words) in [
        (
            "Barges on the northern canal will use the old lock, which adds … [+1234 chars]",
            "which adds",
        ),
        (
            "Barges on the northern canal will use the old lock, which adds...[+123 chars]",
            "which adds",
        ),
        (
            "Barges on the northern canal will use the old lock, which adds […]",
            "which adds",
        ),
        (
            "Barges on the northern canal will use the old lock, which adds [...]",
            "which adds",
        ),
        (
            "Barges on the northern canal will use the old lock, which adds [&hellip;]",
            "which adds",
        ),
    ] {
        let clean = text(&format!("{LEAD}\n\n{ONE}\n\n{mark}"));
        let page = html(&format!(
            "<html lang=en><body><article><h1>Weir to close</h1><p>{LEAD}</p><p>{ONE}</p><p>{mark}</p></article></body></html>"
        ));
        for clean in [clean, page] {
            let body = clean.body();
            assert!(body.contains(words) && !body.contains("chars]"), "{mark}: {body}");
            assert!(!body.contains('['), "{mark}: {body}");
        }
    }
    // Within a text it stands for what somebody left out.
    let quoted = "“The gates [...] will be repaired,” the letter says, “and the lock […] opened again.”";
    assert!(
        text(&format!("{LEAD}\n\n{quoted}\n\n{ONE}"))
            .body()
            .contains(quoted)
    );
}

#[test]
fn comments_go_from_behind_a_short_article() {
    for (heading, words) in [
        (
            "Comments",
            "Good that somebody looks after the old weir at last, I say.",
        ),
        (
            "Kommentare",
            "Endlich kümmert sich jemand um das alte Wehr, das wurde Zeit.",
        ),
        (
            "About the author",
            "She has covered canals and harbours of the north since 2011.",
        ),
        (
            "Sobre el autor",
            "Cubre los canales y puertos del norte desde el año 2011.",
        ),
    ] {
        for clean in [
            text(&format!("{LEAD}\n\n{ONE}\n\n{TWO}\n\n{heading}\n\n{words}")),
            html(&format!(
                "<html lang=en><body><article><h1>Weir to close</h1><p>{LEAD}</p><p>{ONE}</p><p>{TWO}</p><h3>{heading}</h3><p>{words}</p></article></body></html>"
            )),
        ] {
            assert!(
                !clean.body().contains(heading) && !clean.body().contains(words),
                "{heading}: {}",
                clean.body()
            );
        }
    }
    // A section of the article is not left without its heading.
    for heading in ["Discussion", "Diskussion", "Topics"] {
        let clean = text(&format!("{LEAD}\n\n{ONE}\n\n{heading}\n\n{TWO}\n\n{THREE}"));
        assert!(
            clean.body().contains(heading) && clean.body().contains(TWO),
            "{heading}: {}",
            clean.body()
        );
    }
}
