#!/usr/bin/env python3
"""What Microtome sets itself, task by task, and how far a run met it.

    python bench/goals.py RESULTS.json ...

Most are ratios of Microtome's time to another's (smaller is better), medians over rounds; one is a difference of times
and one a difference of bytes. A goal counts as met where every slide and number of workers of it is.
"""

from __future__ import annotations

import json
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20


@dataclass(frozen=True)
class Goal:
    """`task`, `variant`, `slides` choose rows; `measure`: row -> figure or None; `at_most`: its limit."""

    text: str
    slides: str
    against: str
    at_most: float
    task: str
    variant: str
    measure: object
    unit: str = ""

    def applies(self, row):
        place = (row["task"], row["variant"]) == (self.task, self.variant)
        return place and row["slide"] in self.slides.split() and not row["cold"]


def entry(row, contender, label=None):
    """The contender's entry with values, or None."""
    for found in row["entries"]:
        if (found["contender"], found.get("label")) == (contender, label) and "best" in found:
            return found
    return None


def median_of(function, first, second):
    """The median over the rounds that both took part in."""
    pairs = zip(first["values"], second["values"], strict=True)
    found = [function(a, b) for a, b in pairs if a is not None and b is not None]
    return statistics.median(found) if found else None


def over(contender, label=None, *, per_pixel=False, inverse=False):
    """Microtome's time divided by that entry's (or the other way round), or the same for one pixel."""

    def measure(row):
        own, other = entry(row, "microtome"), entry(row, contender, label)
        if not own or not other:
            return None
        if inverse:
            own, other = other, own
        scale = other["pixels"] / own["pixels"] if per_pixel else 1
        ratio = median_of(lambda a, b: a / b, own, other)
        return None if ratio is None else ratio * scale

    return measure


def copy_and(row):
    """Microseconds above NumPy's copy."""
    own, copy = entry(row, "microtome"), entry(row, "numpy_copy")
    return median_of(lambda a, b: (a - b) * 1e6, own, copy) if own and copy else None


def above_result(row):
    """MiB of peak memory above the result's own."""
    own = entry(row, "microtome")
    return (own["median"] - 3 * own["pixels"]) / MIB if own else None


def goals():
    fresh, out, grid = ("whole_level", "fresh"), ("whole_level", "out"), "grid"
    level = "whole level, "
    table = [
        Goal(level + "`out=`", "B", "bare libjpeg-turbo, reused level", 1.03, *out, over("floor")),
        Goal(level + "`out=`", "D E F", "bare libjpeg-turbo, reused level", 0.78, *out, over("floor")),
        Goal(level + "fresh", "B D E F", "bare libjpeg-turbo, fresh level", 1.00, *fresh, over("floor")),
        Goal(level + "`out=`", "A C 1065626", "bare OpenJPEG, reused level", 1.03, *out, over("floor")),
    ]
    limits = {"cucim": ("cuCIM", (0.80, 0.50)), "tifffile": ("tifffile", (0.80, 0.70))}
    for contender, (shown, (tissue, blank)) in limits.items():
        table.append(Goal(level + "fresh", "B", shown, tissue, *fresh, over(contender)))
        table.append(Goal(level + "fresh", "D E F", shown, blank, *fresh, over(contender)))
        table.append(Goal(level + "fresh", "A C", shown, 1.03, *fresh, over(contender)))
    whole = over("microtome", "whole level", per_pixel=True)
    aligned = over("microtome", "aligned grid", per_pixel=True)
    table += [
        Goal("aligned grid", "A B D", "own whole level, per pixel", 1.10, grid, "aligned", whole),
        Goal(
            "half-tile-offset grid, large",
            "B-full C D-full",
            "own aligned grid, per pixel",
            1.15,
            grid,
            "half-large",
            aligned,
        ),
        Goal("half-tile-offset grid", "B D", "pyvips", 0.90, grid, "half", over("pyvips")),
        Goal("half-tile-offset grid", "B D", "cuCIM", 0.30, grid, "half", over("cucim")),
        Goal("half-tile-offset grid", "B C D", "cuCIM 21.12 + cache", 0.80, grid, "half", over("cucim21")),
        Goal("random, dense", "B C D", "cuCIM 21.12 + cache", 0.80, "random", "dense", over("cucim21")),
        Goal("random, dense", "B C D", "bare loop, each tile once", 1.15, "random", "dense", over("floor")),
        Goal("random, sparse", "B D", "bare loop, whole tiles", 0.75, "random", "sparse", over("floor")),
    ]
    one, sixteen = over("microtome", "1 worker"), over("microtome", "16 workers", inverse=True)
    for text, slides, place in (
        (level + "fresh", "A B C D E F", fresh),
        ("aligned grid", "A B C D", (grid, "aligned")),
    ):
        table.append(Goal(text, slides, "own, 2 workers / 1 worker", 0.53, *place, one))
        table.append(Goal(text, slides, "own, 16 workers / 2, on 2 CPUs", 1.05, *place, sixteen))
    return [
        *table,
        Goal("one cached 256x256 read", "A B", "NumPy's copy, plus", 10, "latency", "", copy_and, " µs"),
        Goal("open, 100,000 tiles", "many-tiles", "OpenSlide", 0.5, "open", "", over("openslide")),
        Goal("peak memory, whole level", "A B", "the result, plus", 32, "memory", "", above_result, " MiB"),
    ]


def shown(value, unit):
    return f"{value:.1f}{unit}" if unit else f"{value:.2f}"


def judge(goal, rows):
    """(worst figure with its slide for each number of workers, "met", "missed" or "not measured")."""
    worst = {}
    for row in rows:
        figure = goal.measure(row) if goal.applies(row) else None
        if figure is not None:
            worst.setdefault(row["workers"], []).append((figure, row["slide"]))
    if not worst:
        return {}, "not measured"
    met = all(figure <= goal.at_most for figures in worst.values() for figure, _ in figures)
    return {n: max(figures) for n, figures in sorted(worst.items())}, "met" if met else "missed"


def table(rows):
    """A Markdown table of all goals."""
    lines = ["| task | slides | against | at most | measured (worst) | |", "|---|---|---|---|---|---|"]
    for goal in goals():
        worst, verdict = judge(goal, rows)
        measured = ", ".join(f"{shown(v, goal.unit)} ({slide}, x{n})" for n, (v, slide) in worst.items())
        mark = {"met": "met", "missed": "**missed**"}.get(verdict, verdict)
        limit = f"{goal.at_most}{goal.unit}" if goal.unit else f"{goal.at_most:.2f}"
        lines.append(
            f"| {goal.text} | {goal.slides.replace(' ', ', ')} | {goal.against} | {limit} | {measured} | {mark} |"
        )
    return "\n".join(lines)


def main():
    print(table([row for path in sys.argv[1:] for row in json.loads(Path(path).read_text())["rows"]]))


if __name__ == "__main__":
    main()
