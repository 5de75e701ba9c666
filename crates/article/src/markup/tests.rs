use super::*;
use crate::{Metadata, Removal, RuleId};

fn block(kind: BlockKind, text: &str, markup: Markup) -> Block {
    Block {
        markup: Some(Box::new(markup)),
        ..Block::kept(kind, text)
    }
}

fn link(text: &str, of: &str, url: &str) -> Link {
    let start = text.find(of).unwrap();
    Link {
        start,
        end: start + of.len(),
        url: url.into(),
    }
}

fn article(blocks: Vec<Block>) -> CleanArticle {
    CleanArticle {
        metadata: Metadata::default(),
        blocks,
        warnings: Vec::new(),
        rules_version: "1".into(),
    }
}

fn row(text: &str) -> Block {
    let markup = Markup {
        is_row: true,
        ..Markup::default()
    };
    block(BlockKind::Body, text, markup)
}

#[test]
fn blocks_become_markdown() {
    let text = "The harbour master said so.";
    let linked = Markup {
        links: vec![link(text, "harbour master", "https://news.example/hm")],
        images: vec![Image {
            url: "https://img.example/a.jpg".into(),
            alt: Some("A [ferry]".into()),
            caption: Some("The \"Gull\".".into()),
        }],
        ..Markup::default()
    };
    let heading = Markup {
        level: 3,
        ..Markup::default()
    };
    let mut gone = block(BlockKind::Boilerplate, "Share", Markup::default());
    gone.removed = Some(Removal {
        rule: RuleId::of("share"),
        evidence: None,
    });
    let exclaimed = Markup {
        links: vec![link("Look!here", "here", "https://news.example/h")],
        ..Markup::default()
    };
    let shout = article(vec![block(BlockKind::Body, "Look!here", exclaimed)]);
    assert_eq!(shout.body_markdown(), "Look\\![here](https://news.example/h)");
    let all = article(vec![
        block(BlockKind::Body, text, linked),
        block(BlockKind::SubHeadline, "What is next", heading),
        gone,
        Block::kept(BlockKind::ListItem, "One"),
        Block::kept(BlockKind::ListItem, "Two"),
        row("Port | Ships"),
        row("Brenmark | 7 | new"),
        Block::kept(BlockKind::Quote, "It is open."),
        Block::kept(BlockKind::Quote, "At last."),
    ]);
    assert_eq!(
        all.body_markdown(),
        "![A \\[ferry\\]](https://img.example/a.jpg \"The \\\"Gull\\\".\")\n\n\
         The [harbour master](https://news.example/hm) said so.\n\n### What is next\n\n- One\n- Two\n\n\
         | Port | Ships |  |\n| --- | --- | --- |\n| Brenmark | 7 | new |\n\n> It is open.\n>\n> At last."
    );
    let links: Vec<_> = all.links().collect();
    assert_eq!(links, [(0, "harbour master", "https://news.example/hm")]);
    assert_eq!(all.images().count(), 1);
}

#[test]
fn what_strangers_write_is_no_markup() {
    for (text, markdown) in [
        ("<script>alert(1)</script>", r"\<script\>alert(1)\</script\>"),
        ("[click](javascript:alert(1))", r"\[click\](javascript:alert(1))"),
        ("# Not a heading", r"\# Not a heading"),
        ("- no item", r"\- no item"),
        ("1986. A year.", r"1986\. A year."),
        ("3.5 tonnes", "3.5 tonnes"),
        ("file_name and _this_", r"file_name and \_this\_"),
        ("AT&T &lt;b&gt; a & b", r"AT\&T \&lt;b\&gt; a & b"),
        ("5 * 3 `x` ~~y~~ a|b", r"5 \* 3 \`x\` \~\~y\~\~ a\|b"),
        ("two\nlines", "two lines"),
        ("Plain - text, with + signs #1.", "Plain - text, with + signs #1."),
    ] {
        let one = article(vec![Block::kept(BlockKind::Body, text)]);
        assert_eq!(one.body_markdown(), markdown);
    }
}

#[test]
fn addresses_are_of_the_web_and_end_where_they_end() {
    for bad in [
        "javascript:alert(1)",
        "data:text/html,x",
        "//news.example/a",
        "/a",
        "https://a.example/\n",
    ] {
        assert_eq!(safe_address(bad), None, "{bad}");
    }
    for (url, safe) in [
        (
            "https://news.example/a_(b)?x=[1]",
            "https://news.example/a_%28b%29?x=%5B1%5D",
        ),
        (
            "https://news.example/?a=1&copy;=2",
            "https://news.example/?a=1&copy%3B=2",
        ),
        ("http://news.example/a;b", "http://news.example/a;b"),
    ] {
        assert_eq!(safe_address(url).as_deref(), Some(safe));
    }
}
