"""`microtome info`: what a slide says about itself, and its pyramid."""

from __future__ import annotations

import os

import click
from rich.table import Table
from rich.text import Text

from .. import Slide
from . import pyramid, terminal
from .options import json_option, opened, slide_argument


@click.command("info", short_help="Facts about a slide, and its pyramid.")
@slide_argument
@click.option("--properties", is_flag=True, help="List all properties too.")
@json_option
def command(slide, properties, as_json):
    """Facts about SLIDE, and its pyramid drawn. No pixel is decoded."""
    with opened(slide) as opened_slide:
        if as_json:
            terminal.print_json(describe(opened_slide))
        else:
            terminal.show(*_shown(opened_slide, properties))


def associated_sizes(slide: Slide) -> dict[str, tuple[int, int] | None]:
    """(w, h) of each associated image, from the properties: decoding them is not needed for that."""
    sizes = {}
    for name in slide.associated:
        try:
            sizes[name] = tuple(
                int(slide.properties[f"openslide.associated.{name}.{axis}"]) for axis in ("width", "height")
            )
        except (KeyError, ValueError):
            sizes[name] = None
    return sizes


def describe(slide: Slide) -> dict:
    """The facts as JSON has them; keys are the names of the package's attributes."""
    return {
        "path": slide.path,
        "file_bytes": os.stat(slide.path).st_size,
        "format": slide.format,
        "size": slide.size,
        "mpp": slide.mpp,
        "objective_power": slide.objective_power,
        "channels": slide.channels,
        "channel_names": slide.channel_names,
        "dtype": str(slide.dtype),
        "photometric": slide.photometric,
        "images": [{**image._asdict(), "dtype": str(image.dtype)} for image in slide.images],
        "image": slide.image,
        "levels": [
            {**level._asdict(), "codec": codec}
            for level, codec in zip(slide.levels, slide.codecs, strict=True)
        ],
        "associated": {name: {"size": size} for name, size in associated_sizes(slide).items()},
        "icc_profile_bytes": len(slide.icc_profile or b""),
        "properties": dict(slide.properties),
    }


def _shown(slide, properties):
    facts = describe(slide)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    w, h = slide.size
    pixel = f"{slide.channels} × {slide.dtype}"
    table.add_row("format", slide.format)
    table.add_row("size", f"{w} × {h} pixels{_extent(slide)}, {pixel}")
    if slide.channel_names:
        table.add_row("channels", Text(", ".join(slide.channel_names)))
    table.add_row("coding", _coding(slide.codecs))
    table.add_row("file", terminal.si(facts["file_bytes"], "B"))
    table.add_row("resolution", _resolution(slide))
    if slide.photometric != "RGB":
        table.add_row("colours", slide.photometric)
    if len(slide.images) > 1:
        table.add_row("images", f"{len(slide.images)} in the file; this is number {slide.image}")
    table.add_row("associated", _associated(facts["associated"]))
    if "microtome.other-images" in slide.properties:
        table.add_row("not shown", Text(slide.properties["microtome.other-images"]))
    if slide.icc_profile:
        table.add_row("ICC profile", terminal.si(len(slide.icc_profile), "B"))
    table.add_row(
        "properties", str(len(slide.properties)) + ("" if properties else "; --properties lists them")
    )
    yield Text(slide.path, style="bold")
    yield table
    yield ""
    yield pyramid.draw(slide.levels)
    if properties:
        listed = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        listed.add_column(style="dim", overflow="fold")
        listed.add_column(overflow="fold")
        for key, value in slide.properties.items():
            listed.add_row(key, Text(value))
        yield ""
        yield listed


def _extent(slide):
    """How large the specimen is."""
    if slide.mpp is None:
        return ""
    return " ({:.3g} × {:.3g} mm)".format(*(slide.size[axis] * slide.mpp[axis] / 1000 for axis in (0, 1)))


def _resolution(slide):
    parts = []
    if slide.mpp is not None:
        parts.append("{:.4g} × {:.4g} µm per pixel".format(*slide.mpp))
    if slide.objective_power is not None:
        parts.append(f"objective {slide.objective_power:g}×")
    return ", ".join(parts) or "not said"


def _coding(codecs):
    if len(set(codecs)) == 1:
        return codecs[0]
    return ", ".join(f"level {index}: {codec}" for index, codec in enumerate(codecs))


def _associated(images):
    parts = (
        f"{name} {'×'.join(map(str, each['size']))}" if each["size"] else name
        for name, each in images.items()
    )
    return ", ".join(parts) or "none"
