"""`microtome patches`: a grid of patches as a folder of pictures, a WebDataset, HDF5 or zarr."""

from __future__ import annotations

import hashlib
import os
import time

import click
import numpy as np

from .. import Loader, Slide, grid
from .._core import available_cpus
from . import terminal
from .failure import Exit, Failure, one_line, package
from .interrupt import Interrupt
from .options import (
    SIZE,
    Resolution,
    checked,
    fill_option,
    json_option,
    on_error_option,
    opened,
    quality_option,
    quiet_option,
    resolution_options,
    slide_argument,
    workers_option,
)
from .patchsets import KINDS, kind_of
from .patchsets.job import Job
from .patchsets.layout import Layout
from .pictures import KINDS as PICTURES
from .read import package_options
from .regions import mpp_of, stored_level

PICTURE_SUFFIX = {"png": ".png", "jpeg": ".jpg"}


@click.command("patches", short_help="A grid of patches to a folder, WebDataset, HDF5 or zarr; resumable.")
@slide_argument
@click.argument("out", type=click.Path())
@click.option(
    "--size", type=SIZE, default="256", show_default=True, help="Of a patch, in pixels of the level."
)
@click.option("--stride", type=SIZE, help="From one patch to the next; --size unless told.")
@resolution_options
@click.option(
    "--edge",
    type=click.Choice(["pad", "drop"]),
    default="pad",
    show_default=True,
    help="Patches beyond the right and bottom edge: filled there, or left out.",
)
@click.option(
    "--mask",
    type=click.Path(),
    help="A picture of the whole slide at any scale: what is not black is tissue.",
)
@click.option(
    "--min-tissue",
    type=click.FloatRange(0, 1),
    help="Keep patches with this share of tissue; any, unless told.",
)
@click.option(
    "--kind", type=click.Choice(list(KINDS)), help="Of the output; its suffix says it, unless told."
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(list(PICTURE_SUFFIX)),
    default="png",
    show_default=True,
    help="Of the pictures in a folder or WebDataset.",
)
@quality_option
@fill_option
@on_error_option
@click.option(
    "--overwrite", is_flag=True, help="Replace the output file if it exists. Folders are never replaced."
)
@click.option(
    "--restart", is_flag=True, help="Forget an unfinished run for this output instead of going on with it."
)
@workers_option
@quiet_option
@json_option
def command(slide, out, kind, overwrite, restart, quiet, as_json, **options):
    """Cuts SLIDE into a grid of patches and writes them to OUT, with a manifest of their locations.

    OUT ends in .tar (a WebDataset), .h5 (HDF5) or .zarr, or is a folder of pictures. It gets its name when the last
    patch is there. Interrupted or killed, the same command goes on where it stopped; until then OUT.partial has what
    there is, with its manifest.
    """
    kind = kind_of(out, kind)
    if kind.package:
        package(kind.package, f"writing {kind.title}")
    with opened(slide) as opened_slide:
        work = Work(opened_slide, kind, **options)
        with Job(out, kind, work.layout, work.facts, work.row, overwrite=overwrite, restart=restart) as job:
            summary = _run(work, job, quiet)
    if not quiet:
        terminal.note(_told(summary))
    if as_json:
        terminal.print_json(summary)


