"""Level 0 in one call: into memory allocated by the call ("fresh") or given beforehand and touched ("out")."""

from __future__ import annotations

from time import perf_counter

import numpy as np


def plan(slide, variant, options):
    return {}


class Work:
    def __init__(self, contender, job):
        self.reader = contender(job["slide"], job["workers"], job["task"])
        width, height = self.reader.size
        self.out = np.ones((height, width, 3), np.uint8) if job["variant"] == "out" else None
        if self.out is not None:
            self.reader.level(out=self.out)  # or it says now that it cannot
        self.facts = {"name": contender.package, "version": contender.version(), "pixels": width * height}

    def read(self):
        pixels = self.reader.level(out=self.out)
        if pixels.shape != (self.reader.size[1], self.reader.size[0], 3):
            raise RuntimeError(f"delivered {pixels.shape} for a level of {self.reader.size}")
        return pixels

    def run(self):
        self.reader.reset()
        begin = perf_counter()
        pixels = self.read()
        seconds = perf_counter() - begin
        del pixels
        return seconds

    def save(self, path):
        np.ascontiguousarray(self.read()).tofile(path)
        return 3 * self.facts["pixels"]


def work(contender, job):
    return Work(contender, job)
