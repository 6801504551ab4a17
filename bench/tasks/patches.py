"""What the tasks that read many patches have in common: the contender's side, and how locations are chosen."""

from __future__ import annotations

from time import perf_counter

import numpy as np

PATCH = 256


def window(slide, options):
    """(columns, rows) of tiles that patches are taken from: the slide, or a part in its middle where that is larger
    than `options.patch_tiles` tiles, to keep slow codecs' runs short. Returned as left, top, right, bottom pixels."""
    columns, rows = slide.size[0] // slide.tile, slide.size[1] // slide.tile  # whole tiles only
    if options.patch_tiles and columns * rows > options.patch_tiles:
        side = (options.patch_tiles / (columns * rows)) ** 0.5
        columns, rows = max(4, round(columns * side)), max(4, round(rows * side))
    left = (slide.size[0] // slide.tile - columns) // 2 * slide.tile
    top = (slide.size[1] // slide.tile - rows) // 2 * slide.tile
    right = left + columns * slide.tile
    bottom = top + rows * slide.tile
    # Where the window reaches the last whole tile, patches may use the tile that the edge cuts.
    if columns == slide.size[0] // slide.tile:
        right = slide.size[0]
    if rows == slide.size[1] // slide.tile:
        bottom = slide.size[1]
    return left, top, right, bottom


def steps(begin, end, size, stride):
    return np.arange(begin, end - size + 1, stride)


def lattice(slide, options, size, stride, offset=0):
    """(N, 2) corners, row by row, of all patches of a regular grid that lie inside the window."""
    left, top, right, bottom = window(slide, options)
    xs, ys = steps(left + offset, right, size, stride), steps(top + offset, bottom, size, stride)
    return np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 2).astype("<i8")


def touched(locations, size, tile):
    """For each patch the (column, row) pairs of the tiles it lies in."""
    for x, y in locations.tolist():
        yield [
            (column, row)
            for row in range(y // tile, (y + size - 1) // tile + 1)
            for column in range(x // tile, (x + size - 1) // tile + 1)
        ]


def planned(slide, locations, size):
    """The job's share of a list of locations, with counts that the tables show."""
    wanted = [tile for tiles in touched(locations, size, slide.tile) for tile in tiles]
    counts = {"patches": len(locations), "tiles": len(set(wanted)), "tiles_wanted": len(wanted)}
    return {"size": [size, size], "locations": locations, "counts": counts}


def read_locations(job):
    return np.fromfile(job["locations"], "<i8").reshape(-1, 2)


class Work:
    """Reads all locations in batches, in order."""

    def __init__(self, contender, job):
        self.reader = contender(job["slide"], job["workers"], job["task"])
        self.locations, self.size, self.batch = read_locations(job), tuple(job["size"]), job["batch"]
        pixels = len(self.locations) * self.size[0] * self.size[1]
        self.facts = {"name": contender.package, "version": contender.version(), "pixels": pixels}

    def batches(self):
        return self.reader.batches(self.locations, self.size, self.batch)

    def run(self):
        self.reader.reset()
        begin = perf_counter()
        count = 0
        for pixels in self.batches():
            count += len(pixels)
        seconds = perf_counter() - begin
        if count != len(self.locations):
            raise RuntimeError(f"delivered {count} patches, expected {len(self.locations)}")
        return seconds

    def save(self, path):
        self.reader.reset()
        with open(path, "wb") as file:
            for pixels in self.batches():
                file.write(np.ascontiguousarray(pixels).data)
            return file.tell()


def work(contender, job):
    return Work(contender, job)
