"""Draws dot charts as SVG, by hand: no library, small files, colours that follow the reader's light or dark scheme.

A chart is a grid of panels that share their lines, one line for each contender. A dot's place is the contender's time
divided by Microtome's, on a logarithmic axis: right of the blue line Microtome is ahead, left of it (shaded, orange
dots) the other is.
"""

from __future__ import annotations

import math
from html import escape
from typing import NamedTuple

LABELS, WIDTH, GAP, LINE, TOP, BOTTOM = 124, 206, 16, 18, 46, 26
PANELS_IN_A_ROW = 4
LEAST, MOST = 0.5, 64.0
TICKS = (0.5, 1, 2, 4, 8, 16, 32, 64)

STYLE = """
  text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
  .title { font-size: 15px; font-weight: 600; } .panel { font-weight: 600; } .small, .tick { font-size: 10.5px; }
  .tick, .small, .none { fill: #59636e; } .grid { stroke: #d1d9e0; stroke-width: 1; }
  .one { stroke: #0969da; stroke-width: 2; } .ahead { fill: #bc4c00; opacity: 0.09; }
  .dot { fill: #59636e; } .ring { fill: none; stroke: #59636e; stroke-width: 1.6; }
  .win .dot { fill: #bc4c00; } .win .ring { stroke: #bc4c00; } .win text { fill: #bc4c00; font-weight: 600; }
  .bare .dot { fill: #0969da; } .bare .ring { stroke: #0969da; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .tick, .small, .none { fill: #9198a1; } .grid { stroke: #3d444d; }
    .one { stroke: #4493f8; } .ahead { fill: #f0883e; opacity: 0.14; }
    .dot { fill: #9198a1; } .ring { stroke: #9198a1; }
    .win .dot { fill: #f0883e; } .win .ring { stroke: #f0883e; } .win text { fill: #f0883e; }
    .bare .dot { fill: #4493f8; } .bare .ring { stroke: #4493f8; }
  }
"""


class Panel(NamedTuple):
    """`ratios`: {contender: {workers: ratio}}; a contender that is missing or empty gets a dash."""

    title: str
    ratios: dict


def place(ratio):
    """How far right of a panel's left edge a ratio lies."""
    part = math.log(min(max(ratio, LEAST), MOST) / LEAST) / math.log(MOST / LEAST)
    return part * (WIDTH - 44)  # the numbers stand at the right


def number(ratio):
    return f"{ratio:.2f}" if ratio < 1.995 else f"{ratio:.1f}" if ratio < 9.95 else f"{ratio:.0f}"


def panel_parts(panel, names, bare, left, top):
    height = len(names) * LINE
    yield f'<text class="panel" x="{left}" y="{top - 8}">{escape(panel.title)}</text>'
    yield f'<rect class="ahead" x="{left}" y="{top}" width="{place(1):.1f}" height="{height}"/>'
    for tick in TICKS:
        x, kind = left + place(tick), "one" if tick == 1 else "grid"
        yield f'<line class="{kind}" x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{top + height}"/>'
        yield f'<text class="tick" x="{x:.1f}" y="{top + height + 13}" text-anchor="middle">{tick:g}</text>'
    for line, name in enumerate(names):
        y = top + line * LINE + LINE / 2
        found = panel.ratios.get(name)
        if not found:
            yield f'<text class="none" x="{left + WIDTH - 30}" y="{y + 4}" text-anchor="middle">–</text>'
            continue
        many = max(found)
        win = found[many] < 1 and name not in bare
        yield f'<g class="{"win" if win else "bare" if name in bare else "lag"}">'
        for workers, ratio in sorted(found.items()):
            shape = 'class="dot" r="4.2"' if workers == many else 'class="ring" r="4.2"'
            yield f'<circle {shape} cx="{left + place(ratio):.1f}" cy="{y}"/>'
        yield f'<text class="num" x="{left + WIDTH - 4}" y="{y + 4}" text-anchor="end">{number(found[many])}</text></g>'


def draw(title, panels, names, bare, workers):
    """The SVG's text. `names`: the lines, in order; `bare`: those that are bare codec loops rather than readers."""
    rows = -(-len(panels) // PANELS_IN_A_ROW)
    columns = min(len(panels), PANELS_IN_A_ROW)
    height = TOP + rows * (len(names) * LINE + BOTTOM + 26) + 18
    width = LABELS + columns * (WIDTH + GAP)
    dots = f"filled dots: {max(workers)} worker{'s' * (max(workers) > 1)}"
    dots += f", hollow: {min(workers)}" * (len(workers) > 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{escape(title)}">',
        f"<style>{STYLE}</style>",
        f'<text class="title" x="4" y="18">{escape(title)}</text>',
    ]
    for index, panel in enumerate(panels):
        row, column = divmod(index, PANELS_IN_A_ROW)
        left = LABELS + column * (WIDTH + GAP)
        top = TOP + 18 + row * (len(names) * LINE + BOTTOM + 26)
        if column == 0:
            for line, name in enumerate(names):
                y = top + line * LINE + LINE / 2 + 4
                parts.append(f'<text x="{LABELS - 8}" y="{y}" text-anchor="end">{escape(name)}</text>')
        parts += panel_parts(panel, names, bare, left, top)
    note = f"time divided by Microtome's: right of the blue line Microtome is ahead, left of it the other; {dots}"
    parts += [f'<text class="small" x="4" y="{height - 6}">{escape(note)}</text>', "</svg>", ""]
    return "\n".join(parts)
