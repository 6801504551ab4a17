"""cuCIM, on the CPU."""

import cucim
import numpy as np

from .reader import CannotError

BATCH = 64


class Reader:
    def __init__(self, path, workers):
        self._image = cucim.CuImage(path)
        self._workers = workers

    def read_level(self, level, size):
        sizes = [tuple(each) for each in self._image.resolutions["level_dimensions"]]
        if size not in sizes:
            raise CannotError("has no such level")
        return np.asarray(self._image.read_region(level=sizes.index(size), num_workers=self._workers))

    def read_patches(self, locations, size):
        parts = self._image.read_region(locations, size, batch_size=BATCH, num_workers=self._workers)
        for part in parts:
            yield from np.asarray(part).reshape(-1, size[1], size[0], 3)
