"""Many slides, few patches from each: open, read one short batch, close."""

from __future__ import annotations

from time import perf_counter

import numpy as np

from tasks import patches

PATCHES_PER_SLIDE = 8
SLIDES = 24
SEED = 22


def plan(slide, variant, options):
    """The same patches of every copy; half a tile off the tiles, not next to one another."""
    size = min(slide.tile, patches.PATCH)
    grid = patches.lattice(slide, options, size, size, size // 2)
    chosen = np.random.default_rng(SEED).permutation(len(grid))[:PATCHES_PER_SLIDE]
    planned = patches.planned(slide, grid[np.sort(chosen)], size)
    planned["copies"] = SLIDES
    return planned


class Work:
    def __init__(self, contender, job):
        self.contender, self.job = contender, job
        self.locations, self.size = patches.read_locations(job), tuple(job["size"])
        contender(job["slides"][0], job["workers"], job["task"]).close()
        pixels = len(job["slides"]) * len(self.locations) * self.size[0] * self.size[1]
        self.facts = {"name": contender.package, "version": contender.version(), "pixels": pixels}

    def arrays(self):
        for path in self.job["slides"]:
            reader = self.contender(path, self.job["workers"], self.job["task"])
            yield from reader.batches(self.locations, self.size, self.job["batch"])
            reader.close()

    def run(self):
        begin = perf_counter()
        for _ in self.arrays():
            pass
        return perf_counter() - begin

    def save(self, path):
        with open(path, "wb") as file:
            for pixels in self.arrays():
                file.write(np.ascontiguousarray(pixels).data)
            return file.tell()


def work(contender, job):
    return Work(contender, job)
