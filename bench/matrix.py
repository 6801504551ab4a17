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
PATCH = ("microtome", "floor", "tifffile", "cucim", "cucim_cache", "cucim21", *LEVEL[4:])
LIBRARIES = ("microtome", *LEVEL[2:])
FLOORED = ("microtome", "floor", "tifffile")
JPEG2000_TILES, ALIGNED_JPEG2000_TILES = 300, 600


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


def rows_for(workers):
    """The rows of one number of workers, in the order they are run."""
    for slide in ("A", "B", "C", "D", "E", "F", "1065626"):
        steady = ("floor", "cucim", "tifffile") if len(slide) == 1 else ()
        scaling = at_workers("whole_level", "fresh", workers) if len(slide) == 1 else ()
        yield Row("whole_level", "fresh", slide, workers, LEVEL, steady, scaling)
        yield Row("whole_level", "out", slide, workers, FLOORED, ("floor",))
    for slide in ("A", "B", "C", "D"):
        whole = (Companion("whole level", "whole_level", "fresh", workers),) if slide != "C" else ()
        scaling = at_workers("grid", "aligned", workers)
        yield Row(
            "grid", "aligned", slide, workers, PATCH, (), whole + scaling, patch_tiles=ALIGNED_JPEG2000_TILES
        )
        aligned = (Companion("aligned grid", "grid", "aligned", workers),)
        yield Row("grid", "half", slide, workers, PATCH, ("cucim", "cucim21", "pyvips"), aligned)
    for slide in ("B", "D"):
        yield Row("grid", "overlap", slide, workers, PATCH)
    for slide in ("B", "C", "D"):
        yield Row("random", "dense", slide, workers, PATCH, ("floor", "cucim21"))
    for slide in ("A", "B", "D"):
        yield Row("random", "sparse", slide, workers, PATCH, ("floor",))
    for slide in ("B", "D"):
        yield Row("shuffled_loader", "", slide, workers, tuple(n for n in PATCH if n != "floor"))
    for slide in ("A", "B"):
        yield Row("many_slides", "", slide, workers, LIBRARIES)
    if workers == 1:
        yield from rows_alone()


def rows_alone():
    """What has nothing to do with the number of workers."""
    for slide in ("A", "B"):
        small = ("numpy_copy", "cucim_cache", "cucim21")
        yield Row("latency", "", slide, 1, LIBRARIES + small, ("numpy_copy",))
    for slide in ("B", "many-tiles"):
        yield Row("open", "", slide, 1, LIBRARIES, ("openslide",))
    for slide in ("A", "B", "D"):
        yield Row("memory", "", slide, 1, LIBRARIES)
    yield Row("import", "", "B", 1, LIBRARIES)


def rows(workers):
    return [row for n in workers for row in rows_for(n)]


def quick(all_rows):
    """A part that takes a minute or two and touches every task."""
    chosen = {
        ("whole_level", "A"),
        ("whole_level", "B"),
        ("whole_level", "D"),
        ("grid", "B"),
        ("random", "B"),
        ("shuffled_loader", "D"),
        ("many_slides", "B"),
        ("latency", "B"),
        ("open", "B"),
        ("memory", "B"),
        ("import", "B"),
    }
    return [row for row in all_rows if (row.task, row.slide) in chosen]
