"""The examples of README and documentation run as written and give what stands beside them."""

import shutil
from pathlib import Path

import pytest
from docsite.blocks import Session, blocks_of, needed, same, value_said
from slidemaker.texture import slides_folder

ROOT = Path(__file__).resolve().parents[2]
PAGES = [page for page in sorted((ROOT / "docs").rglob("*.md")) if page.parent.name != "adr"]
WITH_EXAMPLES = [page for page in PAGES if "```python" in page.read_text(encoding="utf-8")]
NEEDS = [(name, page) for page in WITH_EXAMPLES for name in needed(page.read_text(encoding="utf-8"))]
README_SLIDE = "CMU-1-Small-Region.svs"


def run(page):
    session = Session(str(page.relative_to(ROOT)))
    for block in blocks_of(page.read_text(encoding="utf-8")):
        session.run(block)
    return session


def in_folder(sample, folder, monkeypatch):
    shutil.copy(sample, folder)
    monkeypatch.chdir(folder)


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda page: str(page.relative_to(ROOT / "docs")))
def test_the_examples_of_a_page(page, sample, tmp_path, monkeypatch):
    in_folder(sample, tmp_path, monkeypatch)
    assert run(page).ran


@pytest.mark.parametrize(("name", "page"), NEEDS, ids=lambda value: getattr(value, "stem", value))
def test_the_examples_that_need_a_package(name, page, sample, tmp_path, monkeypatch):
    pytest.importorskip(name)
    in_folder(sample, tmp_path, monkeypatch)
    assert not run(page).skipped


def test_the_examples_of_the_readme(monkeypatch):
    folder = slides_folder("aperio/" + README_SLIDE)
    if folder is None:
        pytest.skip(f"no {README_SLIDE} in $MICROTOME_SLIDES or ../shared/slides")
    monkeypatch.chdir(folder / "aperio")
    assert run(ROOT / "README.md").checked >= 10


def test_a_wrong_value_output_or_message_is_found():
    def session(text):
        for block in blocks_of(text):
            Session("page.md").run(block)

    session("```python\n(1, 2)  # (1, 2)\nprint('a b')\n```\n\n```text\na …\n```")
    session("```python\nraise ValueError('no')\n```\n```text\nValueError: no\n```")
    for wrong in (
        "```python\n(1, 2)  # (1, 3)\n```",
        "```python\nprint('a')\n```\n```text\nb\n```",
        "```python\nraise ValueError('no')\n```\n```text\nValueError: yes\n```",
        "```python\n1\n```\n```text\nValueError: no\n```",
    ):
        with pytest.raises(AssertionError):
            session(wrong)
    with pytest.raises(ZeroDivisionError):
        session("```python\n1 / 0\n```")


def test_comments_that_are_values():
    assert value_said("(200, 300, 3) uint8; y first") == "(200, 300, 3) uint8"
    assert value_said('("aperio", (2400, 1800)): decided by content') == '("aperio", (2400, 1800))'
    assert value_said("None") == "None"
    assert value_said("as Python's own open") is None
    assert value_said("") is None


def test_an_ellipsis_is_anything_within_a_line():
    assert same("took 3 s\nend  \n", "took … s\nend")
    assert not same("took 3\n4 s", "took … s")
