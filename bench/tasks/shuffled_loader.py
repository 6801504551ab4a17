"""The grid half a tile off, in random order, as training reads it: by the contender's own shuffle where it has one."""

from __future__ import annotations

import numpy as np

from tasks import grid, patches

SEED = 21


def plan(slide, variant, options):
    return grid.plan(slide, "half", options)


class Work(patches.Work):
    def __init__(self, contender, job):
        super().__init__(contender, job)
        self.order = np.random.default_rng(SEED).permutation(len(self.locations))

    def shuffled(self):
        """(pixels, indices) of batch after batch."""
        if hasattr(self.reader, "shuffled"):
            yield from self.reader.shuffled(self.locations, self.size, self.batch, SEED)
            return
        start = 0
        for pixels in self.reader.batches(self.locations[self.order], self.size, self.batch):
            yield pixels, self.order[start : start + len(pixels)]
            start += len(pixels)

    def batches(self):
        return (pixels for pixels, _ in self.shuffled())

    def save(self, path):
        self.reader.reset()
        result = np.zeros((len(self.locations), self.size[1], self.size[0], 3), np.uint8)
        for pixels, indices in self.shuffled():
            result[indices] = pixels
        result.tofile(path)
        return result.nbytes


def work(contender, job):
    return Work(contender, job)
