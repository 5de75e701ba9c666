//! Who is not let in, what is not shown, and the pages that say so.

use copydesk_console::Access;
use copydesk_testkit::ScratchDatabase;
use serde_json::Value;

use crate::support::{Desk, Writes, as_role, ask, ferry, loopback, options, serve};

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_keeps_a_browser_from_doing_more() {
    let desk = Desk::new("console_headers", Writes::Off).await;
    for path in [
        "/stories",
        "/style.css",
        "/nowhere",
        "/articles/7",
        "/openapi.json",
    ] {
        let reply = desk.get(path).await;
        let policy = reply.header("content-security-policy").unwrap();
        for part in [
            "default-src 'none'",
            "style-src 'self'",
            "img-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(
            policy.contains("script-src 'self';") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(reply.header("referrer-policy"), Some("same-origin"), "{path}");
        assert_eq!(reply.header("set-cookie"), None, "{path}");
        let scripts = reply.body.matches("<script").count();
        assert_eq!(
            scripts,
            reply
                .body
                .matches("<script src=\"/times.js\" defer></script>")
                .count(),
            "{path}"
        );
        assert!(!reply.body.contains(" style="), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_methods_and_origins_are_checked() {
    let desk = Desk::new("console_guard", Writes::Off).await;
    let get = |host: &str| format!("GET /stories HTTP/1.1\r\nHost: {host}\r\n");
    assert_eq!(ask(desk.address, &get("localhost:1"), "").await.status, 200);
    assert_eq!(ask(desk.address, &get("rebound.example"), "").await.status, 421);
    assert_eq!(
        ask(
            desk.address,
            "GET http://evil.example/stories HTTP/1.1\r\nHost: localhost\r\n",
            ""
        )
        .await
        .status,
        421
    );
    for (headers, status) in [
        ("Sec-Fetch-Site: cross-site\r\n", 403),
        ("Sec-Fetch-Site: same-site\r\n", 403),
        ("Origin: http://evil.example\r\n", 403),
        ("Origin: null\r\n", 403),
        ("Origin: http://localhost\r\n", 200),
        ("", 200),
    ] {
        let reply = desk
            .post_with("/clean", &[("page", "x"), ("kind", "json")], headers)
            .await;
        assert_eq!(reply.status, status, "{headers}");
    }
    assert_eq!(
        ask(
            desk.address,
            "DELETE /stories HTTP/1.1\r\nHost: localhost\r\n",
            ""
        )
        .await
        .status,
        405
    );
    assert_eq!(desk.post("/stories", &[]).await.status, 405);
    assert_eq!(desk.get("/nowhere").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_says_who_asks() {
    let desk = Desk::new("console_proxy", Writes::Off).await;
    let access = |proxies: &str| Access::new("127.0.0.1:0".parse().unwrap(), "X-User", proxies, "").unwrap();
    let reads = as_role(desk.url(), "copydesk_reader");
    let (trusted, _a) = serve(options(reads.clone(), None, access("127.0.0.0/8"))).await;
    let (stranger, _b) = serve(options(reads, None, access("10.0.0.0/8"))).await;
    let head = |user: &str| format!("GET /stories HTTP/1.1\r\nHost: localhost\r\n{user}");
    let named = ask(trusted, &head("X-User: ada\r\n"), "").await;
    assert!(named.ok().contains("user <bdi>ada</bdi>"));
    assert_eq!(ask(trusted, &head(""), "").await.status, 403);
    assert_eq!(
        ask(trusted, &head("X-User: ada\r\nX-User: root\r\n"), "")
            .await
            .status,
        403
    );
    assert_eq!(ask(stranger, &head("X-User: ada\r\n"), "").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_that_cannot_be_read_are_named() {
    let desk = Desk::new("console_bad", Writes::Off).await;
    for path in [
        "/stories?order=best",
        "/stories?after=x",
        "/stories?since=yesterday",
        "/compare",
        "/compare?a=x&b=1",
        "/flow?days=many",
        "/quarantine?after=x",
        "/log?before=x",
    ] {
        let reply = desk.get(path).await;
        assert_eq!(reply.status, 400, "{path}: {}", reply.body);
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n");
        let said: Value = serde_json::from_str(&ask(desk.address, &head, "").await.body).unwrap();
        assert!(
            said["error"].is_string() && said["mend"].is_string(),
            "{path}: {said}"
        );
    }
    // Zero bytes and what is no UTF-8 find nothing, and fail nothing.
    for path in [
        "/stories?site=%00&language=%FF",
        "/search?q=%00%FF",
        "/sites?from=%00",
        "/quarantine?contains=%00",
    ] {
        assert_eq!(desk.get(path).await.status, 200, "{path}");
    }
    for path in ["/sites/%00", "/quarantine/%00/0/0", "/quarantine/x/99999999999/0"] {
        assert_eq!(desk.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_database_says_what_to_do() {
    let desk = Desk::new("console_empty", Writes::Off).await;
    for (path, said) in [
        ("/stories", "copydesk feed --samples"),
        ("/flow", "copydesk worker"),
        ("/quarantine", "No message matches"),
        ("/sites", "No site"),
        ("/search?q=x", "Nothing found"),
        ("/log", "Nothing was changed"),
    ] {
        let page = desk.get(path).await.ok();
        assert!(page.contains(said), "{path}: {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_or_has_another_schema_is_a_page() {
    let port = copydesk_testkit::free_port();
    let away = format!("postgres://nobody@127.0.0.1:{port}/none");
    let (address, _a) = serve(options(away, None, loopback())).await;
    let head = "GET /stories HTTP/1.1\r\nHost: localhost\r\n";
    let reply = ask(address, head, "").await;
    assert_eq!(reply.status, 503);
    assert!(
        reply.body.contains("The database is away") && !reply.body.contains("nobody"),
        "{}",
        reply.body
    );
    // The style sheet is there all the same.
    assert_eq!(
        ask(address, "GET /style.css HTTP/1.1\r\nHost: localhost\r\n", "")
            .await
            .status,
        200
    );

    let empty = ScratchDatabase::create("console_old").await;
    let (address, _b) = serve(options(empty.url().to_owned(), None, loopback())).await;
    let reply = ask(address, head, "").await;
    assert_eq!(reply.status, 503);
    assert!(reply.body.contains("copydesk migrate"), "{}", reply.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_sees_the_views_and_is_told_what_it_may_not_see() {
    let desk = Desk::new("console_reader", Writes::Off).await;
    desk.store(&[
        ferry("a.example", "1", "Ferry late"),
        ferry("b.example", "2", "Ferry late again"),
        Value::String("{".into()),
    ])
    .await;
    let id = desk.number("SELECT max(article_id) FROM articles").await;
    for (path, said) in [
        (format!("/articles/{id}"), "copydesk story explain"),
        (format!("/stories/{id}"), "copydesk story explain"),
        ("/sites/a.example".into(), "copydesk site show"),
        ("/quarantine/articles.raw/0/2".into(), "copydesk quarantine show"),
    ] {
        let page = desk.get(&path).await.ok();
        assert!(page.contains(said), "{path}: {page}");
    }
    assert_eq!(
        desk.json(&format!("/articles/{id}")).await["decision"],
        Value::Null
    );
    assert!(desk.get("/stories").await.ok().contains("changes are off"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_too_long_is_said_and_the_rest_is_shown() {
    let desk = Desk::new("console_slow", Writes::Off).await;
    desk.store(&[ferry("a.example", "1", "Ferry late")]).await;
    // Whoever holds the table makes every question wait.
    let mut tx = desk.db.begin().await.unwrap();
    sqlx::query("LOCK TABLE article IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *tx)
        .await
        .unwrap();
    let mut short = options(as_role(desk.url(), "copydesk_reader"), None, loopback());
    short.reads.statement_timeout = std::time::Duration::from_secs(2);
    let (address, _stop) = serve(short).await;
    let id = "GET /articles/1 HTTP/1.1\r\nHost: localhost\r\n";
    let article = ask(address, id, "").await;
    assert_eq!(article.status, 503);
    assert!(article.body.contains("That took too long"), "{}", article.body);
    let flow = ask(address, "GET /flow HTTP/1.1\r\nHost: localhost\r\n", "")
        .await
        .ok();
    assert!(
        flow.contains("articles.raw[0]") && flow.contains("Ask for fewer days"),
        "{flow}"
    );
    tx.rollback().await.unwrap();
}
