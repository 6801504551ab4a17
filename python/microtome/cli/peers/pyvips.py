"""libvips: levels to memory, patches by cropping; it remembers tiles as it comes."""

import numpy as np
import pyvips

from .reader import CannotError, Threaded


class Reader(Threaded):
    def __init__(self, path, workers):
        super().__init__(workers)
        self._path = path
        self._image = pyvips.Image.new_from_file(path)

    def read_level(self, level, size):
        for choice in {"level": level}, {"page": level}, {"subifd": level - 1}:
            try:
                image = pyvips.Image.new_from_file(self._path, access="sequential", **choice)
            except pyvips.Error:
                continue
            if (image.width, image.height) == size:
                return image.numpy()[..., :3]
        raise CannotError("has no such level")

    def patch(self, location, size):
        # A patch may pass the slide's edge; libvips does not.
        (x, y), (w, h) = location, size
        w, h = min(w, self._image.width - x), min(h, self._image.height - y)
        found = self._image.crop(x, y, w, h).numpy()[..., :3]
        if found.shape[:2] == size[::-1]:
            return found
        whole = np.full((size[1], size[0], 3), 255, found.dtype)
        whole[:h, :w] = found
        return whole
