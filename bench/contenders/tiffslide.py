"""tiffslide: OpenSlide's interface on top of tifffile and zarr, asked for arrays."""

from __future__ import annotations

import tiffslide

from contenders import PatchReader


class Contender(PatchReader):
    package = "tiffslide"

    def open(self):
        self.slide = tiffslide.TiffSlide(self.path)
        self.size = self.slide.dimensions

    def close(self):
        self.slide.close()

    def region(self, x, y, w, h):
        return self.slide.read_region((x, y), 0, (w, h), as_array=True)
