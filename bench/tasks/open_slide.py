"""Opens a slide, looks at its size, closes it; the slide was opened before."""

from __future__ import annotations

from statistics import median
from time import perf_counter

LEAST_REPEATS, SECONDS = 5, 0.2


def plan(slide, variant, options):
    return {}


class Work:
    def __init__(self, contender, job):
        self.open = lambda: contender(job["slide"], job["workers"], job["task"])
        self.facts = {"name": contender.package, "version": contender.version(), "pixels": 0}
        self.size = tuple(self.once())

    def once(self):
        reader = self.open()
        size = reader.size
        reader.close()
        return size

    def run(self):
        times, end = [], perf_counter() + SECONDS
        while len(times) < LEAST_REPEATS or perf_counter() < end:
            begin = perf_counter()
            size = self.once()
            times.append(perf_counter() - begin)
            if tuple(size) != self.size:
                raise RuntimeError(f"opened a slide of {size}, expected {self.size}")
        return median(times)

    def save(self, path):
        open(path, "wb").close()
        return 0


def work(contender, job):
    return Work(contender, job)
