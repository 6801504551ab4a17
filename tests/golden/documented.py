"""Tables of docs/formats.md that test runs write: between `<!-- NAME -->` and `<!-- /NAME -->`.

A run compares what it found with what is checked in. MICROTOME_UPDATE_DOCS=1 in the environment writes it instead.
"""

import os
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "formats.md"


def check(name, text):
    """Fails unless the page's block `name` is `text`."""
    page = PAGE.read_text()
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    head, _, rest = page.partition(begin)
    old, _, tail = rest.partition(end)
    new = f"\n{text.strip()}\n\n"
    if os.environ.get("MICROTOME_UPDATE_DOCS"):
        PAGE.write_text(head + begin + new + end + tail)
        return
    assert old == new, f"{PAGE.name} is out of date; run this with MICROTOME_UPDATE_DOCS=1. Expected:\n{new}"


def table(head, rows):
    """Lines of a Markdown table."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(map(str, row))} |" for row in rows)])
