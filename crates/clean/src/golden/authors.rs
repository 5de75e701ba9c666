//! Who signs an article, one page a kind of byline.

use super::*;

fn page(head: &str, under_headline: &str, behind: &str) -> CleanArticle {
    html(&format!(
        "<html lang=en><head><title>Harbour reopens after nine days | The Brenmark Post</title>\
         <meta property=og:site_name content='The Brenmark Post'>{head}</head><body>\
         <article><h1>Harbour reopens after nine days</h1>{under_headline}\
         <p>Seven ships that had been waiting off the Grey Bank came in at dawn, the harbour master said on the quay.</p>\
         <p>Divers had searched the channel for a lost anchor chain until late on Thursday night, and found it there.</p></article>{behind}</body></html>"
    ))
}

fn ld(author: &str, more: &str) -> String {
    format!(
        r#"<script type="application/ld+json">{{"@graph":[{{"@type":"NewsArticle","headline":"Harbour reopens after nine days","author":{author}}}{more}]}}</script>"#
    )
}

const NOBODY: [&str; 0] = [];

#[test]
fn json_ld_names_by_reference_and_in_parts() {
    let person = r#",{"@type":"Person","@id":"https://brenmarkpost.example/#/person/7","name":"Jane Doe"}"#;
    let reference = r#"{"@id":"https://brenmarkpost.example/#/person/7"}"#;
    assert_eq!(
        page(&ld(reference, person), "", "").metadata.authors,
        ["Jane Doe"]
    );
    assert_eq!(
        page(&ld(&format!("[{reference}]"), person), "", "")
            .metadata
            .authors,
        ["Jane Doe"]
    );
    let parts = r#"{"@type":"Person","givenName":"Jane","familyName":"Doe"}"#;
    assert_eq!(page(&ld(parts, ""), "", "").metadata.authors, ["Jane Doe"]);
    let loose = r#"{"@id":"https://brenmarkpost.example/#/person/8"}"#;
    assert_eq!(page(&ld(loose, person), "", "").metadata.authors, NOBODY);
}

#[test]
fn an_organisation_beside_people_is_no_author() {
    let both = r#"[{"@type":"Organization","name":"Meridian Wire"},{"@type":"Person","name":"Jane Doe"}]"#;
    assert_eq!(page(&ld(both, ""), "", "").metadata.authors, ["Jane Doe"]);
    let alone = r#"{"@type":"Organization","name":"Meridian Wire"}"#;
    assert_eq!(page(&ld(alone, ""), "", "").metadata.authors, ["Meridian Wire"]);
}

#[test]
fn a_byline_goes_before_the_paper_and_before_roles() {
    let byline = "<p class=byline>By <a href=/authors/jd rel=author>Jane Doe</a></p>";
    let site = r#"{"@type":"Organization","name":"The Brenmark Post"}"#;
    assert_eq!(page(&ld(site, ""), byline, "").metadata.authors, ["Jane Doe"]);
    assert_eq!(
        page("<meta name=author content='Senior Reporter'>", byline, "")
            .metadata
            .authors,
        ["Jane Doe"]
    );
    assert_eq!(
        page(
            "<meta property=article:author content='https://social.example/jd'>",
            byline,
            ""
        )
        .metadata
        .authors,
        ["Jane Doe"]
    );
    // Where nobody signs, the paper does.
    assert_eq!(
        page(&ld(site, ""), "", "").metadata.authors,
        ["The Brenmark Post"]
    );
}

#[test]
fn those_who_comment_are_no_authors() {
    let comments = "<section id=comments><h2>2 comments</h2><div class=comment><span class='comment-author author' rel=author>grumpy_walt</span>\
        <p>They should have closed it years ago, if you ask me.</p></div></section>";
    assert_eq!(page("", "", comments).metadata.authors, NOBODY);
    let related = "<div class=related-stories><a href=/t><span class=author>John Roe</span> Tram strike goes on</a></div>";
    assert_eq!(page("", "", related).metadata.authors, NOBODY);
}

