//! Texts of strangers in every field: nothing of them becomes markup, a link that runs, or an error.

use serde_json::json;

use crate::support::{Desk, Writes};

const TRICKS: [&str; 6] = [
    "</title></textarea></details></svg><script>alert(1)</script>",
    "\" onmouseover=\"alert(1)\" x=\"",
    "' autofocus onfocus='alert(1)",
    "<img src=x onerror=alert(1)>",
    "\u{202e}gnp.exe\u{2066}\u{200b}",
    "⟦x⟧ &lt;b&gt; ]]> <!-- --> {{7*7}} ${7*7}",
];

fn envelope(number: usize, trick: &str) -> serde_json::Value {
    let body = copydesk_testkit::ArticleGenerator::new(7_000 + number as u64).babble(3);
    json!({
        "url": format!("https://a{number}.example/{}",
            url::form_urlencoded::byte_serialize(trick.as_bytes()).collect::<String>()),
        "title": format!("Title {trick}"), "dek": format!("Dek {trick}"), "authors": [format!("Ada {trick}")],
        "language": trick, "section": trick, "tags": [trick, "ferry"], "agency": trick, "site_name": trick,
            "site": format!("a{number}.example"),
        "image_url": "javascript:alert(1)", "canonical_url": "javascript:alert(1)", "published_at":
            "2026-11-24",
        "text": format!("First {trick} paragraph.\n\n{body}\n\nLast {trick} paragraph of all."),
        "my_field": {"nested": trick},
    })
}

fn assert_harmless(path: &str, page: &str) {
    // Quotation marks are escaped within attributes and texts, so that these can only stand in a tag of a stranger.
    let page = &page.replace("<script src=\"/times.js\" defer></script>", "");
    for bad in [
        "<script",
        "<img",
        "onmouseover=\"alert",
        "onerror=alert(1)>",
        "href=\"javascript",
    ] {
        assert!(!page.contains(bad), "{path} has {bad}:\n{page}");
    }
    for tag in page.split('<').skip(1).filter_map(|t| t.split('>').next()) {
        let outside: String = tag.split('"').step_by(2).collect();
        assert!(
            !outside.contains(" on") && !outside.contains('\'') && !outside.contains("src="),
            "{path}: an attribute of a stranger in <{tag}>"
        );
    }
    for link in page.split("href=\"").skip(1).filter_map(|l| l.split('"').next()) {
        let ours = link.starts_with('/') && !link.starts_with("//");
        assert!(
            ours || link.starts_with("https://") || link.starts_with("http://") || link == "#main",
            "{path}: {link}"
        );
    }
    for one in ["</html>", "</main>", "<h1", "</head>"] {
        assert_eq!(page.matches(one).count(), 1, "{path}: {one} stands once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_strangers_stay_texts() {
    let desk = Desk::new("console_hostile", Writes::On).await;
    let mut values: Vec<_> = TRICKS.iter().enumerate().map(|(n, t)| envelope(n, t)).collect();
    values.extend(TRICKS.iter().map(|t| json!(format!("{{{t}"))));
    desk.store(&values).await;
    desk.index().await;
    // What only the database could hold: names that no message brings through.
    for (n, trick) in TRICKS.iter().enumerate() {
        let sql = "UPDATE article SET site = $1, url = $2, language = $1 WHERE \
            article_id = (SELECT article_id FROM articles ORDER BY article_id OFFSET $3 LIMIT 1)";
        sqlx::query(sql)
            .bind(format!("{trick}{n}.example"))
            .bind(format!("javascript:{trick}"))
            .bind(i64::try_from(n).unwrap())
            .execute(&desk.db)
            .await
            .unwrap();
        sqlx::query(
            "INSERT INTO site_block (site_hash, site, block, decision, sample, why, decided_by) \
            VALUES ($1, $2, $1, 'pin', $2, $2, $2)",
        )
        .bind(i64::try_from(n).unwrap() + 1)
        .bind(trick)
        .execute(&desk.db)
        .await
        .unwrap();
    }
    let ids: Vec<i64> = sqlx::query_scalar("SELECT article_id FROM articles ORDER BY 1")
        .fetch_all(&desk.db)
        .await
        .unwrap();
    let sites: Vec<String> = sqlx::query_scalar("SELECT site FROM articles ORDER BY 1")
        .fetch_all(&desk.db)
        .await
        .unwrap();
    let mut paths: Vec<String> = [
        "/stories",
        "/stories?order=largest",
        "/search?q=paragraph",
        "/quarantine",
        "/flow",
        "/sites",
        "/log",
    ]
    .map(str::to_owned)
    .to_vec();
    for id in &ids {
        paths.extend([
            format!("/stories/{id}"),
            format!("/articles/{id}"),
            format!("/compare?a={}&b={id}", ids[0]),
        ]);
    }
    let escape = |t: &str| {
        url::form_urlencoded::byte_serialize(t.as_bytes())
            .collect::<String>()
            .replace('+', "%20")
    };
    paths.extend(sites.iter().map(|s| format!("/sites/{}", escape(s))));
    paths.extend((6..12).map(|offset| format!("/quarantine/articles.raw/0/{offset}")));
    for trick in TRICKS {
        let t = escape(trick);
        paths.extend([
            format!("/search?q={t}&site={t}&language={t}"),
            format!("/stories?site={t}&language={t}"),
            format!("/quarantine?reason={t}&contains={t}&lacks={t}&state={t}"),
            format!("/flow?site={t}&language={t}"),
            format!("/sites?from={t}"),
        ]);
    }
    for path in &paths {
        assert_harmless(path, &desk.get(path).await.ok());
    }
    // Problems show what was asked for, too.
    for trick in TRICKS {
        let t = escape(trick);
        for path in [
            format!("/articles/{t}"),
            format!("/sites/{t}x"),
            format!("/stories?order={t}"),
            format!("/{t}"),
        ] {
            let reply = desk.get(&path).await;
            assert!((400..500).contains(&reply.status), "{path}: {}", reply.status);
            assert_harmless(&path, &reply.body);
        }
        for kind in ["html", "text", "json", trick] {
            let reply = desk
                .post("/clean", &[("page", trick), ("kind", kind), ("url", trick)])
                .await;
            assert_harmless("/clean", &reply.ok());
        }
    }
}
