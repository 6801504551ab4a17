"""A slide's levels drawn as a stepped pyramid, beside what is to be said about each."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

WIDTH = 21  # columns of level 0's step; odd, so that steps can be centred
COLOURS = ("magenta", "bright_blue", "cyan", "green", "yellow", "bright_black")


def steps(widths: Sequence[int], columns: int = WIDTH) -> list[int]:
    """How wide each level's step is drawn: odd numbers of columns, level 0's being all of them.

    Proportional to the logarithm, since levels are often 4 or more times smaller each: true proportions would leave a
    dot. Where two levels differ, so do their steps while there are columns left.
    """
    largest = max(widths)
    drawn = []
    for width in widths:
        share = 1.0 if largest <= 1 else math.log2(width + 1) / math.log2(largest + 1)
        # Logarithms of usual widths lie in the upper half: spread what is there from a third to the whole.
        share = max(0.0, (share - 0.4) / 0.6)
        step = max(1, round(columns * share)) | 1
        if drawn and step >= drawn[-1] and width < widths[len(drawn) - 1]:
            step = max(1, drawn[-1] - 2)
        drawn.append(min(step, columns))
    return drawn


def draw(levels: Sequence) -> Table:
    """A table of one line for each of the slide's levels, smallest on top, with its step at the left."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("", no_wrap=True)
    for name, justify in (("level", "right"), ("size", "right"), ("downsample", "right"), ("µm/px", "right")):
        table.add_column(name, justify=justify, no_wrap=True)
    table.add_column("tiles", no_wrap=True)
    drawn = steps([level.size[0] for level in levels])
    for level in reversed(levels):
        step = drawn[level.index]
        colour = COLOURS[min(level.index, len(COLOURS) - 1)]
        table.add_row(
            _centred(step, colour),
            str(level.index),
            f"{level.size[0]}×{level.size[1]}",
            _pair(level.downsample),
            "" if level.mpp is None else _pair(level.mpp),
            tiles_of(level),
        )
    return table


def _centred(step, colour):
    return Text(" " * ((WIDTH - step) // 2)) + Text("█" * step, style=colour)


def _pair(values):
    """One number where both axes agree within 1 %, as sizes that are rounded to whole pixels do."""
    x, y = values
    return f"{(x + y) / 2:.4g}" if abs(x / y - 1) <= 0.01 else f"{x:.4g}, {y:.4g}"


def tiles_of(level) -> str:
    """ "90×129 of 512×256": how many tiles, and how large."""
    across, down = (-(-level.size[axis] // level.tile_size[axis]) for axis in (0, 1))
    return f"{across}×{down} of {level.tile_size[0]}×{level.tile_size[1]}"
