//! The pages in a real browser: no violation of accessibility, nothing wider than the smallest phone (or a
//! zoom of 400 %), all of it by keyboard, each text in its own direction, nothing of a stranger that runs.
//! `walk` has the forms.
//!
//! The ignored one takes the pictures of docs/console.md, from the bundled samples.

use copydesk_article::StoryId;
use serde_json::{Value, json};

use crate::chromium::{Page, axe};
use crate::support::{Desk, Writes};

/// Rules of axe beyond WCAG that hold for a part of a page, not for one of these.
const CHECK: &str = "axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map(v => \
     v.id + ': ' + v.help + ' ' + v.nodes.map(n => n.html).join(' | ')))";

/// The bundled samples that are envelopes, and two that are refused.
async fn samples(label: &str, writes: Writes) -> Desk {
    let desk = Desk::new(label, writes).await;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../feed/samples");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    files.sort();
    let values: Vec<Value> = files
        .iter()
        .filter_map(|file| {
            let text = std::fs::read_to_string(file).ok()?;
            match file.extension()?.to_str()? {
                "json" => Some(serde_json::from_str(&text).unwrap_or(Value::String(text))),
                "html" => Some(json!({"url": "https://dailyledger.example/canal-talks", "html": text})),
                _ => None,
            }
        })
        .collect();
    assert!(values.len() >= 14, "{}", values.len());
    desk.store(&values).await;
    desk.index().await;
    desk
}

async fn addresses(desk: &Desk) -> Vec<(&'static str, String)> {
    let story = desk
        .number("SELECT story_id FROM stories ORDER BY articles DESC, story_id LIMIT 1")
        .await;
    let article = desk
        .number("SELECT article_id FROM removed_blocks GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1")
        .await;
    let copy: i64 = sqlx::query_scalar("SELECT max(article_id) FROM articles WHERE story_id = $1")
        .bind(story)
        .fetch_one(&desk.db)
        .await
        .unwrap();
    let offset = desk.number("SELECT min(\"offset\") FROM quarantined").await;
    let site: String = sqlx::query_scalar("SELECT site FROM articles WHERE article_id = $1")
        .bind(article)
        .fetch_one(&desk.db)
        .await
        .unwrap();
    vec![
        ("stories", "/stories".into()),
        ("story", format!("/stories/{story}")),
        ("article", format!("/articles/{article}")),
        ("compare", format!("/compare?a={story}&b={copy}")),
        ("search", "/search?q=ferry".into()),
        ("quarantine", "/quarantine".into()),
        ("message", format!("/quarantine/articles.raw/0/{offset}")),
        ("flow", "/flow".into()),
        ("sites", "/sites".into()),
        ("site", format!("/sites/{site}")),
        ("clean", "/clean".into()),
        ("log", "/log".into()),
        ("wrong", format!("/articles/{article}/wrong")),
        ("problem", "/articles/999999".into()),
    ]
}

