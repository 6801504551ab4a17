"""The documentation builds without a warning, all its links lead somewhere, and nothing comes from another host."""

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from docsite import draw_way

ROOT = Path(__file__).resolve().parents[2]
QUIET = {"NO_MKDOCS_2_WARNING": "1"}  # the theme's own notice, about versions to come


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder with the built site."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | QUIET, capture_output=True, text=True)
    said = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("INFO ")]
    assert (done.returncode, said) == (0, [])
    return folder


class Page(HTMLParser):
    """A page's anchors, its links, and what it loads."""

    def __init__(self, path):
        super().__init__()
        self.anchors, self.links, self.loads = {"__top"}, [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        has = dict(attributes)
        self.anchors |= {has[name] for name in ("id", "name") if has.get(name)}
        if tag == "a" and "href" in has:
            self.links.append(has["href"])
        elif tag == "link":
            self.loads += [has["href"]] if has.get("rel") in ("stylesheet", "icon", "preload") else []
        elif has.get("src"):
            self.loads.append(has["src"])


@pytest.fixture(scope="module")
def pages(site):
    return {path: Page(path) for path in sorted(site.rglob("*.html"))}


def test_every_link_leads_somewhere(site, pages):
    broken, checked = [], 0
    for path, page in pages.items():
        for link in page.links + page.loads:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue
            checked += 1
            to = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            to = to / "index.html" if to.is_dir() else to
            there = to.exists() and (
                not parts.fragment or to not in pages or unquote(parts.fragment) in pages[to].anchors
            )
            if not there:
                broken.append(f"{path.relative_to(site)}: {link}")
    assert not broken
    assert checked > 1000


def test_nothing_is_loaded_from_another_host(site, pages):
    outside = [load for page in pages.values() for load in page.loads if urlsplit(load).netloc]
    assert not outside
    styles = "".join(style.read_text(encoding="utf-8") for style in site.rglob("*.css"))
    assert "@import" not in styles
    assert "url(http" not in styles and "url(//" not in styles


def test_every_public_name_is_in_the_reference(site, pages):
    import microtome as mt

    anchors = set().union(*(page.anchors for path, page in pages.items() if path.parent.name == "reference"))
    elsewhere = {"__version__", "clara", "CuImage"}  # CuImage's anchor names the module that defines it
    assert not {f"microtome.{name}" for name in set(mt.__all__) - elsewhere} - anchors
    assert "microtome.cuimage.CuImage.read_region" in anchors


def test_the_drawing_is_what_its_script_draws():
    assert (ROOT / "docs" / "assets" / "way.svg").read_text(encoding="utf-8") == draw_way.drawing()
