"""FastSlide, with a tile cache wherever patches may share tiles."""

from __future__ import annotations

import fastslide

from contenders import PatchReader

CACHE_BYTES = 512 << 20


class Contender(PatchReader):
    package = "fastslide"

    def open(self):
        cache = None if self.task in ("whole_level", "memory", "open") else CACHE_BYTES
        self.slide = fastslide.FastSlide.from_file_path(self.path, cache=cache)
        self.size = self.slide.dimensions

    def close(self):
        self.slide.close()

    def reset(self):
        if self.task != "latency":
            self.close()
            self.open()

    def region(self, x, y, w, h):
        return self.slide.read_region((x, y), 0, (w, h)).numpy()
