use std::io::Write as _;

use super::*;

const PAGE: &str = "<html><body><p>Ships came in at dawn, the harbour master said.</p></body></html>";

fn record(kind: &str, url: &str, block: &[u8]) -> Vec<u8> {
    let head = format!(
        "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2026-03-20T16:00:41Z\r\n\
         WARC-Record-ID: <urn:uuid:1>\r\nContent-Type: application/http; msgtype=response\r\nContent-Length: {}\r\n\r\n",
        block.len()
    );
    [head.as_bytes(), block, b"\r\n\r\n"].concat()
}

fn response(url: &str, head: &str, body: &[u8]) -> Vec<u8> {
    record(
        "response",
        url,
        &[format!("HTTP/1.1 {head}\r\n\r\n").as_bytes(), body].concat(),
    )
}

fn page_of(n: usize) -> Vec<u8> {
    response(
        &format!("https://www.s{n}.example/{n}"),
        "200 OK\r\nContent-Type: text/html; charset=utf-8",
        format!("{PAGE}<!-- {n} -->").as_bytes(),
    )
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

fn read(bytes: &[u8]) -> Vec<Step> {
    read_max(bytes, 10_000)
}

fn read_max(bytes: &[u8], max: usize) -> Vec<Step> {
    let origin = Origin {
        file: "a.warc.gz".into(),
        line: None,
    };
    steps(Box::new(io::Cursor::new(bytes.to_vec())), origin, max)
        .unwrap()
        .collect()
}

/// For each step: the address that was sent, `-` for what was passed over, `!` for damage, `?` for an end too early.
fn shown(steps: &[Step]) -> String {
    let word = |step: &Step| match step {
        Step::Article(a) => a.headers.iter().find(|(n, _)| *n == "url").map_or_else(
            || "no url".to_owned(),
            |(_, u)| u.rsplit('/').next().unwrap_or_default().to_owned(),
        ),
        Step::PassedOver(_) => "-".into(),
        Step::Refused { .. } => "!".into(),
        _ => "?".into(),
    };
    steps.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn members_plain_and_one_gzip_over_all_read_alike() {
    let records: Vec<_> = (0..3).map(page_of).collect();
    let all = records.concat();
    let members: Vec<u8> = records.iter().flat_map(|r| gzip(r)).collect();
    for file in [
        all.clone(),
        members,
        gzip(&all),
        zstd::encode_all(&all[..], 1).unwrap(),
    ] {
        let steps = read(&file);
        assert_eq!(shown(&steps), "0 1 2");
        let Step::Article(one) = &steps[1] else { panic!() };
        assert_eq!(one.key.as_deref(), Some("s1.example"));
        assert_eq!(
            one.headers,
            [
                ("content-type", "text/html; charset=utf-8".to_owned()),
                ("url", "https://www.s1.example/1".to_owned()),
                ("fetched_at", "2026-03-20T16:00:41Z".to_owned()),
            ]
        );
        assert_eq!(one.payload, format!("{PAGE}<!-- 1 -->").as_bytes());
        assert_eq!(one.origin.to_string(), "a.warc.gz:2");
    }
    assert!(read(b"").is_empty());
}

#[test]
fn bodies_come_out_of_chunks_and_compression() {
    let packed = gzip(PAGE.as_bytes());
    let mut chunked = format!("{:x}\r\n", packed.len()).into_bytes();
    chunked.extend_from_slice(&packed);
    chunked.extend_from_slice(b"\r\n0\r\n\r\n");
    let deflated = {
        let mut z = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        z.write_all(PAGE.as_bytes()).unwrap();
        z.finish().unwrap()
    };
    let html = "200 OK\r\nContent-Type: TEXT/HTML";
    for (head, body) in [
        (format!("{html}\r\nContent-Encoding: gzip"), packed.as_slice()),
        (
            format!("{html}\r\ncontent-encoding: gzip\r\nTransfer-Encoding: chunked"),
            &chunked,
        ),
        (format!("{html}\r\nContent-Encoding: deflate"), &deflated),
        // The header was kept, the body stored decoded.
        (
            format!("{html}\r\nContent-Encoding: br\r\nTransfer-Encoding: chunked"),
            PAGE.as_bytes(),
        ),
    ] {
        let steps = read(&response("http://a.example/x", &head, body));
        let [Step::Article(one)] = &steps[..] else {
            panic!("{head}: {steps:?}")
        };
        assert_eq!(String::from_utf8_lossy(&one.payload), PAGE, "{head}");
    }
}

#[test]
fn what_is_no_page_is_passed_over_with_its_reason() {
    let html = "200 OK\r\nContent-Type: text/html";
    for (bytes, reason) in [
        (record("warcinfo", "", b"software: x"), reasons::KIND),
        (
            record("request", "http://a.example/", b"GET / HTTP/1.1\r\n\r\n"),
            reasons::KIND,
        ),
        (record("revisit", "http://a.example/", b""), reasons::REVISIT),
        (
            record("response", "dns:a.example", b"20260320 a.example"),
            reasons::NO_URL,
        ),
        (record("response", "http://a.example/", b"oops"), reasons::NO_HTTP),
        (
            response("http://a.example/", "404 No\r\nContent-Type: text/html", b"<p>"),
            reasons::STATUS,
        ),
        (
            response("http://a.example/", "200 OK\r\nContent-Type: image/png", b"x"),
            reasons::NOT_HTML,
        ),
        (response("http://a.example/", html, b" "), reasons::EMPTY),
        (
            response(
                "http://a.example/",
                &format!("{html}\r\nContent-Encoding: br"),
                b"\x0b\x02",
            ),
            reasons::ENCODING,
        ),
    ] {
        let steps = read(&bytes);
        assert!(
            matches!(steps[..], [Step::PassedOver(r)] if r == reason),
            "{reason}: {steps:?}"
        );
    }
}

#[test]
fn a_damaged_member_costs_itself_alone() {
    let members: Vec<_> = (0..5).map(|n| gzip(&page_of(n))).collect();
    for at in [12, 30, members[2].len() - 6, members[2].len() - 2] {
        let mut broken = members.clone();
        broken[2][at] ^= 0x55;
        let steps = read(&broken.concat());
        let shown = shown(&steps);
        assert!(
            shown.starts_with("0 1 ") && shown.ends_with(" 4"),
            "byte {at}: {shown}"
        );
        assert!(shown.contains('!') && !shown.contains('?'), "byte {at}: {shown}");
    }
    // Whole members lost to something else altogether.
    let file = [&members[0][..], b"garbage that is no gzip", &members[1]].concat();
    assert_eq!(shown(&read(&file)), "0 ! 1");
}

#[test]
fn a_file_that_breaks_off_says_so() {
    let members: Vec<u8> = (0..3).flat_map(|n| gzip(&page_of(n))).collect();
    assert_eq!(shown(&read(&members[..members.len() - 20])), "0 1 !");
    let plain: Vec<u8> = (0..3).flat_map(page_of).collect();
    assert_eq!(shown(&read(&plain[..plain.len() - 20])), "0 1 !");
    let packed = zstd::encode_all(&plain[..], 1).unwrap();
    assert!(shown(&read(&packed[..packed.len() - 4])).ends_with('?'));
}

#[test]
fn a_plain_file_is_read_on_at_the_next_record() {
    let broken = b"WARC/1.0\r\nWARC-Type: response\r\n\r\n<p>no length</p>\r\n\r\n";
    let file = [
        &page_of(0)[..],
        broken,
        &page_of(1),
        b"junk\r\nmore junk\r\n",
        &page_of(2),
    ]
    .concat();
    assert_eq!(shown(&read(&file)), "0 ! 1 ! 2");
    assert_eq!(shown(&read(&gzip(&file))), "0 ! 1 ! 2");
}

#[test]
fn what_is_too_large_is_named_and_not_held() {
    let bomb = gzip(&vec![b' '; 2_000_000]);
    let html = "200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip";
    let file = [response("http://a.example/bomb", html, &bomb), page_of(1)].concat();
    let steps = read(&file);
    assert_eq!(shown(&steps), "! 1");
    assert!(
        matches!(&steps[0], Step::Refused { why, .. } if why.contains("http://a.example/bomb is over the limit"))
    );
    let large = response(
        "http://a.example/l",
        "200 OK\r\nContent-Type: text/html",
        &[b'x'; 20_001],
    );
    assert_eq!(shown(&read(&[large, page_of(1)].concat())), "! 1");
    let huge = response(
        "http://a.example/h",
        "200 OK\r\nContent-Type: text/html",
        &vec![b'x'; 2_000_000],
    );
    assert_eq!(shown(&read_max(&[huge, page_of(1)].concat(), 500)), "! 1");
}

#[test]
fn no_bytes_make_it_panic_or_run_for_ever() {
    let file: Vec<u8> = (0..4).flat_map(|n| gzip(&page_of(n))).collect();
    let mut seed = 0x9e37_79b9_u64;
    for _ in 0..400 {
        let mut bytes = file.clone();
        for _ in 0..3 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = (seed >> 33) as usize % bytes.len();
            bytes[at] = (seed >> 20) as u8;
        }
        assert!(read(&bytes).len() <= 20);
    }
}

#[test]
fn many_false_starts_are_passed_over() {
    let first = gzip(&page_of(0));
    for false_start in [
        &b"\x1f\x8b\x08"[..],
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xff",
    ] {
        let file = [&first[..], &false_start.repeat(200_000), &gzip(&page_of(1))].concat();
        let shown = shown(&read(&file));
        assert!(shown == "0 ! 1" || shown == "0 !", "{shown}");
    }
}