#[test]
fn ledes_are_no_bylines() {
    let zh = text(
        "瓦多拉石桥下周一起封闭\n\n记者从市交通局获悉，石桥下周一起封闭。\n\n交通局表示，检查发现五个桥拱中有两个出现裂缝，维修费用约为三百四十万元。\n\n\
         四路和九路公交车将绕行老渡口路，进城时间增加约十二分钟。",
    );
    assert_eq!(zh.metadata.authors, NOBODY);
    assert!(zh.body().starts_with("记者从市交通局获悉"), "{}", zh.body());
}

#[test]
fn who_reviewed_or_edited_is_no_author() {
    let by =
        "<p class=byline>By <a href=/author/jd>Jane Doe</a>. Reviewed by <a href=/author/jr>John Roe</a></p>";
    assert_eq!(page("", by, "").metadata.authors, ["Jane Doe"]);
    let only = "<div class=author>Reviewed by John Roe, Trial Attorney at Doe &amp; Roe</div>";
    assert_eq!(page("", only, "").metadata.authors, NOBODY);
}

#[test]
fn a_byline_that_readers_see_goes_before_an_account() {
    let account = ld(r#"{"@type":"Person","name":"KatieS"}"#, "");
    let by = "<p>By: Jane Doe</p>";
    assert_eq!(page(&account, by, "").metadata.authors, ["Jane Doe"]);
    // Two spellings of one name: what machines are told stands.
    let full = ld(r#"{"@type":"Person","name":"Jane M. Doe"}"#, "");
    assert_eq!(page(&full, by, "").metadata.authors, ["Jane M. Doe"]);
}

#[test]
fn a_name_beside_its_portrait_signs() {
    let portrait =
        "<div><img src=/jd.jpg alt='Headshot of Jane Doe'><p>Jane Doe</p><p>20 March 2026</p></div>";
    assert_eq!(page("", portrait, "").metadata.authors, ["Jane Doe"]);
    let section = "<div><p>Harbour News</p><p>Real Estate</p><p>20 March 2026</p><p>At the coast</p></div>";
    assert_eq!(page("", section, "").metadata.authors, NOBODY);
}

#[test]
fn somebody_far_from_the_headline_with_one_name_is_no_author() {
    let recent = "<ul><li><span class=author>Adah</span> <span class=date>a month ago</span></li></ul>";
    let far = format!(
        "{}{recent}",
        "<p>More from the quay of Brenmark is told on other pages of this paper.</p>".repeat(9)
    );
    assert_eq!(page("", "", &far).metadata.authors, NOBODY);
}

#[test]
fn an_administrator_signs_nothing_that_somebody_else_signs() {
    let admin = |path: &str| {
        ld(
            &format!(r#"{{"@id":"https://brenmarkpost.example/author/{path}/","name":"Brenmark D"}}"#),
            "",
        )
    };
    let name = "<p><strong>JANE DOE</strong></p>";
    assert_eq!(page(&admin("admin"), name, "").metadata.authors, ["JANE DOE"]);
    assert_eq!(page(&admin("bd"), name, "").metadata.authors, ["Brenmark D"]);
    assert_eq!(page(&admin("admin"), "", "").metadata.authors, ["Brenmark D"]);
}

#[test]
fn a_byline_that_readers_see_goes_before_somebody_they_are_not_told_of() {
    let news = ld(r#"{"@type":"Person","name":"Rolf Emmer"}"#, "");
    let by = "<p>By: Jane Doe</p>";
    // Papers tell machines who wrote.
    assert_eq!(page(&news, by, "").metadata.authors, ["Rolf Emmer"]);
    let editor = news.replace("NewsArticle", "BlogPosting");
    assert_eq!(page(&editor, by, "").metadata.authors, ["Jane Doe"]);
    let both = "<p>By: Jane Doe</p><p class=byline><a rel=author href=/re>Rolf Emmer</a></p>";
    assert_eq!(page(&editor, both, "").metadata.authors, ["Rolf Emmer"]);
}

#[test]
fn blogs_sign_below_an_entry() {
    let posted = "<div><p>Posted by Jane at March 20, 2026 6:40 PM</p></div>";
    assert_eq!(page("", "", posted).metadata.authors, ["Jane"]);
    let two = "<div><p>Posted by Jane at March 20, 2026</p><p>Posted by Walt at March 21, 2026</p></div>";
    assert_eq!(page("", "", two).metadata.authors, NOBODY);
}

#[test]
fn a_name_by_the_headline_signs_where_the_page_tells_of_its_bearer() {
    let line = "<ul><li>Jane Doe</li><li>20 March 2026</li></ul>";
    let about = "<div><h4>Jane Doe</h4><p>Jane has been reporting on the harbours of the north coast since she was nineteen years old.</p></div>";
    assert_eq!(page("", line, about).metadata.authors, ["Jane Doe"]);
    let subject = "<p>Jane Doe is to lead the harbour office of Brenmark from May, the council said on Thursday evening.</p>";
    assert_eq!(page("", &format!("{line}{subject}"), "").metadata.authors, NOBODY);
    let section = line.replace("Jane Doe", "Real Estate");
    let teaser = about.replace("<h4>Jane Doe", "<h4>Real Estate");
    assert_eq!(page("", &section, &teaser).metadata.authors, NOBODY);
}

#[test]
fn a_box_about_an_author_signs() {
    let about = |name: &str, bio: &str| {
        format!(
            "<section><div class=blog_author-wrapper><div>{name}</div><div><p>{bio}</p></div></div></section>"
        )
    };
    let bio = "Jane Doe is a pilot who writes about the sea lanes of the north, their lights and those who tend them.";
    let far = "<p>Three tugs lay at the quay all week, and nobody on board would say why.</p>".repeat(9);
    assert_eq!(
        page("", "", &format!("{far}{}", about("Jane Doe", bio)))
            .metadata
            .authors,
        ["Jane Doe"]
    );
    let other = about(
        "Jane Doe",
        "The pilots of the north know the sea lanes, their lights and those who tend them.",
    );
    assert_eq!(page("", "", &format!("{far}{other}")).metadata.authors, NOBODY);
}

#[test]
fn a_team_signs_in_an_element_made_for_authors() {
    let far = "<p>Three tugs lay at the quay all week, and nobody on board would say why.</p>".repeat(9);
    let team = |name: &str| format!("{far}<footer><span itemprop=author>{name}</span></footer>");
    assert_eq!(
        page("", "", &team("The Quay Team")).metadata.authors,
        ["The Quay Team"]
    );
    assert_eq!(page("", "", &team("admin")).metadata.authors, NOBODY);
}

#[test]
fn whom_the_text_speaks_of_does_not_sign_it() {
    let expert = "<p>Few know the currents as well as Jane Doe, who has measured them for years at the harbour office.</p>\
        <div><img src=/jd.jpg alt='Jane Doe'><p>Jane Doe</p><p>Engineer</p></div>";
    assert_eq!(page("", expert, "").metadata.authors, NOBODY);
}

#[test]
fn the_byline_under_the_headline_goes_before_those_of_other_stories() {
    let by = "<p class=byline>By Jane Doe</p>";
    let card = "<div class=card><h3>Tram strike goes on</h3><span class=byline>John Roe</span></div>";
    assert_eq!(page("", by, card).metadata.authors, ["Jane Doe"]);
    let more = "<section><h2>More stories</h2><article><h3><a href=/t>Tram strike goes on</a></h3><span class=byline>By John Roe</span></article></section>";
    assert_eq!(page("", "", more).metadata.authors, NOBODY);
    let comments = "<section><h2>Comments</h2><div><a rel=author href=/u/jr>John Roe</a><p>Well said.</p></div></section>";
    assert_eq!(page("", "", comments).metadata.authors, NOBODY);
}
