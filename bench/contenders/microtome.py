"""Microtome: `read_level`, `Loader`, and `read(out=)` with the cache on for the small read."""

from __future__ import annotations

import microtome as mt

from contenders import Reader


class Contender(Reader):
    package = "microtome"

    def open(self):
        if self.task == "latency":
            mt.cache.configure(capacity_bytes=256 << 20)
        self.slide = mt.open(self.path)
        self.size = self.slide.size

    def close(self):
        self.slide.close()

    def level(self, out=None):
        return self.slide.read_level(0, out=out, workers=self.workers)

    def batches(self, locations, size, batch):
        loader = mt.Loader(self.slide, locations, size, batch_size=batch, workers=self.workers)
        return (part.pixels for part in loader)

    def shuffled(self, locations, size, batch, seed):
        """Yields (pixels, indices): the loader's own shuffle."""
        loader = mt.Loader(
            self.slide, locations, size, batch_size=batch, workers=self.workers, shuffle=True, seed=seed
        )
        return ((part.pixels, part.indices) for part in loader)

    def one(self, location, size, out):
        return self.slide.read(location, size, out=out, workers=self.workers)
