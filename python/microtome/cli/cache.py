"""`microtome cache`: how large a tile cache a slide's reads want, tried out on this machine."""

from __future__ import annotations

import time
from typing import NamedTuple

import click
from rich.table import Table

from .. import Slide, cache, grid
from . import terminal
from .failure import Exit, Failure
from .interrupt import Interrupt
from .options import (
    SIZE,
    ByteCount,
    checked,
    json_option,
    opened,
    quiet_option,
    resolution_options,
    slide_argument,
)
from .regions import stored_level

PATCHES = 400  # read with each capacity: rows of the grid, for a second or so


class Trial(NamedTuple):
    """What reading the same patches one by one took with a cache of `capacity_bytes`."""

    capacity_bytes: int
    hits: int
    misses: int
    evictions: int
    seconds: float


@click.command("cache", short_help="How large a tile cache reads of a slide want.")
@slide_argument
@click.option(
    "--size", type=SIZE, default="256", show_default=True, help="Of the patches that are read one by one."
)
@click.option("--stride", type=SIZE, help="From one to the next; half of --size unless told.")
@click.option(
    "--capacity",
    "capacities",
    type=ByteCount(),
    multiple=True,
    help="Try this one (again for more), as in 64M.",
)
@click.option(
    "--patches",
    type=click.IntRange(1),
    default=PATCHES,
    show_default=True,
    help="Read this many with each capacity.",
)
@resolution_options
@quiet_option
@json_option
def command(slide, size, stride, capacities, patches, resolution, quiet, as_json):
    """Reads patches of SLIDE one by one, row by row, with tile caches of several sizes, and shows what each gives.

    The cache is a process's own and off until `microtome.cache.configure(capacity_bytes=…)`; loaders and the command
    patches need none. Tried are, unless told: none, one and two rows of tiles, and the whole level.
    """
    with opened(slide) as opened_slide:
        level = stored_level(opened_slide, resolution)
        if level is None:
            raise Failure(Exit.USAGE, "no stored level is near that resolution; give --level")
        stride = stride or tuple(max(1, axis // 2) for axis in size)
        locations = checked(grid, opened_slide, size, stride, level=level.index)[:patches]
        named = (
            named_capacities(opened_slide, level) if not capacities else [("", each) for each in capacities]
        )
        trials = []
        with Interrupt() as interrupt, terminal.progress("patches", hidden=quiet) as progress:
            task = progress.add_task("patches", total=len(named) * len(locations))
            for _, capacity in named:
                trials.append(_tried(opened_slide, level, locations, size, capacity, interrupt))
                progress.update(task, advance=len(locations))
                if interrupt.code is not None:
                    raise Failure(interrupt.code, "interrupted")
    if as_json:
        terminal.print_json(
            {
                "path": opened_slide.path,
                "level": level.index,
                "size": size,
                "stride": stride,
                "patches": len(locations),
                "trials": [
                    {"what": what, **trial._asdict()} for (what, _), trial in zip(named, trials, strict=True)
                ],
            }
        )
    else:
        _show(named, trials, len(locations))


def named_capacities(slide: Slide, level) -> list[tuple[str, int]]:
    """[(what it holds, bytes), …]: none, one and two rows of the level's tiles, all of them."""
    w, h = level.tile_size
    tile = w * h * slide.channels * slide.dtype.itemsize
    across, down = (-(-level.size[axis] // level.tile_size[axis]) for axis in (0, 1))
    # An eighth more: the cache has parts, and none of them is filled to its end.
    sizes = [("no cache", 0)] + [
        (name, tile * tiles + tile * tiles // 8)
        for name, tiles in (
            ("a row of tiles", across),
            ("two rows of tiles", 2 * across),
            ("the whole level", across * down),
        )
    ]
    return [each for i, each in enumerate(sizes) if each[1] not in (earlier[1] for earlier in sizes[:i])]


def _tried(slide, level, locations, size, capacity, interrupt) -> Trial:
    before = cache.info()["capacity_bytes"]
    cache.configure(capacity_bytes=capacity)
    cache.clear()
    counted = cache.info()
    try:
        begin = time.perf_counter()
        for x, y in locations.tolist():
            checked(slide.read, (x, y), size, level=level.index)
            if interrupt.code is not None:
                break
        seconds = time.perf_counter() - begin
    finally:
        now = cache.info()
        cache.configure(capacity_bytes=before)
        cache.clear()
    return Trial(
        capacity, *(now[name] - counted[name] for name in ("hits", "misses", "evictions")), round(seconds, 4)
    )


def _show(named, trials, patches):
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("cache")
    for name in ("capacity", "hits", "misses", "evictions", "patches/s"):
        table.add_column(name, justify="right", no_wrap=True)
    for (what, _), trial in zip(named, trials, strict=True):
        rate = patches / trial.seconds if trial.seconds else 0
        capacity = terminal.si(trial.capacity_bytes, "B")
        table.add_row(
            what, capacity, str(trial.hits), str(trial.misses), str(trial.evictions), f"{rate:,.0f}"
        )
    terminal.show(table)
