"""`microtome verify`: decodes every tile of a slide and lists what is broken, with places."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import NamedTuple

import click
from rich.table import Table
from rich.text import Text

from .. import Loader, Slide, grid
from ..errors import Error
from . import terminal
from .failure import Exit, Failure
from .interrupt import Interrupt
from .options import json_option, opened, quiet_option, slide_argument, workers_option

BATCH_BYTES = 32 << 20  # of the tiles that are decoded between two looks at Ctrl-C
BATCH_TILES = 256


class Broken(NamedTuple):
    """Something that could not be decoded.

    Attributes
    ----------
    image : str
        "level 0", or "associated image label".
    level : int or None
    tile : tuple of int or None
        (column, row) in its level; None for an associated image.
    location : tuple of int or None
        (x, y) of its top left corner in level-0 pixels.
    offset, size : int or None
        Where its bytes are in the file.
    problem : str
    """

    image: str
    level: int | None
    tile: tuple[int, int] | None
    location: tuple[int, int] | None
    offset: int | None
    size: int | None
    problem: str


class Count(NamedTuple):
    """Tiles of a level: checked so far of all, how many of them the file leaves out, how many are broken."""

    checked: int
    tiles: int
    absent: int
    broken: int


@click.command("verify", short_help="Decodes every tile and lists what is broken.")
@slide_argument
@workers_option
@quiet_option
@json_option
def command(slide, workers, quiet, as_json):
    """Decodes every tile of every level of SLIDE, and its associated images, and lists what is broken, with places.

    The exit code is 0 if nothing is, and 4 if something is.
    """
    with opened(slide) as opened_slide:
        check = Check(opened_slide, workers)
        begin = time.monotonic()
        with Interrupt() as interrupt, terminal.progress("tiles", hidden=quiet) as progress:
            task = progress.add_task("tiles", total=sum(map(tiles_of, opened_slide.levels)))
            for count in check.steps():
                progress.update(task, advance=count)
                if interrupt.code is not None:
                    break
        seconds = time.monotonic() - begin
    if as_json:
        terminal.print_json(check.report(opened_slide, seconds))
    else:
        _show(check, opened_slide, seconds, quiet)
    if not check.finished:
        done = sum(count.checked for count in check.levels)
        raise Failure(interrupt.code, f"interrupted: {done} tiles of {slide} were checked, not all of them")
    if check.broken:
        found = terminal.count(len(check.broken), "part is", "parts are")
        raise Failure(
            Exit.BROKEN,
            f"{slide}: {found} broken; get another copy of the file, or read with --on-error fill",
        )


def tiles_of(level) -> int:
    """How many tiles cover a level."""
    (w, h), (tile_w, tile_h) = level.size, level.tile_size
    return -(-w // tile_w) * -(-h // tile_h)


class Check:
    """A walk over all tiles of a slide; `broken` and `levels` grow with it.

    Attributes
    ----------
    broken : list of Broken
    levels : list of Count
        One for each level begun.
    associated : list of str
        Names of the associated images looked at.
    finished : bool
    """

    def __init__(self, slide: Slide, workers: int | None) -> None:
        self._slide = slide
        self._workers = workers
        self.broken: list[Broken] = []
        self.levels: list[Count] = []
        self.associated: list[str] = []
        self.finished = False

    def steps(self) -> Iterator[int]:
        """Numbers of tiles checked since the last step."""
        for name in self._slide.associated:
            self._check_associated(name)
            yield 0
        for level in self._slide.levels:
            yield from self._check_level(level)
        self.finished = True

    def _check_associated(self, name):
        self.associated.append(name)
        try:
            self._slide.associated[name]
        except (Error, OSError, MemoryError) as error:
            self.broken.append(self._found(f"associated image {name}", str(error)))

    def _check_level(self, level):
        # Patches that are exactly the tiles: each is decoded once, straight to its place.
        locations = grid(self._slide, level.tile_size, level=level.index)
        tile_bytes = (
            level.tile_size[0] * level.tile_size[1] * self._slide.channels * self._slide.dtype.itemsize
        )
        loader = Loader(
            self._slide,
            locations,
            level.tile_size,
            level=level.index,
            batch_size=max(1, min(BATCH_TILES, BATCH_BYTES // tile_bytes)),
            workers=self._workers,
            on_error="fill",
        )
        columns = -(-level.size[0] // level.tile_size[0])
        self.levels.append(Count(0, len(locations), 0, 0))
        checked = broken = 0
        for batch in loader:
            for row, message in batch.errors:
                index = int(batch.indices[row])
                place = {"level": level.index, "tile": (index % columns, index // columns)}
                place["location"] = tuple(locations[index].tolist())
                self.broken.append(self._found(f"level {level.index}", message, **place))
            checked, broken = checked + len(batch), broken + len(batch.errors)
            # Absent tiles are counted ahead of the batches that have come.
            absent = min(loader.stats().absent, checked)
            self.levels[-1] = Count(checked, len(locations), absent, broken)
            yield len(batch)

    def _found(self, image, message, level=None, tile=None, location=None):
        """A Broken, its message without the place, which stands beside it."""
        parts = re.fullmatch(r"(.*) \((?:.*, )?bytes (\d+)\+(\d+), .*\)", message, re.DOTALL)
        if parts is None:
            return Broken(image, level, tile, location, None, None, message)
        return Broken(image, level, tile, location, int(parts[2]), int(parts[3]), parts[1])

    def report(self, slide: Slide, seconds: float) -> dict:
        """All of it, for JSON."""
        return {
            "path": slide.path,
            "ok": self.finished and not self.broken,
            "finished": self.finished,
            "levels": [{"level": i, **count._asdict()} for i, count in enumerate(self.levels)],
            "associated": self.associated,
            "broken": [each._asdict() for each in self.broken],
            "seconds": round(seconds, 3),
        }


def _show(check, slide, seconds, quiet):
    if check.broken:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        for name, justify in (("image", "left"), ("tile", "right"), ("at x,y", "right"), ("bytes", "right")):
            table.add_column(name, justify=justify, no_wrap=True)
        table.add_column("problem", overflow="fold")
        for each in check.broken:
            where = "" if each.offset is None else f"{each.offset}+{each.size}"
            table.add_row(
                Text(each.image, style="red"),
                _pair(each.tile),
                _pair(each.location),
                where,
                Text(each.problem),
            )
        terminal.show(table)
    if quiet or not check.finished:
        return
    tiles, absent = (sum(getattr(count, name) for count in check.levels) for name in ("tiles", "absent"))
    levels = terminal.count(len(check.levels), "level")
    parts = [f"{terminal.count(tiles, 'tile')} of {levels}"]
    parts += [terminal.count(len(check.associated), "associated image")] if check.associated else []
    found = f"{len(check.broken)} broken" if check.broken else "all in order"
    left_out = f"; {absent} of the tiles are left out of the file, as they may be" if absent else ""
    terminal.note(f"{slide.path}: {' and '.join(parts)}, {found}, in {seconds:.1f} s{left_out}")


def _pair(values):
    return "" if values is None else f"{values[0]},{values[1]}"
