"""What the documentation's build does beyond MkDocs: pages that are kept elsewhere, and links to them.

CHANGELOG.md, CONTRIBUTING.md and HACKING.md stand in the repository's root, where people look for them, and are pages
of the site too; the list of decisions is made from their titles. A line `::: include/…` becomes the reference of that
header. Links in all pages are written for whoever reads them
in the repository, and are turned here into links between pages of the site.
"""

import posixpath
import re
import sys
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))  # MkDocs runs this file by its path

from docsite import headers  # noqa: E402

FROM_ROOT = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md", "HACKING.md": "hacking.md"}
DECISIONS = "decisions.md"
HEADER = re.compile(r"^::: (include/\S+)$", re.MULTILINE)
LINK = re.compile(r"(\]\()([^)#\s]+)")


def on_files(files, config):
    for name, page in FROM_ROOT.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=relinked(text, name, page)))
    files.append(File.generated(config, DECISIONS, content=decisions(Path(config.docs_dir) / "adr")))
    return files


def on_page_markdown(markdown, page, config, files):
    source = page.file.src_uri
    if source == DECISIONS or source in FROM_ROOT.values():
        return markdown  # made above
    return HEADER.sub(
        lambda match: headers.page(ROOT / match[1]), relinked(markdown, f"docs/{source}", source)
    )


def relinked(markdown, place, page):
    """`markdown` of the file `place` of the repository, its links pointing from `page` to pages of the site."""

    def link(match):
        target = match[2]
        if re.match(r"\w+:", target):
            return match[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(place), target))
        if path == "docs/adr":
            path = f"docs/{DECISIONS}"
        to = FROM_ROOT.get(path) or path.removeprefix("docs/")
        return match[1] + posixpath.relpath(to, posixpath.dirname(page) or ".")

    return LINK.sub(link, markdown)


def decisions(folder):
    """The page that lists the records in `folder`, newest last."""
    lines = [
        "# Decisions",
        "",
        "What was decided on the way, why, and what it costs: half a page each. No user needs them; whoever changes",
        "the code may.",
        "",
    ]
    for record in sorted(folder.glob("[0-9]*.md")):
        title = record.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        number, _, rest = title.partition(". ")
        lines.append(f"- [{int(number):04}](adr/{record.name}) {rest}")
    return "\n".join(lines) + "\n"
