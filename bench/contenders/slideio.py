"""slideio by its SVS driver, for plain TIFF too: the one it would choose there decodes the level for each patch."""

from __future__ import annotations

import slideio

from contenders import PatchReader


class Contender(PatchReader):
    package = "slideio"

    def open(self):
        self.slide = slideio.open_slide(self.path, "SVS")
        self.scene = self.slide.get_scene(0)
        self.size = self.scene.size

    def close(self):
        self.scene = self.slide = None

    @classmethod
    def version(cls):
        from importlib.metadata import version

        return version("slideio")

    def region(self, x, y, w, h):
        return self.scene.read_block((x, y, w, h))
