use std::fs;
use std::io::Write as _;

use super::*;

fn reader(base_url: Option<&str>, form: Option<Form>) -> Reader {
    let (_, stop) = watch::channel(false);
    let base_url = base_url.map(|u| Url::parse(u).unwrap());
    Reader::new(base_url, form, Links::Inside, 100, stop)
}

fn read(path: &Path, base_url: Option<&str>) -> Vec<Step> {
    let reader = reader(base_url, None);
    let steps = reader.read(&Source::Path(path.to_owned())).collect();
    if path.is_file() {
        assert_eq!(reader.bytes(), fs::metadata(path).unwrap().len());
    }
    steps
}

fn articles(steps: &[Step]) -> Vec<&Outgoing> {
    steps
        .iter()
        .filter_map(|s| if let Step::Article(a) = s { Some(a) } else { None })
        .collect()
}

const LINES: &str = "{\"url\":\"https://www.A.example/1\",\"text\":\"a\",\"z\":1}\n\n \t\r\n{oops\r\n  {\"site\":\"b.example\"} ";

#[test]
fn lines_go_out_as_they_stand() {
    let dir = tempfile::tempdir().unwrap();
    let plain = dir.path().join("a.jsonl");
    fs::write(&plain, LINES).unwrap();
    let gz = dir.path().join("a.ndjson.gz");
    // Two members in one file, as tools that append write it.
    let pack = |part: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(part.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let (one, two) = LINES.split_at(20);
    fs::write(&gz, [pack(one), pack(two)].concat()).unwrap();
    let zst = dir.path().join("a.JSONL.zst");
    fs::write(&zst, zstd::encode_all(LINES.as_bytes(), 1).unwrap()).unwrap();
    for path in [plain, gz, zst] {
        let steps = read(&path, None);
        let articles = articles(&steps);
        assert_eq!((articles.len(), steps.len()), (3, 3));
        let shown: Vec<_> = articles
            .iter()
            .map(|a| {
                (
                    a.key.as_deref(),
                    a.odd,
                    a.origin.line,
                    String::from_utf8_lossy(&a.payload),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                (
                    Some("a.example"),
                    false,
                    Some(1),
                    LINES.lines().next().unwrap().into()
                ),
                (None, true, Some(4), "{oops".into()),
                (
                    Some("b.example"),
                    false,
                    Some(5),
                    "  {\"site\":\"b.example\"} ".into()
                ),
            ]
        );
        assert!(articles.iter().all(|a| a.headers.is_empty()));
    }
}

#[test]
fn what_is_too_large_is_named_and_the_next_line_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jsonl");
    let long = format!("{{\"text\":\"{}\"}}", "x".repeat(90));
    fs::write(&path, format!("{{}}\n{long}\n{{}}\n")).unwrap();
    let steps = read(&path, None);
    assert!(
        matches!(&steps[1], Step::Refused { origin, .. } if origin.line == Some(2)),
        "{steps:?}"
    );
    assert_eq!((articles(&steps).len(), steps.len()), (2, 3));
    fs::write(dir.path().join("a.html"), "x".repeat(101)).unwrap();
    assert!(matches!(
        read(&dir.path().join("a.html"), None)[..],
        [Step::Refused { .. }]
    ));
    fs::write(dir.path().join("a.html"), "x".repeat(100)).unwrap();
    assert!(matches!(
        read(&dir.path().join("a.html"), None)[..],
        [Step::Article(_)]
    ));
}

#[test]
fn a_json_file_is_one_envelope_or_lines_after_all() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.json");
    fs::write(
        &path,
        "{\n \"url\": \"https://a.example/\",\n \"text\": \"a\"\n}\n",
    )
    .unwrap();
    let steps = read(&path, None);
    let [Step::Article(one)] = &steps[..] else {
        panic!("{steps:?}")
    };
    assert_eq!(
        (one.key.as_deref(), one.odd, one.origin.line),
        (Some("a.example"), false, None)
    );
    assert_eq!(one.payload, fs::read(&path).unwrap());
    fs::write(&path, "{\"text\":\"a\"}\n{\"text\":\"b\"}\n").unwrap();
    let steps = read(&path, None);
    assert_eq!(
        articles(&steps).iter().map(|a| a.origin.line).collect::<Vec<_>>(),
        [Some(1), Some(2)]
    );
    // No record is made of a file without one.
    fs::write(&path, " \n").unwrap();
    assert_eq!(read(&path, None), [Step::PassedOver(EMPTY)]);
}

fn payloads(steps: &[Step]) -> Vec<String> {
    let text = |a: &&Outgoing| String::from_utf8_lossy(&a.payload).into_owned();
    assert!(articles(steps).iter().all(|a| !a.odd), "{steps:?}");
    articles(steps).iter().map(text).collect()
}

