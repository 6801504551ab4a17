"""OpenSlide through its Python package: PIL images, RGBA made RGB; its own tile cache of 32 MB, on as it comes."""

from __future__ import annotations

import numpy as np
import openslide

from contenders import PatchReader


class Contender(PatchReader):
    package = "openslide"

    def open(self):
        self.slide = openslide.OpenSlide(self.path)
        self.size = self.slide.dimensions

    def close(self):
        self.slide.close()

    @classmethod
    def version(cls):
        return f"{openslide.__library_version__} (openslide-python {openslide.__version__})"

    def reset(self):
        if self.task != "latency":
            self.close()
            self.open()

    def region(self, x, y, w, h):
        return np.asarray(self.slide.read_region((x, y), 0, (w, h)).convert("RGB"))
