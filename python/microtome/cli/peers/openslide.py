"""OpenSlide through its Python package, with the tile cache that it has as it comes."""

import numpy as np
import openslide

from .reader import CannotError, Threaded


class Reader(Threaded):
    def __init__(self, path, workers):
        super().__init__(workers)
        self._slide = openslide.OpenSlide(path)

    def read_level(self, level, size):
        if size not in self._slide.level_dimensions:
            raise CannotError("has no such level")
        return self._region((0, 0), self._slide.level_dimensions.index(size), size)

    def patch(self, location, size):
        return self._region(location, 0, size)

    def _region(self, location, level, size):
        return np.asarray(self._slide.read_region(location, level, size).convert("RGB"))
