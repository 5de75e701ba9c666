"""Hooks of mkdocs: pages that lie outside docs/ become pages of the site, and links between the two follow.

A link to anything else of the repository (a folder, a source file) becomes its text: the site has no such page.
"""

import os.path
import pathlib
import re

from mkdocs.structure.files import File

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The file in the repository -> the page of the site.
ELSEWHERE = {
    "README.md": "project/readme.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
    "CHANGELOG.md": "project/changelog.md",
    "migrations/README.md": "project/migrations.md",
    "deploy/kubernetes/README.md": "project/kubernetes.md",
}
LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s#]*)(?P<anchor>#[^)\s]*)?\)")


def on_files(files, config):
    for source, page in ELSEWHERE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown, page, config, files):
    here = page.file.src_uri
    source = next((s for s, p in ELSEWHERE.items() if p == here), f"docs/{here}")

    def moved(link):
        target = link["target"]
        if not target or re.match(r"[a-z]+:", target):
            return link[0]
        path = os.path.normpath(os.path.join(os.path.dirname(source), target))
        to = ELSEWHERE.get(path, path.removeprefix("docs/") if path.startswith("docs/") else None)
        if to is None or files.get_file_from_path(to) is None:
            return link["text"]
        return f"{link['image']}[{link['text']}]({os.path.relpath(to, os.path.dirname(here))}{link['anchor'] or ''})"

    return "\n".join(line if line.startswith("    ") else LINK.sub(moved, line) for line in markdown.split("\n"))
