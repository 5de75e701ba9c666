//! A person's way through a real browser, once with scripts off and once on: each page, each action, each refusal.

use copydesk_console::Access;
use serde_json::{Value, json};

use crate::browser::in_browser;
use crate::chromium::Page;
use crate::support::{Desk, Writes, as_role, ferry, loopback, options, serve};

const HOSTILE: &str = "</textarea><script>pwned=1</script>\" onfocus=pwned=1 '<b>";

/// Two copies, another article, three messages that are refused, and a site that repeats a block.
async fn desk(label: &str) -> Desk {
    let desk = Desk::new(label, Writes::On).await;
    let babble = |seed| copydesk_testkit::ArticleGenerator::new(seed).babble(4);
    let promo = "Read the paper that sees the sea every morning before breakfast.";
    let mut values = vec![
        ferry("a.example", "1", "Ferry leaves two hours late"),
        ferry("b.example", "2", "Fog holds up the ferry"),
        json!({"url": "https://c.example/3", "title": "Something else", "language": "en", "text": babble(99)}),
        json!("{"),
        json!("{\"a\""),
        json!({"url": "https://d.example/4", "title": "No body"}),
    ];
    values.extend((0..3).map(|n| {
        json!({"url": format!("https://times.example/{n}"), "title": format!("News {n}"), "language": "en",
            "text": format!("{}\n\n{promo}", babble(300 + n))})
    }));
    let mut second = ferry("a.example", "1", "Ferry leaves three hours late");
    second["html"] = json!(
        second["html"]
            .as_str()
            .unwrap()
            .replace("two hours", "three hours")
    );
    values.push(second);
    desk.store(&values).await;
    desk.index().await;
    desk
}

fn shows(page: &mut Page, expected: &str) {
    let text = page.text();
    assert!(
        text.contains(expected),
        "{expected:?} is missing at {}: {text}",
        page.path()
    );
    assert_eq!(page.eval("typeof pwned"), "undefined", "{}", page.path());
}

/// Sends a form, and then the one that asks whether that is meant.
fn sure(page: &mut Page, button: &str, asks: &str) {
    page.click(button);
    shows(page, asks);
    page.click("main form button");
}

fn looks(page: &mut Page, base: &str) {
    page.go(base);
    assert_eq!(page.path(), "/stories");
    page.fill("form[action='/stories'] input[name=site]", "a.example");
    page.click("form[action='/stories'] button");
    shows(page, "Ferry leaves three hours late");
    page.click("ol.rows a.title");
    shows(page, "2 articles on 2 sites");
    page.click("form[action='/compare'] button");
    assert!(page.path().starts_with("/compare?a="), "{}", page.path());
    assert!(
        page.eval("document.querySelectorAll('ins, del').length")
            .as_i64()
            .unwrap()
            > 0
    );
    page.click(".pair h2 a");
    shows(page, "Why it is in this story");
    page.click("a[href$='/versions?from=1&to=2']");
    shows(page, "What changed in article");
    page.go(&format!("{base}/search"));
    page.fill("input[name=q]", HOSTILE);
    page.click("form[action='/search'] button");
    shows(page, "Nothing found");
    page.fill("input[name=q]", "radar");
    page.click("form[action='/search'] button");
    assert_eq!(page.eval("document.querySelector('mark').innerText"), "radar");
    page.go(&format!("{base}/quarantine"));
    page.fill("input[name=lacks]", "EOF");
    page.click("form[action='/quarantine'] button");
    shows(page, "articles.raw[0]@5");
    page.click("td a[href$='/0/5']");
    shows(page, "Settle it");
    // 1,000 messages are on the topic, ten of them are stored or refused.
    for (link, expected) in [
        ("flow", "990"),
        ("sites", "times.example"),
        ("log", "Nothing was changed yet"),
        ("clean", "Nothing is stored"),
    ] {
        page.click(&format!("nav a[href='/{link}']"));
        shows(page, expected);
    }
    page.fill("textarea", HOSTILE);
    page.click("form[action='/clean'] button");
    shows(page, "Another");
    page.eval("document.querySelector('details:has(form[action=\"/clean/report\"])').open = true");
    let report: Value = serde_json::from_str(&page.download("form[action='/clean/report'] button")).unwrap();
    assert_eq!(report["input"]["page"], HOSTILE);
}

