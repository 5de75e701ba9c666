#!/usr/bin/env python3
"""Checks that each link of the Markdown pages leads somewhere, that each file they name exists, that each page is in its index, and that no page, code or comment uses a word that
the field has a better one for.

Links to files and to headings within this project only: whether another site answers must not decide whether a test passes.
"""

import fnmatch
import os
import pathlib
import re
import subprocess
import sys

# docs/glossary.md has the words to use. A word with a second meaning that is fine is not here.
WORDS = {
    r"quiet[ _]window": "window key cache",
    r"flush[ _]turn": "lock of the key window",
    r"two-part flush": "flush",
    r"present[ _]windows": "window key cache",
    r"\b(sifted|ListAtHand)\b": "what the field calls it: a filter, a cache",
    r"\.doing\(": ".context(",
    r"\bthat_wait\b": "blocked",
    r"\bovertaken\b": "epoch_mismatch",
    r"\byoung(_site)?\b": "few siblings, new",
    r"\btravelling\b": "syndicated",
    r"\bdistrust(ing)?\b": "invalidate",
    r"\bheirs?\b": "the next owner",
    r"\bparted\b": "split",
    r"\bfor want of\b": "because … is full, is missing",
    r"\b(at|in) hand\b": "cached, in view, taken",
    r"\b(is|are|be) told of\b": "reported, sent",
    r"\buntold\b": "not sent",
    r"\bwhat is (said|told)\b": "a noun",
    r"\bfurniture\b": "repeated blocks",
    r"\bnewcomers?\b": "a new article",
    r"\bgone over\b": "cleaned again, read again",
}
# The record of a decision may name what was there before, and so may the log of changes.
EXEMPT = ("docs/decisions/", "CHANGELOG.md", "deploy/local/check-docs.py", "migrations/")
CODE = ("*.rs", "*.sql", "*.sh", "*.toml", "*.py", "*.yaml", "*.yml", "*.css", "*.js", "Makefile")

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)[^)]*\)")
FENCE = re.compile(r"^(```|~~~)")
# Programs of others, scorers of corpora that are not published, and a site.
FOREIGN = re.compile(r"kafka-[a-z-]+\.sh$|rustup\.rs$|NNNN_|score_(clean|wire)\.py$")
# A file or folder of the project by its path, or a source file by the end of its path: `crates/store/src/lib.rs`, `flush/evidence.rs`.
NAMED = re.compile(r"(?<![\w./-])((?:crates|services|deploy|docs|tests|benches|migrations|fuzz)/[\w./@-]*[\w]|[\w./-]+\.(?:rs|sh|py|sql|service))(?![\w/*{…])")


def slug(heading: str) -> str:
    """The anchor that GitHub makes of a heading."""
    heading = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    heading = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
    return heading.strip().replace(" ", "-")


def prose(page: pathlib.Path) -> list[tuple[int, str]]:
    """The lines of a page that are not code."""
    lines, code = [], False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if FENCE.match(line.strip()):
            code = not code
        elif not code and not line.startswith("    "):
            lines.append((number, line))
    return lines


def anchors(page: pathlib.Path) -> set[str]:
    found: dict[str, int] = {}
    for _, line in prose(page):
        if line.startswith("#"):
            anchor = slug(line.lstrip("#"))
            times = found.get(anchor, 0)
            found[anchor] = times + 1
            if times:
                found[f"{anchor}-{times}"] = 1
        for name in re.findall(r'<a (?:id|name)="([^"]+)"', line):
            found[name] = 1
    return set(found)


def tracked(*patterns: str) -> list[pathlib.Path]:
    """The project's files of these kinds; where there is no repository, all that are not built or fetched."""
    command = ["git", "ls-files", "-z", "--", *patterns]
    out = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if out.returncode == 0:
        return [ROOT / name for name in out.stdout.decode().split("\0") if name and (ROOT / name).exists()]
    found = []
    for folder, names, files in os.walk(ROOT):
        names[:] = [n for n in names if n not in ("target", ".local", ".git")]
        found += [pathlib.Path(folder) / f for f in files if any(fnmatch.fnmatch(f, p) for p in patterns)]
    return sorted(found)


def links(page: pathlib.Path) -> list[str]:
    faults = []
    for number, line in prose(page):
        for target in LINK.findall(re.sub(r"`[^`]*`", "", line)):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            where = f"{page.relative_to(ROOT)}:{number}"
            to = (page.parent / path).resolve() if path else page
            if not to.exists():
                faults.append(f"{where}: no file {target}")
            elif anchor and to.suffix == ".md" and anchor not in anchors(to):
                faults.append(f"{where}: no heading {target}")
    return faults


def missing(page: pathlib.Path, files: list[str]) -> list[str]:
    """Files of the project that the page names and that are not there. Decisions and the log of changes may name what is gone."""
    name = str(page.relative_to(ROOT))
    if name.startswith(("docs/decisions/", "CHANGELOG.md")):
        return []
    faults = []
    for number, line in prose(page):
        for path in NAMED.findall(re.sub(r"\]\([^)]*\)|https?://\S*", "]", line)):
            path = path.rstrip("/.")
            if FOREIGN.match(path):
                continue
            if not (ROOT / path).exists() and not any(file == path or file.endswith("/" + path) for file in files):
                faults.append(f"{name}:{number}: no file {path}")
    return faults


def unlisted() -> list[str]:
    """Pages and crates that no index names: docs/architecture.md has each crate, docs/README.md has each page by need, docs/decisions/README.md each record, the site's settings each page."""
    faults = []
    for folder in ("docs", "docs/decisions"):
        index = (ROOT / folder / "README.md").read_text(encoding="utf-8")
        for page in sorted((ROOT / folder).glob("*.md")):
            if page.name != "README.md" and f"({page.name})" not in index:
                faults.append(f"{folder}/README.md: does not list {page.name}")
    site = (ROOT / "deploy/site/mkdocs.yml").read_text(encoding="utf-8")
    for page in sorted((ROOT / "docs").glob("*.md")):
        if f": {page.name}\n" not in site:
            faults.append(f"deploy/site/mkdocs.yml: does not list {page.name}")
    architecture = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    members = re.search(r"members = \[(.*?)\]", (ROOT / "Cargo.toml").read_text(encoding="utf-8"), re.DOTALL)
    for member in re.findall(r'"([^"]+)"', members.group(1) if members else ""):
        if f"`{member.removesuffix('/stages')}`" not in architecture:
            faults.append(f"docs/architecture.md: does not list {member}")
    return faults


def words(file: pathlib.Path) -> list[str]:
    name = str(file.relative_to(ROOT))
    if name.startswith(EXEMPT):
        return []
    faults = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        for word, better in WORDS.items():
            if re.search(word, line, re.IGNORECASE):
                faults.append(f"{name}:{number}: “{word}”; the word is: {better}")
    return faults


def main() -> int:
    pages = tracked("*.md")
    faults = [fault for page in pages for fault in links(page)] + unlisted()
    files = [str(file.relative_to(ROOT)) for file in tracked("*")]
    faults += [fault for page in pages for fault in missing(page, files)]
    faults += [fault for file in tracked("*.md", *CODE) for fault in words(file)]
    print("\n".join(faults) or f"links of {len(pages)} pages lead somewhere")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