#[test]
fn an_array_is_as_good_as_lines() {
    let dir = tempfile::tempdir().unwrap();
    let array =
        "[\n  {\"url\": \"https://a.example/1\",\n   \"text\": \"a], [b\"},\n  {\"text\": \"b\"}\n]\n";
    for name in ["a.json", "a.jsonl"] {
        let path = dir.path().join(name);
        fs::write(&path, array).unwrap();
        let steps = read(&path, None);
        assert_eq!(
            payloads(&steps),
            [
                "{\"url\": \"https://a.example/1\",\n   \"text\": \"a], [b\"}",
                "{\"text\": \"b\"}"
            ]
        );
        assert_eq!(articles(&steps)[0].key.as_deref(), Some("a.example"));
        fs::write(&path, array.split_once("\"b\"").unwrap().0).unwrap();
        let steps = read(&path, None);
        assert!(
            matches!(&steps[..], [Step::Article(_), Step::Unreadable { why, origin }] if why.contains("breaks off") && origin.line == Some(2)),
            "{steps:?}"
        );
    }
}

#[test]
fn what_windows_makes_of_json_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let lines = "{\"text\":\"Zürich\"}\r\n{\"text\":\"日本\"}\n";
    let utf_16 = |bytes: fn(u16) -> [u8; 2], mark: &[u8]| {
        [mark.to_vec(), lines.encode_utf16().flat_map(bytes).collect()].concat()
    };
    for bytes in [
        [b"\xef\xbb\xbf", lines.as_bytes()].concat(),
        utf_16(u16::to_le_bytes, b"\xff\xfe"),
        utf_16(u16::to_be_bytes, b"\xfe\xff"),
        utf_16(u16::to_le_bytes, b""),
        utf_16(u16::to_be_bytes, b""),
    ] {
        for name in ["a.jsonl", "a.json"] {
            let path = dir.path().join(name);
            fs::write(&path, &bytes).unwrap();
            assert_eq!(
                payloads(&read(&path, None)),
                ["{\"text\":\"Zürich\"}", "{\"text\":\"日本\"}"],
                "{bytes:?}"
            );
        }
    }
}

#[test]
fn padding_behind_gzip_is_no_damage_and_anything_else_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jsonl.gz");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(b"{\"text\":\"a\"}\n").unwrap();
    let member = encoder.finish().unwrap();
    fs::write(&path, [&member[..], &[0; 2048], &member, &[0; 9]].concat()).unwrap();
    assert_eq!(payloads(&read(&path, None)).len(), 2);
    fs::write(&path, [&member[..], b"<html>"].concat()).unwrap();
    let steps = read(&path, None);
    assert!(
        matches!(&steps[..], [Step::Article(_), Step::Unreadable { why, .. }] if why.contains("behind the end")),
        "{steps:?}"
    );
}

#[test]
fn a_json_feed_is_known_by_its_version_wherever_it_stands() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("feed.json");
    let item = r#"{"id":7,"url":"/1","title":"A","content_html":"<p>a"}"#;
    let version = r#""version":"https://jsonfeed.org/version/1.1""#;
    let page = r#""home_page_url":"https://a.example/""#;
    for feed in [
        format!("{{{version},{page},\"items\":[{item}]}}"),
        format!("{{{page},\"items\":[{item}],{version}}}"),
        format!("{{\n{page},\n\"items\":[\n{item}],\n{version}\n}}"),
    ] {
        fs::write(&path, &feed).unwrap();
        let reader = Reader {
            max_record_bytes: 1_000,
            ..reader(None, None)
        };
        let steps: Vec<Step> = reader.read(&Source::Path(path.clone())).collect();
        assert_eq!(
            payloads(&steps),
            [r#"{"feed_id":"7","html":"<p>a","title":"A","url":"https://a.example/1"}"#],
            "{feed}"
        );
    }
}