/// Runs the steps of a test on a thread of their own: they wait for the browser.
pub(crate) async fn in_browser(steps: impl FnOnce(&mut Page) + Send + 'static) {
    tokio::task::spawn_blocking(move || steps(&mut Page::open()))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_violates_accessibility_or_is_wider_than_a_phone() {
    let desk = samples("console_axe", Writes::On).await;
    let (base, addresses) = (format!("http://{}", desk.address), addresses(&desk).await);
    in_browser(move |page| {
        let axe = axe();
        let mut found = Vec::new();
        for (width, scheme) in [(1280, "light"), (320, "dark")] {
            page.looks(width, 900, scheme);
            for (name, address) in &addresses {
                page.go(&format!("{base}{address}"));
                page.eval("document.querySelectorAll('details').forEach(d => { d.open = true })");
                let wide = page.eval("document.documentElement.scrollWidth");
                if wide.as_i64().unwrap() > width.into() {
                    found.push(format!("{name} at {width}: {wide} wide"));
                }
                page.eval(&axe);
                for violation in page.eval(CHECK).as_array().unwrap() {
                    found.push(format!("{name} at {width}, {scheme}: {violation}"));
                }
            }
        }
        assert!(found.is_empty(), "{}", found.join("\n"));
        // The checker itself is at work: this it would have found.
        page.eval("document.querySelector('main').innerHTML = '<img src=\"/icon.svg\"><input>'");
        let violations = page.eval(CHECK);
        assert!(violations.as_array().unwrap().len() >= 2, "{violations}");
    })
    .await;
}

/// Elements that a keyboard stops at, of a group of choices only the first; each with where it is drawn.
const STOPS: &str = "[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex=\"0\"]')]\
     .filter(e => e.checkVisibility() && (e.type !== 'radio' || e.checked)).length";
/// What has the focus: whether it is drawn with an outline, within the window.
const FOCUSED: &str = "(() => { const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();\
     return e === document.body ? null : {tag: e.outerHTML.slice(0, 120), seen: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2\
     && r.right > 0 && r.bottom > 0 && r.left < innerWidth && r.top < innerHeight}; })()";

#[tokio::test(flavor = "multi_thread")]
async fn a_keyboard_reaches_and_works_everything() {
    let desk = samples("console_keyboard", Writes::On).await;
    let (base, addresses) = (format!("http://{}", desk.address), addresses(&desk).await);
    in_browser(move |page| {
        page.looks(1100, 800, "light");
        for (name, address) in &addresses {
            page.go(&format!("{base}{address}"));
            page.press("Tab");
            assert_eq!(page.eval("document.activeElement.className"), "skip", "{name}");
            let stops = page.eval(STOPS).as_i64().unwrap();
            for stop in 1..=stops {
                let focused = page.eval(FOCUSED);
                assert!(
                    focused["seen"] == true,
                    "{name}, stop {stop} of {stops}: {focused}"
                );
                page.press("Tab");
            }
            // Behind the last of them is nothing of the page: each was a stop once.
            assert_eq!(
                page.eval(FOCUSED),
                Value::Null,
                "{name} has more stops than {stops}"
            );
        }
        let story = &addresses.iter().find(|(n, _)| *n == "article").unwrap().1;
        page.go(&format!("{base}{story}"));
        page.press("Tab");
        page.press("Enter");
        assert_eq!(page.eval("location.hash"), "#main");
        page.eval("document.querySelector('details.removed > summary').focus()");
        page.press("Enter");
        assert_eq!(page.eval("document.querySelector('details.removed').open"), true);
        page.go(&format!("{base}/search"));
        page.fill("input[name=q]", "ferry");
        page.eval("document.querySelector('input[name=q]').focus()");
        page.loading(|page| page.press("Enter"));
        assert!(page.path().contains("q=ferry"), "{}", page.path());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_text_has_its_own_direction_and_language() {
    let desk = Desk::new("console_scripts", Writes::On).await;
    let hebrew = "המעבורת עזבה את הנמל באיחור של שעתיים ביום שני בגלל ערפל כבד, כך מסרה רשות הנמלים. הקברניט אמר כי איש מהנוסעים לא היה בסכנה.";
    let arabic = "غادرت العبّارة الميناء متأخرة ساعتين يوم الاثنين بسبب الضباب الكثيف، وفق ما أعلنته سلطة الموانئ. وقال القبطان إن أحدا لم يكن في خطر.";
    let japanese = "東京都は月曜日、港の一部を閉鎖すると発表した。濃い霧のため、連絡船は二時間遅れて出港した。乗客二百四十人が岸壁で待っていた。";
    let article = |site: &str, language: &str, title: &str, text: &str| json!({"url": format!("https://{site}/1"), "title": title, "language": language, "text": text});
    desk.store(&[
        article("namal.example", "he", "המעבורת איחרה", hebrew),
        article("mina.example", "ar", "تأخر العبّارة", arabic),
        article("minato.example", "ja", "港を閉鎖", japanese),
        article("port.example", "en", "Ferry late", "The ferry left the harbour two hours late on Monday because of dense fog, the port authority said."),
    ])
    .await;
    let base = format!("http://{}", desk.address);
    in_browser(move |page| {
        for (article, language, direction) in [(1, "he", "rtl"), (2, "ar", "rtl"), (3, "ja", "ltr"), (4, "en", "ltr")] {
            page.go(&format!("{base}/articles/{article}"));
            let look = page.eval(
                "(() => { const of = s => { const e = document.querySelector(s); return [e.closest('[lang]').lang, getComputedStyle(e).direction]; };
                 return [of('h1 bdi'), of('article.prose > p:last-of-type')]; })()",
            );
            assert_eq!(look, json!([[language, direction], [language, direction]]), "{article}");
            // What the console itself says around it stays as it is.
            assert_eq!(page.eval("getComputedStyle(document.querySelector('main h2')).direction"), "ltr");
        }
        page.go(&format!("{base}/stories"));
        let titles = page.eval("[...document.querySelectorAll('ol.rows a.title bdi')].map(e => [e.lang, getComputedStyle(e).direction])");
        let expected = json!([["en", "ltr"], ["ja", "ltr"], ["ar", "rtl"], ["he", "rtl"]]);
        assert_eq!(titles, expected);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_strangers_run_nothing_in_a_browser() {
    let desk = Desk::new("console_runs", Writes::On).await;
    let trick = "</title></textarea></svg><script>pwned=1;alert(1)</script><img src=x onerror=pwned=1>\" onfocus=pwned=1 autofocus x=\"";
    let body = copydesk_testkit::ArticleGenerator::new(5).babble(4);
    let article = |n: u32| {
        json!({
            "url": format!("https://x{n}.example/a"), "title": trick, "authors": [trick], "language": "en", "tags": [trick],
            "text": format!("{trick}\n\n{body}"), "extra": trick,
        })
    };
    desk.store(&[article(1), article(2), Value::String(format!("{{{trick}"))])
        .await;
    desk.index().await;
    desk.store
        .merge_stories(
            StoryId(desk.number("SELECT max(story_id) FROM stories").await),
            StoryId(1),
            trick,
        )
        .await
        .ok();
    let base = format!("http://{}", desk.address);
    in_browser(move |page| {
        let asked: String = url::form_urlencoded::byte_serialize(trick.as_bytes()).collect();
        let mut addresses: Vec<String> = [
            "/stories", "/stories/1", "/articles/1", "/articles/1/wrong?block=0", "/compare?a=1&b=2", "/quarantine/articles.raw/0/2",
            "/search?q=pwned", "/sites", "/sites/x1.example", "/flow", "/log",
        ]
        .map(str::to_owned)
        .to_vec();
        for fields in ["stories?site=T&language=T", "search?q=T&site=T&language=T", "quarantine?reason=T&site=T&contains=T&lacks=T", "flow?site=T&language=T", "sites?from=T", "stories?order=T", "T"] {
            addresses.push(format!("/{}", fields.replace('T', &asked)));
        }
        for address in &addresses {
            page.go(&format!("{base}{address}"));
            assert_eq!(page.eval("typeof pwned"), "undefined", "{address}");
            let foreign = page.eval("document.querySelectorAll('script:not([src=\"/times.js\"]), img, iframe, object, embed, [onerror], [onfocus], [style]').length");
            assert_eq!(foreign, 0, "{address}");
            let events = page.take_events();
            assert!(!events.iter().any(|e| e["method"] == "Page.javascriptDialogOpening"), "{address}");
            // A policy that holds something back, or a file that is missing, is an entry in the browser's log.
            let logged: Vec<&Value> = events
                .iter()
                .filter(|e| e["method"] == "Log.entryAdded" && !e["params"]["entry"]["text"].to_string().contains("status of 4"))
                .collect();
            assert!(logged.is_empty(), "{address}: {logged:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes the pictures of docs/console.md: COPYDESK_TEST_PICTURES=$PWD/docs/pictures"]
async fn pictures_for_the_documentation() {
    let folder = std::env::var_os("COPYDESK_TEST_PICTURES").expect("the folder for the pictures");
    let desk = samples("console_pictures", Writes::On).await;
    let (base, addresses) = (format!("http://{}", desk.address), addresses(&desk).await);
    in_browser(move |page| {
        let looks = [
            ("stories", "stories", 1100, 760, "light"),
            ("story", "story", 1100, 900, "light"),
            ("article", "article", 1100, 900, "light"),
            ("compare", "compare", 1100, 700, "light"),
            ("story-phone", "story", 390, 844, "dark"),
        ];
        for (file, name, width, height, scheme) in looks {
            page.looks(width, height, scheme);
            let (_, address) = addresses.iter().find(|(n, _)| *n == name).unwrap();
            page.go(&format!("{base}{address}"));
            if name == "article" {
                page.eval(
                    "[...document.querySelectorAll('article > details.removed')].find(d => !d.querySelector('details')).open = true",
                );
            }
            let path = std::path::Path::new(&folder).join(format!("console-{file}.png"));
            std::fs::write(path, page.picture()).unwrap();
        }
    })
    .await;
}
