"""The pixels of a picture, as whole or band by band as its kind wants them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Pixels:
    """Pixels that may not be in memory yet.

    Attributes
    ----------
    shape : tuple of int
        (h, w, C).
    dtype : numpy.dtype
    bands : callable
        bands(rows) → iterator of (n, w, C) arrays from top to bottom: n is `rows`, and less in the last one. A band's
        memory may be used again for the next.
    icc_profile : bytes or None
    mpp : tuple of float or None
        (x, y) in µm per pixel.
    """

    shape: tuple[int, int, int]
    dtype: np.dtype
    bands: Callable[[int], Iterator[np.ndarray]]
    icc_profile: bytes | None = None
    mpp: tuple[float, float] | None = None

    @classmethod
    def of(cls, array: np.ndarray, **about) -> Pixels:
        """Those of an array that is there."""

        def bands(rows):
            for y in range(0, len(array), rows):
                yield array[y : y + rows]

        return cls(array.shape, array.dtype, bands, **about)

    def array(self) -> np.ndarray:
        """All of them, (h, w, C)."""
        whole = np.empty(self.shape, self.dtype)
        rows = max(1, (32 << 20) // max(1, whole[:1].nbytes))
        y = 0
        for band in self.bands(rows):
            whole[y : y + len(band)] = band
            y += len(band)
        return whole