fn changes(page: &mut Page, base: &str) {
    page.go(&format!("{base}/stories/3"));
    page.fill("input[name=into]", "1");
    page.fill("form[action$='/merge'] input[name=why]", HOSTILE);
    sure(page, "form[action$='/merge'] button", "Merge two stories?");
    assert_eq!(page.path(), "/stories/1");
    shows(page, &format!("{HOSTILE} (local, console)"));
    sure(page, "form[action$='/undo'] button", "Take a change back?");
    shows(page, "Something else");
    page.go(&format!("{base}/stories/1"));
    page.eval("document.querySelector('input[form=split][value=\"2\"]').checked = true");
    sure(page, "#split button", "Take articles out of the story?");
    shows(page, "Fog holds up the ferry");

    page.go(&format!("{base}/articles/1"));
    page.eval("document.querySelector('a[href*=\"wrong?block=\"]').closest('details').open = true");
    page.click("a[href*='wrong?block=']");
    page.fill("textarea", HOSTILE);
    let report: Value = serde_json::from_str(&page.download("form[action$='/report'] button")).unwrap();
    assert_eq!(
        (&report["note"], &report["output"]["article"]["article_id"]),
        (&json!(HOSTILE), &json!(1))
    );
    page.go(&format!("{base}/articles/3"));
    page.fill("form[action$='/takedown'] input[name=why]", HOSTILE);
    sure(
        page,
        "form[action$='/takedown'] button",
        "Take this article down?",
    );
    shows(page, "is removed");
    page.go(&format!("{base}/articles/3"));
    shows(page, "was taken down");
    page.click("nav a[href='/log']");
    sure(page, "form[action$='/lift'] button", "Lift a takedown?");
    shows(page, "lifted since");

    page.go(&format!("{base}/quarantine"));
    page.eval("document.querySelector('input[form=ticked]').checked = true");
    sure(page, "#ticked button", "Try these messages again?");
    shows(page, "0 stored, 1 refused again");
    page.go(&format!("{base}/quarantine"));
    page.eval("document.querySelector('input[form=ticked]').checked = true");
    sure(page, "#ticked button.grave", "Give these messages up?");
    shows(page, "articles.raw[0]@5");
    sure(
        page,
        "div.filters form[action='/quarantine/discard'] button",
        "2 messages",
    );
    shows(page, "No message matches");

    for (what, said) in [
        ("pin", "pin"),
        ("forget", "forget"),
        ("clear", "Nothing: no block is pinned"),
    ] {
        page.go(&format!("{base}/sites/times.example"));
        sure(page, &format!("button[value={what}]"), "sees the sea");
        shows(page, said);
    }
}

/// Address, and what the page says.
const REFUSED: [(&str, &str); 8] = [
    ("/nowhere", "No such page"),
    ("/stories/999999", "There is neither a story nor an article"),
    ("/articles/x", "is no number"),
    ("/stories?since=yesterday", "write a day as"),
    ("/stories?order=best", "Go back and correct it"),
    ("/compare", "Name two articles"),
    ("/stories/1/merge", "Not this way"),
    ("/sites/nowhere.example", "No article is of the site"),
];

fn refusals(page: &mut Page, base: &str, read_only: &str, stranger: &str) {
    for (address, expected) in REFUSED {
        page.go(&format!("{base}{address}"));
        shows(page, expected);
        page.click("nav a[href='/stories']");
    }
    page.go(&base.replace("127.0.0.1", "rebound.example"));
    shows(page, "Not under this name");
    // A page elsewhere that has its visitors make a change.
    page.go(&format!("data:text/html,<form method=post action={base}/stories/2/merge><input name=into value=1><input name=sure value=yes><button></form>"));
    page.click("button");
    shows(page, "came from another site");
    page.go(&format!("{read_only}/stories/1"));
    assert_eq!(
        page.eval("document.querySelectorAll('form[method=post]').length"),
        0
    );
    // A form that was there before changes were switched off.
    page.eval("document.body.insertAdjacentHTML('beforeend', '<form id=old method=post action=/stories/1/merge><button></form>')");
    page.click("#old button");
    shows(page, "Changes are off");
    page.go(&format!("{stranger}/stories"));
    shows(page, "Come through the proxy");
    page.go(&format!("{base}/stories/1"));
    page.fill("input[name=into]", "999999");
    page.click("form[action$='/merge'] button");
    shows(page, "There is neither a story nor an article 999999");
}

fn times(page: &mut Page, base: &str, scripts: bool) {
    page.zone("Asia/Kolkata");
    page.go(&format!("{base}/articles/1"));
    let published = page.eval("document.querySelector('time[datetime=\"2026-11-24T09:00:00Z\"]').innerText");
    if scripts {
        assert_eq!(published, "2026-11-24 14:30 (09:00 UTC)");
        shows(page, "times are in Asia/Calcutta, UTC beside");
    } else {
        assert_eq!(published, "2026-11-24 09:00");
        shows(page, "times are in UTC");
    }
    page.zone("");
}

async fn walk(scripts: bool) {
    let desk = desk(if scripts {
        "console_walk_on"
    } else {
        "console_walk_off"
    })
    .await;
    let reads = as_role(desk.url(), "copydesk_reader");
    // A takedown needs the owner.
    let owner = as_role(desk.url(), "copydesk_owner");
    let (all, _a) = serve(options(reads.clone(), Some(owner), loopback())).await;
    let (read_only, _b) = serve(options(reads.clone(), None, loopback())).await;
    let proxied = Access::new("127.0.0.1:0".parse().unwrap(), "X-User", "10.0.0.0/8", "").unwrap();
    let (stranger, _c) = serve(options(reads, None, proxied)).await;
    let [base, read_only, stranger] = [all, read_only, stranger].map(|address| format!("http://{address}"));
    in_browser(move |page| {
        page.scripts(scripts);
        looks(page, &base);
        times(page, &base, scripts);
        refusals(page, &base, &read_only, &stranger);
        changes(page, &base);
    })
    .await;
    assert_eq!(
        desk.number("SELECT count(*) FROM story_events WHERE kind IN ('merge', 'split', 'undo')")
            .await,
        3
    );
    assert!(desk.store.audit().await.unwrap().is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_finds_their_way_without_script() {
    walk(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_finds_their_way_with_scripts() {
    walk(true).await;
}
