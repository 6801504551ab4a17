"""One file for each contender: how its users call it. Each defines `Contender`, a Reader.

A contender says what it can do; the tasks make work of that. What one cannot do raises Unsupported with the reason,
which ends up in the tables. These files run on Python 3.9 too, for packages of its time.
"""

from __future__ import annotations

import importlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import numpy as np

# In the order of the tables. "floor" is a program of its own: bench/floors.
NAMES = (
    "microtome",
    "floor",
    "tifffile",
    "cucim",
    "cucim_cache",
    "cucim21",
    "openslide",
    "tiffslide",
    "fastslide",
    "slideio",
    "pyvips",
    "numpy_copy",
)


class Unsupported(Exception):
    """This contender has no way to do what was asked."""


class Reader:
    """A slide opened by one contender, for at most `workers` threads at a time.

    `package` is what its users import; `task` is there for those who set up a cache for some tasks only.
    """

    package = ""

    def __init__(self, path, workers, task):
        self.path, self.workers, self.task = path, workers, task
        self.open()

    def open(self):
        """Opens self.path and sets self.size, (w, h) of level 0."""
        raise NotImplementedError

    def close(self):
        pass

    @classmethod
    def version(cls):
        return importlib.import_module(cls.package).__version__

    def reset(self):
        """Before each run, outside the clock: forgets decoded tiles. For those that keep any."""

    def level(self, out=None):
        """(H, W, 3) uint8 of level 0; in `out` if that is given, where the library can write to given memory."""
        raise Unsupported("does not read whole levels")

    def batches(self, locations, size, batch):
        """Yields (n, h, w, 3) uint8 arrays, n <= batch, for (N, 2) level-0 locations in their order."""
        raise Unsupported("does not read patches")

    def one(self, location, size, out):
        """(h, w, 3) uint8: one patch, in `out` where the library can write to given memory."""
        raise Unsupported("does not read patches")


class PatchReader(Reader):
    """For libraries that read one region at a time and leave threads to their users.

    They get the threads that their best users would give them: bands of the level side by side; batches ahead of the
    consumer, each made by one thread, as a data loader's workers do.
    """

    def region(self, x, y, w, h):
        """(h, w, 3) uint8. Called from several threads at once."""
        raise NotImplementedError

    def level(self, out=None):
        if out is not None:
            raise Unsupported("cannot write to given memory")
        width, height = self.size
        if self.workers == 1:
            return self.region(0, 0, width, height)
        result = np.empty((height, width, 3), np.uint8)
        step = -(-height // self.workers // 512) * 512  # bands that cut no tile

        def band(top):
            rows = min(step, height - top)
            result[top : top + rows] = self.region(0, top, width, rows)

        with ThreadPoolExecutor(self.workers) as pool:
            list(pool.map(band, range(0, height, step)))
        return result

    def batches(self, locations, size, batch):
        w, h = size
        locations = locations.tolist()

        def make(start):
            chosen = locations[start : start + batch]
            result = np.empty((len(chosen), h, w, 3), np.uint8)
            for row, (x, y) in enumerate(chosen):
                result[row] = self.region(x, y, w, h)
            return result

        starts = range(0, len(locations), batch)
        if self.workers == 1:
            yield from map(make, starts)
            return
        with ThreadPoolExecutor(self.workers) as pool:
            ahead = deque()
            for start in starts:
                ahead.append(pool.submit(make, start))
                if len(ahead) > 2 * self.workers:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()

    def one(self, location, size, out):
        return self.region(*location, *size)
