#!/usr/bin/env python3
"""Writes a small invented news archive in the form of Common Crawl News: WARC, one gzip member a record.

    python3 small_archive.py small.warc.gz

It holds 24 pages of 4 sites. Each third page is a copy of the page before it, on another site under another headline; half of the copies have lost
their last paragraph. Each page has a menu, a share bar and a teaser around its article. No packages are needed.
"""

import gzip
import html
import random
import sys
import uuid

SITES = ["harbour-post.example", "valley-times.example", "northwire.example", "city-courier.example"]
PLACES = ["Carrow", "Brenmark", "Tollhaven", "Isk", "Marling", "Oster", "Pellworth", "Quay"]
THINGS = ["ferry", "bridge", "library", "orchard", "tram line", "lighthouse", "school", "market"]
ACTS = ["reopens", "closes for repairs", "is sold", "wins a prize", "is flooded", "gets a new roof", "turns a hundred", "is moved"]
WORDS = """morning council engineers visitors budget weather timber evening signal pavement committee summer volunteers harvest
ticket engine carpenter window morning painting archive garden shelter winter teacher station meadow contract copper autumn record
journey orchestra railway bakery festival granite lantern compass ledger harbour ribbon cattle gallery museum voyage saddle kettle""".split()


def paragraph(rng: random.Random, place: str, thing: str) -> str:
    sentences = []
    for _ in range(4):
        words = " ".join(rng.sample(WORDS, 9))
        sentences.append(f"In {place} the {thing} and {words} were {rng.randint(2, 900)} in number.")
    return " ".join(sentences)


def page(title: str, day: int, paragraphs: list[str]) -> str:
    body = "\n".join(f"<p>{html.escape(p)}</p>" for p in paragraphs)
    return f"""<!doctype html><html lang="en"><head><title>{title}</title>
<meta property="og:title" content="{title}">
<meta property="article:published_time" content="2026-11-{day:02}T08:00:00Z"></head><body>
<nav><a href="/">Home</a> <a href="/world">World</a> <a href="/sport">Sport</a></nav>
<article><h1>{title}</h1><div class="share-bar">Share on Mastodon</div>
{body}
<div class="related"><h3>Check Also</h3><a href="/x">Ten ways to peel an onion</a></div></article>
<footer>All rights reserved.</footer></body></html>"""


def record(url: str, day: int, text: str) -> bytes:
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + text.encode()
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:{uuid.uuid4()}>\r\nWARC-Date: 2026-11-{day:02}T09:00:00Z\r\n"
        f"WARC-Target-URI: {url}\r\nContent-Type: application/http; msgtype=response\r\nContent-Length: {len(answer)}\r\n\r\n"
    )
    return gzip.compress(head.encode() + answer + b"\r\n\r\n")


def main() -> None:
    rng = random.Random(7)
    with open(sys.argv[1], "wb") as out:
        for number in range(24):
            site = SITES[number % len(SITES)]
            if number % 3 == 2:  # a copy of the page before
                title = f"{place}: {thing} {act}, residents say"
                text = text[:-1] if number % 2 else text
            else:
                place, thing, act = rng.choice(PLACES), rng.choice(THINGS), rng.choice(ACTS)
                title = f"The {thing} of {place} {act}"
                text = [paragraph(rng, place, thing) for _ in range(5)]
            day = 1 + number
            out.write(record(f"https://www.{site}/2026/11/{number}.html", day, page(title, day, text)))


if __name__ == "__main__":
    main()
