#!/usr/bin/env python3
"""Reads a slide in the two ways that matter, with numbers beside tifffile's and a picture.

    python tools/demo.py [SLIDE]

Without a slide it makes two: a JPEG one of a benchmark's shape and size, and a small JPEG 2000 one. It uses only what
any user has: microtome.open, Slide.read_level, grid and Loader.
"""

import argparse
import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import microtome as mt
import numpy as np
import tifffile
from PIL import Image
from rich.console import Console
from rich.table import Table

DEMO = Path(__file__).resolve().parent.parent / "demo"
PATCH = 256
BATCH = 64
MOST_PIXELS = 120e6  # of the level that is read whole: the largest that fits this
MOST_PATCHES = 1024
ROUNDS = 5

console = Console(highlight=False)


def made_slides():
    import make_slides

    for name, scale in (("B", 1 / 16), ("A", 1 / 64)):
        path = DEMO / f"{name}.{make_slides.EXTENSIONS[name]}"
        if not path.exists():
            console.print(f"Making {path.name} …")
            make_slides.make(name, path, texture="auto", scale=scale)
        yield path


def describe(path, slide):
    table = Table(title=path.name, show_header=False, title_justify="left", title_style="bold")
    table.add_row("format", slide.format)
    table.add_row("size", f"{slide.size[0]} x {slide.size[1]} px, {path.stat().st_size / 1e6:.1f} MB on disk")
    for level in slide.levels:
        w, h = level.size
        table.add_row(f"level {level.index}", f"{w} x {h}, tiles {level.tile_size[0]} x {level.tile_size[1]}")
    table.add_row("µm per pixel", "unknown" if slide.mpp is None else "{:.4f} x {:.4f}".format(*slide.mpp))
    table.add_row("objective", "unknown" if slide.objective_power is None else f"{slide.objective_power:g}x")
    table.add_row("associated", ", ".join(slide.associated) or "none")
    table.add_row("properties", str(len(slide.properties)))
    console.print(table)


def page_like(file, level):
    """tifffile's page for one of our levels: the tiled one of its size, in the chain or among the SubIFDs."""
    pages = [page for series in file.series for part in series.levels for page in part.pages]
    for page in pages:
        if page is not None and page.is_tiled and (page.imagewidth, page.imagelength) == tuple(level.size):
            return page
    raise LookupError(f"tifffile has no tiled page of {level.size}")


