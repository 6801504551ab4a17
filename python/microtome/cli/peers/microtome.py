"""Ours."""

from ... import Loader
from ... import open as open_slide


class Reader:
    def __init__(self, path, workers):
        self._slide = open_slide(path)
        self._workers = workers

    def read_level(self, level, size):
        return self._slide.read_level(level, workers=self._workers)

    def read_patches(self, locations, size):
        for batch in Loader(self._slide, locations, size, workers=self._workers):
            yield from batch.pixels
