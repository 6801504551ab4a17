"""What readers share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor


class CannotError(Exception):
    """The reader does not do this; the message says why."""


class Threaded:
    """A reader without threads of its own: `patch(location, size)` is called from `workers` threads."""

    def __init__(self, workers: int) -> None:
        self._pool = ThreadPoolExecutor(workers) if workers > 1 else None

    def patch(self, location, size):
        raise NotImplementedError

    def read_patches(self, locations, size):
        return (self._pool.map if self._pool else map)(lambda location: self.patch(location, size), locations)
