//! What blocks are besides their text: the views make the same Markdown of it as the program does, and it can be left out.

use copydesk_article::{Block, BlockKind, CleanArticle, Image, Link, Markup, Metadata, RuleId};
use copydesk_store::{Item, Prepared, StoreConfig};
use serde_json::{Value, json};

use crate::support::{NOON, Scratch, Text, batch, message};

fn with(block: Block, markup: Markup) -> Block {
    Block {
        markup: Some(Box::new(markup)),
        ..block
    }
}

fn row(text: &str) -> Block {
    let markup = Markup {
        is_row: true,
        ..Markup::default()
    };
    with(Block::kept(BlockKind::Body, text), markup)
}

fn article() -> CleanArticle {
    let image = |n: u8, caption: Option<&str>| Image {
        url: format!("https://img.example/{n}.jpg"),
        alt: (n == 1).then(|| "The *quay* [old]".to_owned()),
        caption: caption.map(str::to_owned),
    };
    let linked = Markup {
        links: vec![Link {
            start: 4,
            end: 8,
            url: "https://news.example/quay".to_owned(),
        }],
        images: vec![image(1, Some("At \"dawn\".")), image(2, None)],
        ..Markup::default()
    };
    let heading = Markup {
        level: 3,
        ..Markup::default()
    };
    let gone = Markup {
        links: vec![Link {
            start: 0,
            end: 4,
            url: "https://news.example/gone".to_owned(),
        }],
        images: vec![image(3, None)],
        ..Markup::default()
    };
    let memory = Some("three others".to_owned());
    let removed = Block::removed(
        BlockKind::Body,
        "Read our newsletter.",
        RuleId::of("site-memory"),
        memory,
    );
    CleanArticle {
        metadata: Metadata::default(),
        blocks: vec![
            Block::kept(BlockKind::Dek, "A dek."),
            with(
                Block::kept(BlockKind::Body, "The quay größer_als *ever*, 日本 & <b>."),
                linked,
            ),
            Block::kept(BlockKind::Body, "A plain paragraph of the article."),
            with(removed, gone),
            with(Block::kept(BlockKind::SubHeadline, "What is next"), heading),
            Block::kept(BlockKind::ListItem, "One"),
            Block::kept(BlockKind::ListItem, "Two | three"),
            row("Port | Ships"),
            row("Brenmark | 7 | 8"),
            Block::kept(BlockKind::Quote, "It is open."),
            Block::kept(BlockKind::Quote, "At last."),
            Block::kept(BlockKind::Caption, "The quay."),
        ],
        warnings: Vec::new(),
        rules_version: "test".into(),
    }
}

fn item(offset: i64, clean: CleanArticle) -> Item {
    let fingerprint = copydesk_dedup::fingerprint(&clean);
    let prepared = Prepared::new(clean, fingerprint, None, serde_json::Map::new());
    Item {
        message: message(0, offset, NOON),
        outcome: Ok(prepared.into()),
    }
}

type Row = (Option<String>, Option<Value>, Option<Value>);

async fn rows(scratch: &Scratch) -> Vec<Row> {
    sqlx::query_as("SELECT body_markdown, links, images FROM articles ORDER BY article_id")
        .fetch_all(&scratch.db)
        .await
        .unwrap()
}

#[tokio::test]
async fn the_views_make_the_programs_markdown() {
    let scratch = Scratch::new("markup").await;
    let claimed = scratch.claim(0).await;
    let clean = article();
    let plain = Text {
        body: "Nothing but text.\n\nAnd no sign in it.",
        ..Text::default()
    };
    let items = vec![item(0, clean.clone()), plain.item(0, 1)];
    scratch.store.flush(&claimed, &batch(0, items)).await.unwrap();
    scratch.assert_law().await;
    let rows = rows(&scratch).await;
    let [(markdown, links, images), (text, no_links, no_images)] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    assert_eq!(markdown.as_deref(), Some(clean.body_markdown().as_str()));
    assert_eq!(
        *links,
        Some(json!([{"text": "quay", "url": "https://news.example/quay"}]))
    );
    assert_eq!(images.as_ref().and_then(Value::as_array).map(Vec::len), Some(3));
    assert_eq!(text.as_deref(), Some(plain.body));
    assert_eq!((no_links, no_images), (&Some(json!([])), &Some(json!([]))));
    let stored: String =
        sqlx::query_scalar("SELECT markup::text FROM article_text ORDER BY article_id DESC LIMIT 1")
            .fetch_one(&scratch.db)
            .await
            .unwrap();
    assert_eq!(stored, "{}", "no text is stored twice");
}

#[tokio::test]
async fn markup_can_be_left_out() {
    let scratch = Scratch::new("no_markup").await;
    let store = scratch
        .another_store(StoreConfig {
            markup: false,
            ..StoreConfig::default()
        })
        .await;
    let claimed = scratch.claim(0).await;
    store
        .flush(&claimed, &batch(0, vec![item(0, article())]))
        .await
        .unwrap();
    assert_eq!(rows(&scratch).await, [(None, None, None)]);
}
