"""`microtome associated`: the label, the macro and the thumbnail that a slide carries."""

from __future__ import annotations

import click
from rich.table import Table

from . import terminal
from .failure import Exit, Failure, one_line
from .info import associated_sizes
from .options import json_option, opened, overwrite_option, quality_option, quiet_option, slide_argument
from .pictures import Pixels, kind_of
from .read import format_option, write_picture
from .regions import Reading
from .whole_file import may_write


@click.command(
    "associated", short_help="The images a slide carries beside its levels: label, macro, thumbnail."
)
@slide_argument
@click.argument("name", required=False)
@click.argument("out", type=click.Path(), required=False)
@format_option
@quality_option
@overwrite_option
@quiet_option
@json_option
def command(slide, name, out, format_name, quality, overwrite, quiet, as_json):
    """Lists the associated images of SLIDE, or writes the one called NAME to the file OUT ("-": standard output)."""
    if name is not None and out is None:
        raise Failure(Exit.USAGE, f"where to write {name}? Give a file after it, as in {name}.png")
    with opened(slide) as opened_slide:
        sizes = associated_sizes(opened_slide)
        if name is None:
            _list(sizes, as_json)
            return
        if name not in sizes:
            there = ", ".join(sizes) or "none"
            raise Failure(Exit.USAGE, one_line(f"{slide} has no associated image {name!r}; it has: {there}"))
        kind = kind_of(out, format_name)
        may_write(out, overwrite)
        pixels = Pixels.of(opened_slide.associated[name])
        reading = Reading(opened_slide, {})
        write_picture(kind, out, pixels, reading, quality=quality, overwrite=overwrite, quiet=quiet)


def _list(sizes, as_json):
    if as_json:
        terminal.print_json({name: {"size": size} for name, size in sizes.items()})
        return
    if not sizes:
        terminal.note("no associated images")
        return
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, size in sizes.items():
        table.add_row(name, f"{size[0]}×{size[1]}" if size else "")
    terminal.show(table)