#[test]
fn folders_are_read_in_order_with_addresses() {
    let dir = tempfile::tempdir().unwrap();
    for name in [
        "b/2 ä.html",
        "b/1.txt",
        "a.xhtml.gz",
        "c.png",
        ".hidden.html",
        "d/e/f.HTM",
    ] {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "<p>Ships</p>").unwrap();
    }
    let steps = read(dir.path(), Some("https://www.a.example/news/"));
    let shown: Vec<_> = articles(&steps)
        .iter()
        .map(|a| {
            a.headers
                .iter()
                .map(|(_, v)| v.as_str())
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    assert_eq!(
        shown,
        [
            "application/xhtml+xml https://www.a.example/news/a.xhtml",
            "text/plain https://www.a.example/news/b/1.txt",
            "text/html https://www.a.example/news/b/2%20%C3%A4.html",
            "text/html https://www.a.example/news/d/e/f.HTM",
        ]
    );
    assert!(
        articles(&steps)
            .iter()
            .all(|a| a.key.as_deref() == Some("a.example"))
    );
    assert!(matches!(&steps[3], Step::Skipped(path) if path.ends_with("c.png")));
    assert_eq!(steps.len(), 5);
    // Without a base URL nothing is made up.
    let steps = read(&dir.path().join("b"), None);
    assert!(
        articles(&steps)
            .iter()
            .all(|a| a.key.is_none() && a.headers.len() == 1)
    );
}

#[test]
fn a_file_that_breaks_off_is_named_with_the_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jsonl.zst");
    let whole = zstd::encode_all(LINES.repeat(10_000).as_bytes(), 1).unwrap();
    fs::write(&path, &whole[..whole.len() - 3]).unwrap();
    let steps = read(&path, None);
    assert!(
        matches!(steps.last(), Some(Step::Unreadable { origin, .. }) if origin.line.is_some_and(|l| l > 1_000)),
        "{:?}",
        steps.last()
    );
    // Where not even its beginning can be read, the file itself is named.
    let whole = zstd::encode_all(LINES.as_bytes(), 1).unwrap();
    fs::write(&path, &whole[..whole.len() - 3]).unwrap();
    let steps = read(&path, None);
    assert!(matches!(&steps[..], [Step::Unreadable { .. }]), "{steps:?}");
}

#[test]
fn sources_that_cannot_work_are_refused_before_anything_is_sent() {
    let dir = tempfile::tempdir().unwrap();
    let image = dir.path().join("a.png");
    fs::write(&image, "x").unwrap();
    let error = Source::Path(image.clone()).check(None).unwrap_err().to_string();
    assert!(error.contains("a.png") && error.contains(".jsonl"), "{error}");
    assert!(error.contains("--format"), "{error}");
    assert!(Source::Path(image).check(Some(Form::Text)).is_ok());
    assert!(
        Source::Path(dir.path().join("missing.jsonl"))
            .check(None)
            .is_err()
    );
    assert!(Source::Path(dir.path().to_owned()).check(None).is_ok());
    assert_eq!(Source::from_argument("-".into()), Source::Stdin);
}

#[test]
fn a_silent_pipe_holds_nothing_up() {
    let (pipe, mut writer) = io::pipe().unwrap();
    writer.write_all(b"{\"text\":\"a\"}\n").unwrap();
    let reader = reader(None, None);
    let origin = named_origin("a pipe");
    let mut steps = aside::aside(origin.clone(), move || reader.piped(pipe, origin));
    let mut next = || steps.find(|s| *s != Step::Waiting);
    assert!(matches!(next(), Some(Step::Article(a)) if a.origin.to_string() == "a pipe:1"));
    assert_eq!(steps.next(), Some(Step::Waiting));
    writer.write_all(b"{\"text\":\"b\"}").unwrap();
    drop(writer);
    assert!(
        matches!(steps.find(|s| *s != Step::Waiting), Some(Step::Article(a)) if a.payload.contains(&b'b'))
    );
    assert_eq!(steps.find(|s| *s != Step::Waiting), None);
}

#[test]
fn a_run_that_is_stopped_reads_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jsonl");
    fs::write(&path, LINES).unwrap();
    let (stop, stopped) = watch::channel(false);
    let reader = Reader::new(None, None, Links::Inside, 100, stopped);
    stop.send_replace(true);
    let steps: Vec<_> = reader.read(&Source::Path(path)).collect();
    assert!(
        matches!(&steps[..], [Step::Unreadable { why, .. }] if why == "stopped"),
        "{steps:?}"
    );
}

#[test]
fn what_is_said_wins_over_the_name_but_not_in_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("page");
    fs::write(&path, "<p>Ships</p>").unwrap();
    let reader = reader(Some("https://a.example/p"), Some(Form::Html));
    let source = Source::Path(path);
    let steps: Vec<_> = reader.read(&source).collect();
    assert!(
        matches!(&steps[..], [Step::Article(a)] if a.headers[0].1 == "text/html"),
        "{steps:?}"
    );
    let folder = Source::Path(dir.path().to_owned());
    assert!(matches!(
        reader.read(&folder).collect::<Vec<_>>()[..],
        [Step::Skipped(_)]
    ));
    // A pipe has the base URL for its own.
    let (pipe, mut writer) = io::pipe().unwrap();
    writer.write_all(b"<p>Ships</p>").unwrap();
    drop(writer);
    let steps: Vec<_> = reader.piped(pipe, named_origin("a pipe")).collect();
    assert!(
        matches!(&steps[..], [Step::Article(a)] if a.headers[1].1 == "https://a.example/p"),
        "{steps:?}"
    );
    for (name, form) in Form::NAMES {
        assert_eq!(name.parse(), Ok(form));
    }
    assert!("pdf".parse::<Form>().unwrap_err().contains("warc"));
}
