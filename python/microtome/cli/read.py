"""`microtome read`: a region, a whole level or a thumbnail as a picture."""

from __future__ import annotations

import click

from . import terminal
from .failure import Exit, Failure
from .options import (
    LOCATION,
    SIZE,
    fill_option,
    on_error_option,
    opened,
    overwrite_option,
    quality_option,
    quiet_option,
    resolution_options,
    slide_argument,
    workers_option,
)
from .pictures import KINDS, kind_of
from .regions import Reading
from .whole_file import STDOUT, may_write, whole_file

SHOWN_ERRORS = 5

format_option = click.option(
    "--format",
    "format_name",
    type=click.Choice(list(KINDS)),
    help="Of the picture; its suffix says it, unless told.",
)


@click.command("read", short_help="A region, a level or a thumbnail as PNG, JPEG, TIFF or NPY.")
@slide_argument
@click.argument("out", type=click.Path())
@click.option("--at", "location", type=LOCATION, help="The region's top left corner, in level-0 pixels.")
@click.option("--size", type=SIZE, help="Of the region, in pixels of the level that is read.")
@click.option(
    "--thumbnail", type=click.IntRange(1), metavar="PIXELS", help="The whole slide, its longest side this."
)
@resolution_options
@format_option
@quality_option
@fill_option
@on_error_option
@overwrite_option
@workers_option
@quiet_option
def command(
    slide, out, location, size, thumbnail, resolution, format_name, quality, overwrite, quiet, **options
):
    """Writes pixels of SLIDE to the file OUT, or to standard output where that is "-".

    With --at and --size a region, with --thumbnail the whole slide made small, otherwise a whole level. TIFF and NPY
    hold levels that are larger than memory.
    """
    _check(location, size, thumbnail, resolution)
    kind = kind_of(out, format_name)
    may_write(out, overwrite)
    with opened(slide) as opened_slide:
        reading = Reading(opened_slide, package_options(options))
        if thumbnail is not None:
            pixels = reading.thumbnail(thumbnail)
        elif size is not None:
            pixels = reading.region(location or (0, 0), size, resolution)
        else:
            pixels = reading.whole(resolution)
        write_picture(kind, out, pixels, reading, quality=quality, overwrite=overwrite, quiet=quiet)


def package_options(options: dict) -> dict:
    """Options of a command line as the package's functions take them."""
    return options | {"on_error": {"stop": "raise", "fill": "fill"}[options["on_error"]]}


def _check(location, size, thumbnail, resolution):
    if location is not None and size is None:
        raise Failure(Exit.USAGE, "--at needs --size: how many pixels to read from there on")
    if thumbnail is not None and (size is not None or resolution.arguments()):
        raise Failure(
            Exit.USAGE, "--thumbnail is of the whole slide: leave out --at, --size and the resolution"
        )


def write_picture(kind, out, pixels, reading, *, quality, overwrite, quiet) -> None:
    """Writes `pixels` as a whole file, with progress and a note of what was written and what was filled."""
    kind.check(pixels.shape, pixels.dtype)
    h, w, _ = pixels.shape
    with terminal.progress("rows", hidden=quiet) as progress, whole_file(out, overwrite=overwrite) as file:
        task = progress.add_task("reading", total=h)
        reading.advance = lambda rows: progress.update(task, advance=rows)
        kind.write(file, pixels, quality)
        size_bytes = file.seek(0, 2)
    if quiet:
        return
    if out != STDOUT:
        terminal.note(f"{out}: {w}×{h} {kind.name.upper()}, {terminal.si(size_bytes, 'B')}")
    if reading.errors:
        terminal.note(
            f"{terminal.count(len(reading.errors), 'broken tile was', 'broken tiles were')} filled:"
        )
        for error in reading.errors[:SHOWN_ERRORS]:
            terminal.note(f"  {error.message}")
        if len(reading.errors) > SHOWN_ERRORS:
            terminal.note(f"  … and {len(reading.errors) - SHOWN_ERRORS} more; 'microtome verify' lists all")
