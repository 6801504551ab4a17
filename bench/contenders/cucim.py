"""cuCIM as it comes: without a cache, since its cache call does nothing (see cucim_cache.py)."""

from __future__ import annotations

import cucim
import numpy as np

from contenders import Reader, Unsupported


class Contender(Reader):
    package = "cucim"

    def open(self):
        self.image = cucim.CuImage(self.path)
        self.size = tuple(self.image.size("XY"))

    def close(self):
        self.image.close()

    def level(self, out=None):
        if out is not None:
            raise Unsupported("cannot write to given memory")
        return np.asarray(self.image.read_region(num_workers=self.workers))

    def batches(self, locations, size, batch):
        # A list, since NumPy's integers are refused. Only one batch is alive at a time: they share their memory.
        parts = self.image.read_region(
            locations.tolist(), tuple(size), batch_size=batch, num_workers=self.workers
        )
        return (np.asarray(part).reshape(-1, size[1], size[0], 3) for part in parts)

    def one(self, location, size, out):
        return np.asarray(self.image.read_region(tuple(location), tuple(size)))