class Tifffile:
    """The same work through tifffile. It has no patches of its own, so each is put together from its decoded tiles."""

    def __init__(self, path, level):
        self.file = tifffile.TiffFile(path)
        self.page = page_like(self.file, level)

    def read_level(self, workers):
        return self.page.asarray(maxworkers=workers)

    def patch(self, location):
        page, (x, y) = self.page, (int(v) for v in location)
        out = np.full((PATCH, PATCH, page.samplesperpixel), 255, np.uint8)
        columns = -(-page.imagewidth // page.tilewidth)
        for row in range(y // page.tilelength, -(-(y + PATCH) // page.tilelength)):
            for col in range(x // page.tilewidth, -(-(x + PATCH) // page.tilewidth)):
                index = row * columns + col
                if col >= columns or index >= len(page.dataoffsets):
                    continue
                data = os.pread(
                    self.file.filehandle.fileno(), page.databytecounts[index], page.dataoffsets[index]
                )
                tile = page.decode(data, index, jpegtables=page.jpegtables)[0][0]
                left, top = col * page.tilewidth - x, row * page.tilelength - y
                part = tile[max(0, -top) : PATCH - top, max(0, -left) : PATCH - left]
                place_x, place_y = max(0, left), max(0, top)
                out[place_y : place_y + part.shape[0], place_x : place_x + part.shape[1]] = part
        return out

    def patches(self, locations, workers):
        with ThreadPoolExecutor(workers) as pool:
            for start in range(0, len(locations), BATCH):
                yield np.stack(list(pool.map(self.patch, locations[start : start + BATCH])))


def seconds(work):
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def compare(title, unit, amount, jobs):
    """Runs the jobs in turn, ROUNDS times over, and prints the median of each and of its ratio to tifffile's."""
    for job in jobs.values():
        job()  # once beforehand: file in the page cache, libraries loaded
    rounds = [{key: seconds(job) for key, job in jobs.items()} for _ in range(ROUNDS)]
    table = Table(title=title, title_justify="left", title_style="bold")
    for heading in ("", "workers", "time", unit, "time / tifffile's"):
        table.add_column(heading, justify="left" if not heading else "right")
    for key in jobs:
        who, workers = key
        median = statistics.median(times[key] for times in rounds)
        ratio = statistics.median(times[key] / times["tifffile", workers] for times in rounds)
        shown = f"{ratio:.2f}" if who == "microtome" else ""
        table.add_row(who, str(workers), f"{median * 1e3:.0f} ms", f"{amount / median:,.0f}", shown)
    console.print(table)


def show_whole_level(slide, path, workers):
    level = next((lv for lv in slide.levels if lv.size[0] * lv.size[1] <= MOST_PIXELS), slide.levels[-1])
    other = Tifffile(path, level)
    ours, theirs = slide.read_level(level.index), other.read_level(1)
    difference = np.abs(ours.astype(np.int16) - theirs.reshape(ours.shape)).max()
    jobs = {}
    for count in sorted({1, workers}):
        jobs["microtome", count] = lambda n=count: slide.read_level(level.index, workers=n)
        jobs["tifffile", count] = lambda n=count: other.read_level(n)
    mp = level.size[0] * level.size[1] / 1e6
    compare(f"Level {level.index} as one array of {ours.shape}, {mp:.0f} MP", "MP/s", mp, jobs)
    console.print(f"Largest difference of any sample from tifffile's: {difference}")


def show_patches(slide, path, workers, picture):
    level = slide.levels[0]
    locations = mt.grid(slide, (PATCH, PATCH), level=0)
    locations = np.random.default_rng(0).permutation(locations)[:MOST_PATCHES]

    def stream(count):
        return mt.Loader(
            slide, locations, (PATCH, PATCH), batch_size=BATCH, shuffle=True, seed=1, workers=count
        )

    other = Tifffile(path, level)
    jobs = {}
    for count in sorted({1, workers}):
        jobs["microtome", count] = lambda n=count: [batch.pixels.shape for batch in stream(n)]
        jobs["tifffile", count] = lambda n=count: [batch.shape for batch in other.patches(locations, n)]
    title = f"{len(locations)} patches of {PATCH} x {PATCH} at level 0, shuffled, in batches of {BATCH}"
    compare(title, "patches/s", len(locations), jobs)
    if picture:
        first = next(iter(stream(workers)))
        contact_sheet(first.pixels).save(picture)
        corner = tuple(int(v) for v in first.locations[0])
        console.print(
            f"One batch {first.pixels.shape}, its first patch from {corner}: [bold]{picture}[/bold]"
        )


def contact_sheet(pixels, side=128, gap=4):
    """The patches of a batch side by side, each `side` pixels wide."""
    columns = min(8, len(pixels))
    rows = -(-len(pixels) // columns)
    step = side + gap
    sheet = Image.new("RGB", (columns * step + gap, rows * step + gap), "white")
    for index, patch in enumerate(np.asarray(pixels)):
        colours = patch[..., :3] if patch.shape[2] >= 3 else patch[..., 0]
        thumbnail = Image.fromarray(colours).convert("RGB").resize((side, side), Image.Resampling.BOX)
        sheet.paste(thumbnail, (gap + index % columns * step, gap + index // columns * step))
    return sheet


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("slide", nargs="?", type=Path)
    path_given = parser.parse_args().slide
    if path_given and not path_given.is_file():
        sys.exit(f"There is no file {path_given}")
    workers = len(os.sched_getaffinity(0))
    console.print(
        f"microtome {mt.__version__} beside tifffile {tifffile.__version__}, {workers} cores; medians of {ROUNDS} "
        "interleaved rounds, file in the page cache\n"
    )
    DEMO.mkdir(exist_ok=True)
    picture = DEMO / "contact_sheet.png"
    for path in [path_given] if path_given else made_slides():
        with mt.open(path) as slide:
            describe(path, slide)
            show_whole_level(slide, path, workers)
            show_patches(slide, path, workers, picture)
        picture = None
        console.print()


if __name__ == "__main__":
    main()
