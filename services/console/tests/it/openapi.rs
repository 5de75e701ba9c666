//! The document for programs against the console itself: addresses, methods, filters, and what the answers hold.

use serde_json::{Map, Value, json};

use crate::support::{Desk, Writes, ferry};

/// Every address of the router with its method, as src/pages/mod.rs has them.
fn routes() -> Vec<(String, &'static str)> {
    let mut all = Vec::new();
    let router = include_str!("../../src/pages/mod.rs");
    for line in router.lines().filter_map(|l| l.trim().strip_prefix(".route(\"")) {
        let (route, handlers) = line.split_once('"').unwrap();
        for (handler, method) in [("reads(", "get"), ("changes(", "post")] {
            if handlers.contains(handler) && route != "/" {
                all.push((route.to_owned(), method));
            }
        }
    }
    all
}

fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of = |path: &String, methods: &'_ Value| -> Vec<(String, String)> {
        methods
            .as_object()
            .unwrap()
            .keys()
            .map(|m| (path.clone(), m.clone()))
            .collect()
    };
    paths
        .iter()
        .flat_map(|(path, methods)| of(path, methods))
        .map(|(path, method)| {
            let operation = &document["paths"][&path][&method];
            (path, method, operation)
        })
        .collect()
}

fn properties(operation: &Value) -> &Map<String, Value> {
    let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
    schema["properties"].as_object().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_for_programs_says_what_the_console_does() {
    let desk = Desk::new("console_openapi", Writes::On).await;
    desk.store(&[
        ferry("a.example", "1", "Ferry leaves two hours late"),
        ferry("b.example", "2", "Fog holds up the ferry"),
        json!("{"),
    ])
    .await;
    let mut second = ferry("a.example", "1", "Ferry leaves three hours late");
    second["html"] = json!(
        second["html"]
            .as_str()
            .unwrap()
            .replace("two hours", "three hours")
    );
    desk.store(&[second]).await;
    let document = desk.json("/openapi.json").await;
    let all = operations(&document);
    let routes = routes();
    assert!(routes.len() >= 24, "{routes:?}");
    // The page of the form alone has nothing for programs.
    for (route, method) in routes
        .iter()
        .filter(|(r, m)| (r.as_str(), *m) != ("/clean", "get"))
    {
        let documented = all.iter().any(|(path, m, _)| path == route && m == method);
        assert!(documented, "{method} {route} is not in openapi.json");
    }
    for (path, method, operation) in &all {
        let served = routes.iter().any(|(r, m)| r == path && m == method);
        assert!(served, "{method} {path} is in openapi.json alone");
        assert!(operation["summary"].is_string(), "{path}");
        for part in path.split('{').skip(1).map(|p| p.split('}').next().unwrap()) {
            let named = operation["parameters"].as_array().unwrap().iter();
            assert!(
                named.into_iter().any(|p| p["name"] == part && p["in"] == "path"),
                "{path}: {part}"
            );
        }
        if method == "post" {
            assert!(
                operation["requestBody"].is_object() && operation["responses"]["200"].is_object(),
                "{path}"
            );
        }
    }

    // Each answer has the fields that the document names, and no others.
    let (a, b) = (
        desk.number("SELECT min(article_id) FROM articles")
            .await
            .to_string(),
        desk.number("SELECT max(article_id) FROM articles")
            .await
            .to_string(),
    );
    for (path, _, operation) in all.iter().filter(|(_, method, _)| method == "get") {
        let address = path
            .replace("{story}", &a)
            .replace("{article}", &a)
            .replace("{topic}", "articles.raw")
            .replace("{partition}", "0")
            .replace("{offset}", "2")
            .replace("{site}", "a.example");
        let query = match path.as_str() {
            "/compare" => format!("?a={a}&b={b}"),
            "/search" => "?q=ferry".to_owned(),
            _ => String::new(),
        };
        let answer = desk.json(&format!("{address}{query}")).await;
        let mut found: Vec<&String> = answer.as_object().unwrap().keys().collect();
        let mut named: Vec<&String> = properties(operation).keys().collect();
        found.sort();
        named.sort();
        assert_eq!(found, named, "{path}");
    }
}
