"""One patch of 256 x 256 that lies in four tiles, again and again: the tiles are cached where there is a cache."""

from __future__ import annotations

from statistics import median
from time import perf_counter

import numpy as np

from tasks import patches

LEAST_REPEATS, SECONDS = 5, 0.05


def plan(slide, variant, options):
    size = patches.PATCH
    offset = slide.tile - size // 2  # a corner of tiles lies in the patch's middle
    grid = patches.lattice(slide, options, size, slide.tile, offset)
    return patches.planned(slide, grid[len(grid) // 2 : len(grid) // 2 + 1], size)


class Work:
    def __init__(self, contender, job):
        self.reader = contender(job["slide"], 1, job["task"])
        self.location, self.size = tuple(patches.read_locations(job)[0].tolist()), tuple(job["size"])
        self.out = np.ones((self.size[1], self.size[0], 3), np.uint8)
        pixels = self.size[0] * self.size[1]
        self.facts = {"name": contender.package, "version": contender.version(), "pixels": pixels}
        self.read()

    def read(self):
        return self.reader.one(self.location, self.size, self.out)

    def run(self):
        self.read()
        times, end = [], perf_counter() + SECONDS
        while len(times) < LEAST_REPEATS or perf_counter() < end:
            begin = perf_counter()
            self.read()
            times.append(perf_counter() - begin)
        return median(times)

    def save(self, path):
        np.ascontiguousarray(self.read()).tofile(path)
        return self.out.nbytes


def work(contender, job):
    return Work(contender, job)
