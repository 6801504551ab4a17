"""Which rows `make bench` measures: task by slide by workers, each with its contenders. The whole list on a screen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

LEVEL = (
    "microtome",
    "floor",
    "tifffile",
    "cucim",
    "openslide",
    "tiffslide",
    "fastslide",
    "slideio",
    "pyvips",
)
# tifffile reads regions through zarr, as tiffslide does for it.
PATCH = ("microtome", "floor", "cucim", "cucim_cache", "cucim21", *LEVEL[4:])
LIBRARIES = ("microtome", *LEVEL[2:])
JPEG2000_TILES, ALIGNED_JPEG2000_TILES = 200, 600


class Companion(NamedTuple):
    """Microtome at something else in the same rounds, for ratios with itself; what differs from the row's own job."""

    label: str
    task: str
    variant: str
    workers: int


@dataclass(frozen=True)
class Row:
    """`steady` contenders take part in every round; slow ones besides in a few only."""

    task: str
    variant: str
    slide: str
    workers: int
    contenders: tuple
    steady: tuple = ()
    companions: tuple = ()
    patch_tiles: int = field(default=JPEG2000_TILES)  # of JPEG 2000 slides only; JPEG ones are read whole

    @property
    def name(self):
        return " ".join(filter(None, (self.task, self.variant, self.slide)))


def at_workers(task, variant, workers):
    """Companions that say how the work scales: 1 worker beside 2, and 16 on 2 cores."""
    if workers != 2:
        return ()
    return tuple(Companion(f"{n} worker{'s' * (n > 1)}", task, variant, n) for n in (1, 16))


def level_rows(workers):
    for slide in "ABCDEF":
        scaling = at_workers("whole_level", "fresh", workers)
        yield Row("whole_level", "fresh", slide, workers, LEVEL, ("floor", "cucim", "tifffile"), scaling)
        yield Row("whole_level", "out", slide, workers, ("microtome", "floor", "tifffile"), ("floor",))
    yield Row("whole_level", "fresh", "1065626", workers, ("microtome", "tifffile", "cucim", "slideio"))
    yield Row("whole_level", "out", "1065626", workers, ("microtome", "floor"), ("floor",))


def grid_rows(workers):
    whole = (Companion("whole level", "whole_level", "fresh", workers),)
    aligned = (Companion("aligned grid", "grid", "aligned", workers),)
    for slide in "ABD":
        beside = whole + at_workers("grid", "aligned", workers)
        yield Row("grid", "aligned", slide, workers, PATCH, (), beside, patch_tiles=ALIGNED_JPEG2000_TILES)
    yield Row("grid", "aligned", "C", workers, PATCH, (), at_workers("grid", "aligned", workers))
    for slide, steady in {"A": (), "B": ("cucim", "pyvips"), "C": (), "D": ("cucim", "pyvips")}.items():
        yield Row("grid", "half", slide, workers, PATCH, ("cucim21", *steady))
    for slide in ("B-full", "C", "D-full"):
        yield Row("grid", "half-large", slide, workers, ("microtome",), (), aligned, patch_tiles=0)


def random_rows(workers):
    for slide in "BCD":
        yield Row("random", "dense", slide, workers, PATCH, ("floor", "cucim21"))
    for slide in "BD":
        yield Row("random", "sparse", slide, workers, PATCH, ("floor",))


def rows_alone():
    """With one worker only: what is no matter of workers, or a variation of the others."""
    yield Row("grid", "overlap", "B", 1, PATCH)
    yield Row("random", "sparse", "A", 1, PATCH)
    yield Row("shuffled_loader", "", "B", 1, tuple(name for name in PATCH if name != "floor"))
    for slide in (
        "B",
        "many-tiles",
    ):  # many tiles: who reads the tables of offsets late has to read them here
        yield Row("many_slides", "", slide, 1, LIBRARIES)
    for slide in "AB":
        small = ("numpy_copy", "cucim_cache", "cucim21")
        yield Row("latency", "", slide, 1, LIBRARIES + small, ("numpy_copy",))
    for slide in ("B", "many-tiles"):
        yield Row("open", "", slide, 1, LIBRARIES, ("openslide",))
    for slide in "AB":
        yield Row("memory", "", slide, 1, LIBRARIES)
    yield Row("import", "", "B", 1, LIBRARIES)


def rows(workers):
    """All rows, in the order they are run."""
    found = []
    for n in workers:
        found += [*level_rows(n), *grid_rows(n), *random_rows(n), *(rows_alone() if n == 1 else ())]
    return found


def quick(all_rows):
    """A part that takes a minute or two and touches every task."""
    chosen = {
        ("whole_level", "A"),
        ("whole_level", "B"),
        ("whole_level", "D"),
        ("grid", "B"),
        ("random", "B"),
        ("shuffled_loader", "B"),
        ("many_slides", "B"),
        ("latency", "B"),
        ("open", "B"),
        ("memory", "B"),
        ("import", "B"),
    }
    return [row for row in all_rows if (row.task, row.slide) in chosen]
