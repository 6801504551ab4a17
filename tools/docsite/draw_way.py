"""Draws docs/assets/way.svg: the data's way from the file to the batch.

    python tools/docsite/draw_way.py docs/assets/way.svg

The same input gives the same bytes; a test draws it anew and compares.
"""

import sys
from pathlib import Path

STEP, TOP, BOX = 140, 20, 96  # px from step to step, of the pictures' upper edge, a picture's side
WIDTH, HEIGHT = 7 * STEP, 236

STYLE = """
  text { font: 12.5px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
  .name { font-size: 14px; font-weight: 600; } .layer { font: 11.5px ui-monospace, monospace; fill: #7e56c2; }
  .paper { fill: #f6f4fa; stroke: #b9aede; } .line { fill: none; stroke: #b9aede; }
  .arrow { stroke: #7e56c2; fill: #7e56c2; }
  .wanted { fill: none; stroke: #e91e63; stroke-width: 2.5; } .bytes { fill: #9f8fd0; } .dim { opacity: 0.3; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .layer { fill: #b39ddb; } .paper { fill: #2b2838; stroke: #6f6596; }
    .line { stroke: #6f6596; } .arrow { stroke: #b39ddb; fill: #b39ddb; } .wanted { stroke: #ff5c93; }
  }
"""

# name, what it is (two lines), the layer of the sources
STEPS = [
    ("File", "any byte source,", "read in pieces", "io"),
    ("Slide", "where each tile's", "bytes are", "tiff, slide"),
    ("Plan", "which tiles fill", "the patch", "plan"),
    ("Packed tiles", "neighbours are", "read together", "read, io"),
    ("Pixels", "cached, filled,", "copied or decoded", "read, codec"),
    ("Patch", "each tile's part", "in its place", "read, simd"),
    ("Batch", "decoded ahead,", "in order: NumPy", "loader, python"),
]
TISSUE = ["#d9a3c7", "#c77fb0", "#e6c3da", "#b569a2"]  # of the four tiles that the patch touches


def rect(x, y, w, h, kind="", fill="", radius=0):
    look = f'class="{kind}"' if kind else f'fill="{fill}"'
    return f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="{radius}" {look}/>'


def grid(x, y, cells, side):
    lines = [
        f"M{x + i * side / cells:g} {y}v{side}M{x} {y + i * side / cells:g}h{side}" for i in range(1, cells)
    ]
    return f'<path class="line" d="{"".join(lines)}"/>'


def file(x, y):
    rows = [(0, 56), (1, 30), (2, 68), (3, 44), (4, 62), (5, 24)]
    return [rect(x + 10, y, 76, BOX, "paper", radius=4)] + [
        rect(x + 16, y + 10 + 14 * row, 0.94 * width, 7, "bytes") for row, width in rows
    ]


def slide(x, y):
    return [rect(x, y, BOX, BOX, "paper", radius=4), grid(x, y, 4, BOX)]


def plan(x, y):
    cell = BOX / 4
    tiles = [
        rect(x + c * cell + 1, y + r * cell + 1, cell - 2, cell - 2, "bytes dim")
        for r in (1, 2)
        for c in (1, 2)
    ]
    patch = rect(x + 1.5 * cell, y + 1.4 * cell, cell, cell, "wanted")
    return [rect(x, y, BOX, BOX, "paper", radius=4), grid(x, y, 4, BOX), *tiles, patch]


def packed(x, y):
    return [
        rect(x + 4, y + 12 + 19 * i, width, 11, "bytes", radius=2) for i, width in enumerate((70, 88, 58, 80))
    ]


def pixels(x, y):
    half = BOX / 2
    return [
        rect(x + c * (half + 2), y + r * (half + 2), half - 2, half - 2, fill=TISSUE[2 * r + c])
        for r in (0, 1)
        for c in (0, 1)
    ]


def patch(x, y, side=60, inset=18):
    left, upper = side * 0.5, side * 0.6
    parts = [(0, 0, left, upper), (left, 0, side - left, upper), (0, upper, left, side - upper)]
    parts.append((left, upper, side - left, side - upper))
    squares = [
        rect(x + inset + a, y + inset + b, w, h, fill=TISSUE[i]) for i, (a, b, w, h) in enumerate(parts)
    ]
    return [*squares, rect(x + inset, y + inset, side, side, "wanted")]


def batch(x, y):
    behind = [rect(x + 34 - 8 * i, y + 2 + 8 * i, 52, 52, "paper", radius=2) for i in range(4)]
    return [*behind, *patch(x - 16, y + 14, side=52, inset=18)]


def drawing():
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-label="From the file to the batch">',
        f"<style>{STYLE}</style>",
    ]
    for i, (draw, (name, first, second, layer)) in enumerate(
        zip((file, slide, plan, packed, pixels, patch, batch), STEPS, strict=True)
    ):
        x = i * STEP + (STEP - BOX) / 2
        parts += draw(x, TOP)
        if i:
            at, y = i * STEP - 13, TOP + BOX / 2
            parts.append(f'<path class="arrow" stroke-width="2" d="M{at:g} {y:g}h18m0 0l-6 -4v8z"/>')
        middle = x + BOX / 2
        for line, (kind, text) in enumerate([("name", name), ("", first), ("", second), ("layer", layer)]):
            y = TOP + BOX + 38 + 20 * line + (4 if line == 3 else 0)
            parts.append(f'<text class="{kind}" x="{middle:g}" y="{y:g}" text-anchor="middle">{text}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(drawing(), encoding="utf-8")
