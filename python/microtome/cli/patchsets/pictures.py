"""Encodes the patches of a batch side by side, for the kinds that hold pictures."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from .layout import Layout


class Encoder:
    """Threads that encode; `close` ends them."""

    def __init__(self, layout: Layout) -> None:
        self._encode = layout.encode
        self._pool = ThreadPoolExecutor(layout.workers) if layout.workers > 1 else None

    def __call__(self, pixels) -> list[bytes]:
        """The pictures of an (N, h, w, C) array, in order."""
        return list((self._pool.map if self._pool else map)(self._encode, pixels))

    def close(self) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
