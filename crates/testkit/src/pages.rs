//! Hostile pages: small ones that make large trees, and slow ones. Each kind is refused with a reason or gives an
//! article, and takes no more than any page may; none may take its neighbours along.
//!
//! The tests of `crates/clean` read this file as well, without the rest of this crate.

/// A kind of hostile page: its name, and what makes one of about so many bytes.
pub type Kind = (&'static str, fn(usize) -> String);

/// Every kind. The mechanism of each stands beside it.
pub const PAGE_KINDS: &[Kind] = &[
    // Each paragraph opens every formatting element again that was left open.
    ("reopened_b", |n| {
        page(&format!("<p>{}{}", numbered("<b x=", n / 2), unit("<p>x", n / 2)))
    }),
    ("reopened_font", |n| {
        page(&format!("<p>{}{}", fonts(400), unit("<p>x", n)))
    }),
    ("reopened_in_cells", |n| {
        page(&format!("<table>{}", unit(&format!("<tr><td>{}x", fonts(90)), n)))
    }),
    ("reopened_wide", |n| {
        page(&format!("<p>{}{}", wide(n / 4), unit("<p>x", n / 2)))
    }),
    // Each tag looks through the elements that are open.
    ("open_div", |n| page(&unit("<div>", n))),
    ("open_list", |n| page(&unit("<ul><li>", n))),
    ("open_span_end_i", |n| {
        page(&format!("{}{}", "<span>".repeat(450), unit("</i>", n)))
    }),
    ("open_span_end_p", |n| {
        page(&format!("{}{}", "<span>".repeat(450), unit("</p>", n)))
    }),
    ("open_div_dd", |n| {
        page(&format!("{}{}", "<div>".repeat(450), unit("<dd>", n)))
    }),
    ("open_svg_end", |n| {
        page(&format!("<svg>{}{}", "<g>".repeat(450), unit("</x>", n)))
    }),
    ("open_template", |n| unit("<template>", n)),
    ("open_frameset", |n| unit("<frameset>", n)),
    ("open_table", |n| page(&unit("<table><tr><td>", n))),
    ("misnested", |n| {
        page(&format!("{}{}", unit("<b><div>", n / 2), unit("</b>", n / 2)))
    }),
    // Each attribute looks through the others, of its tag or of the one element that it goes to.
    ("attributes", |n| page(&format!("<p {}>x", counted(n)))),
    ("attributes_at_an_end", |n| page(&format!("</p {}>x", counted(n)))),
    ("attributes_of_body", |n| page(&numbered("<body a", n))),
    ("formatting_compared", |n| {
        page(&format!("{}{}", wide(n / 2), unit("<b></b>", n / 2)))
    }),
    // What tells where the article is goes through all that an element holds.
    ("deep_blocks", |n| {
        bare(&unit(
            &format!("{}a{}", "<div>".repeat(400), "</div>".repeat(400)),
            n,
        ))
    }),
    ("deep_tables", |n| {
        bare(&unit(
            &format!("{}a{}", "<table><tr><td>".repeat(90), "</table>".repeat(90)),
            n,
        ))
    }),
    ("authors_within_each_other", |n| {
        page(&format!(
            "{}{}",
            "<div class=author>".repeat(400),
            unit("<i></i>", n)
        ))
    }),
    // Many of something, with nothing in it.
    ("links", |n| bare(&unit("<a href=x>a</a>", n))),
    ("scripts", |n| bare(&unit("<script>x</script>", n))),
    ("forms", |n| {
        bare(&unit("<form><input name=a><select><option>a</select></form>", n))
    }),
    ("breaks", |n| page(&unit("a<br><br>", n))),
    ("comments", |n| page(&unit("<p>a<!--c-->", n))),
    ("errors", |n| page(&"<".repeat(n))),
    ("entities", |n| page(&unit("&amp;", n))),
    ("attributes_of_all", |n| {
        page(&unit(
            "<i a b c d e f g h i j k l m n o p q r s t u v w x y z></i>",
            n,
        ))
    }),
    // JSON that takes a hundred times its size, or is mended at every bracket.
    ("json_of_small_maps", |n| json(&unit("{\"\":0},", n))),
    ("json_to_mend", |n| json(&unit("[1,],", n))),
    ("json_with_a_page_in_it", |n| {
        let html = format!("<p>{}{}", numbered("<b x=", n / 2), unit("<p>x", n / 2));
        page(&format!(
            "<script type=application/ld+json>{{\"@type\":\"NewsArticle\",\"headline\":\"{html}\"}}</script>"
        ))
    }),
    ("state_of_small_maps", |n| {
        bare(&format!("<script>{{\"a\":[{}0]}}</script>", unit("{\"\":0},", n)))
    }),
    ("state_at_a_long_place", |n| {
        let key = "k".repeat(n / 2);
        bare(&format!(
            "<script>{{\"{key}\":[{}0]}}</script>",
            unit("\"a\",\"b c\",", n / 2)
        ))
    }),
    // Each paragraph is looked for in a text that may hold them all.
    ("text_and_its_paragraphs", |n| {
        let line = "The quay was shut on Tuesday after the storm tore its rail away, said the port. ";
        page(&format!(
            "<div>{}</div>{}",
            unit(line, n / 2),
            unit(&format!("<p>{line}</p>"), n / 2)
        ))
    }),
    ("script_with_a_page_in_it", |n| {
        bare(&format!(
            "<script>\"<p>a<p>a<p>{}{}\"</script>",
            numbered("<b x=", n / 2),
            unit("<p>x", n / 2)
        ))
    }),
];

fn page(hostile: &str) -> String {
    let good = "<p>The quay was shut on Tuesday after the storm had torn away fifty metres of its rail, said the port.</p>";
    format!(
        "<!doctype html><html lang=en><title>Quay shut</title><body><article><h1>Quay shut after the storm</h1>{}{hostile}</article></body></html>",
        good.repeat(5)
    )
}

fn bare(hostile: &str) -> String {
    format!("<html><body>{hostile}</body></html>")
}

fn json(values: &str) -> String {
    page(&format!("<script type=application/ld+json>[{values}0]</script>"))
}

/// So many bytes of a unit, one at least.
fn unit(unit: &str, bytes: usize) -> String {
    unit.repeat((bytes / unit.len()).max(1))
}

/// So many bytes of a tag, each with a number of its own.
fn numbered(open: &str, bytes: usize) -> String {
    (0..bytes / (open.len() + 6))
        .map(|n| format!("{open}{n:05}>"))
        .collect()
}

fn fonts(count: usize) -> String {
    (0..count).map(|n| format!("<font size={n}>")).collect()
}

/// So many bytes of attributes.
fn counted(bytes: usize) -> String {
    (0..bytes / 7).map(|n| format!("a{n:05} ")).collect()
}

/// So many bytes of formatting elements, each with many attributes and one of its own.
fn wide(bytes: usize) -> String {
    let attributes: String = (0..250).map(|n| format!(" a{n:03}")).collect();
    (0..(bytes / 1_270).clamp(1, 400))
        .map(|n| format!("<b x={n}{attributes}>"))
        .collect()
}