class Work:
    """What is to be cut from a slide, worked out from the command's options.

    Attributes
    ----------
    layout : Layout
    facts : dict
        What makes the job this one and no other: see `Job`. Not the slide's path, which may differ between two runs,
        nor what does not change a pixel.
    """

    def __init__(
        self,
        slide: Slide,
        kind: type,
        *,
        size,
        stride,
        resolution: Resolution,
        edge,
        mask,
        min_tissue,
        format_name,
        quality,
        fill,
        on_error,
        workers,
    ) -> None:
        self._slide = slide
        self._size = size
        self._level = stored_level(slide, resolution)
        self._mpp = mpp_of(slide, resolution)
        self._where = resolution.arguments()
        self._reading = package_options({"on_error": on_error, "fill": fill, "workers": workers})
        selection = {
            "edge": edge,
            "mask": None if mask is None else read_mask(mask),
            "min_tissue": min_tissue,
        }
        locations = checked(grid, slide, size, stride, **self._where, **selection)
        if len(locations) == 0:
            raise Failure(
                Exit.USAGE,
                "there is no such patch in the slide; check --size, --edge, --mask and --min-tissue",
            )
        picture = PICTURES[format_name]
        shape = (size[1], size[0], slide.channels)
        if kind.pictures:
            picture.check(shape, slide.dtype, "HDF5 or zarr: an output that ends in .h5 or .zarr")
        self.layout = Layout(
            locations,
            shape,
            slide.dtype,
            PICTURE_SUFFIX[format_name],
            lambda pixels: picture.encode(pixels, quality),
            workers or available_cpus(),
            self._about(),
        )
        status = os.stat(slide.path)
        self.facts = {
            "slide": {"bytes": status.st_size, "mtime_ns": status.st_mtime_ns},
            "kind": kind.name,
            "format": format_name if kind.pictures else None,
            "quality": quality if kind.pictures and format_name == "jpeg" else None,
            "size": size,
            "resolution": self._where if self._level is None else {"level": self._level.index},
            "patches": len(locations),
            "locations": hashlib.sha256(np.ascontiguousarray(locations, "<i8").data).hexdigest(),
            "fill": fill,
        }

    def _about(self):
        level = self._level
        about = {"slide": os.path.basename(self._slide.path).encode("utf-8", "replace").decode()}
        if level is not None:
            about |= {"level": level.index, "downsample": list(level.downsample)}
        return about | ({"mpp": list(self._mpp)} if self._mpp else {})

    def row(self, patches, index: int) -> tuple[str, ...]:
        """A patch's values in the manifest, but its error."""
        x, y = self.layout.locations[index].tolist()
        mpp = self._mpp or ("", "")
        number = "" if self._level is None else self._level.index
        values = (self._slide.path, index, patches.patch_name(index), x, y, *self._size, number, *mpp)
        return tuple(map(str, values))

    def batches(self, first: int):
        """Batches of the patches from `first` on, in order."""
        rest = self.layout.locations[first:]
        options = self._where | self._reading | {"batch_size": self.layout.batch}
        return iter(checked(Loader, self._slide, rest, self._size, **options)) if len(rest) else iter(())


def read_mask(path: str) -> np.ndarray:
    """(h, w) uint8 of a picture."""
    image = package("PIL.Image", "reading a mask")
    try:
        with image.open(path) as mask:
            return np.asarray(mask.convert("L"))
    except OSError as error:
        if error.errno is not None:
            raise
        raise Failure(Exit.USAGE, f"--mask {path}: no picture that Pillow reads") from None
    except image.DecompressionBombError as error:
        raise Failure(Exit.USAGE, f"--mask {path}: {error}; a smaller mask will do") from None


def _run(work, job, quiet):
    """Adds all that is missing; the summary. Interrupted, it raises a Failure once the job is in order."""
    total, before, begin = len(work.layout.locations), job.done, time.monotonic()
    with Interrupt() as interrupt, terminal.progress("patches", hidden=quiet) as progress:
        task = progress.add_task("patches", total=total, completed=before)
        batches = work.batches(before)
        while interrupt.code is None and (batch := next(batches, None)) is not None:
            errors = [""] * len(batch)
            for row, message in batch.errors:
                errors[row] = "; ".join(filter(None, (errors[row], one_line(message))))
            job.add(batch.pixels, errors)
            progress.update(task, completed=job.done)
        if job.done < total:
            raise Failure(interrupt.code, _stopped(job, total))
        job.finish()
    seconds = time.monotonic() - begin
    return {
        "out": job.places.out,
        "manifest": job.places.manifest,
        "patches": total,
        "resumed_from": before,
        "filled": job.filled,
        "seconds": round(seconds, 3),
    }


def _stopped(job, total):
    if job.done == 0:
        return "interrupted before the first patch; nothing was written"
    where = f"{job.done} of {total} patches are in {job.places.partial}"
    return f"interrupted: {where}; run the same command again to go on"


def _told(summary):
    new = summary["patches"] - summary["resumed_from"]
    rate = f" ({new / summary['seconds']:,.0f} patches/s)" if new and summary["seconds"] else ""
    parts = [
        f"{summary['out']}: {terminal.count(summary['patches'], 'patch', 'patches')}, {new} of them "
        f"in {summary['seconds']:.1f} s{rate}"
    ]
    parts.append(f"locations in {summary['manifest']}")
    if summary["filled"]:
        parts.append(
            f"{terminal.count(summary['filled'], 'has', 'have')} broken tiles that were filled: see its column error"
        )
    return "; ".join(parts)
