"""pyvips: a level to memory, patches through `Region.fetch`; libvips keeps the rows of tiles it came by."""

from __future__ import annotations

import os
import threading

import numpy as np

from contenders import PatchReader, Unsupported

os.environ.setdefault("VIPS_WARNING", "0")
import pyvips  # noqa: E402


class Contender(PatchReader):
    package = "pyvips"

    def open(self):
        pyvips.cache_set_max(0)  # operations are not to be remembered from run to run
        try:
            self.image = pyvips.Image.new_from_file(self.path)
            if self.task != "open":
                self.image.crop(0, 0, 1, 1).numpy()
        except pyvips.Error as error:
            raise Unsupported("does not decode this slide: " + str(error).strip().split("\n")[-1]) from None
        if self.image.bands > 3:
            self.image = self.image[:3]
        self.size = (self.image.width, self.image.height)
        self.own = threading.local()

    @classmethod
    def version(cls):
        library = ".".join(str(pyvips.version(part)) for part in range(3))
        return f"{library} (pyvips {pyvips.__version__})"

    def reset(self):
        if self.task != "latency":
            self.open()

    def level(self, out=None):
        if out is not None:
            raise Unsupported("cannot write to given memory")
        return pyvips.Image.new_from_file(self.path, access="sequential").numpy()[..., :3]

    def region(self, x, y, w, h):
        if not hasattr(self.own, "region"):  # one thread's alone
            self.own.region = pyvips.Region.new(self.image)
        return np.frombuffer(self.own.region.fetch(x, y, w, h), np.uint8).reshape(h, w, 3)
