"""What a kind of patch set is told about the patches it will get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

BATCH_BYTES = 32 << 20  # of the pixels that are written between two entries of the manifest
BATCH_PATCHES = 64


@dataclass(frozen=True)
class Layout:
    """The patches of a job.

    Attributes
    ----------
    locations : numpy.ndarray
        (N, 2) int64 level-0 x, y, one of each patch.
    shape : tuple of int
        (h, w, C) of a patch.
    dtype : numpy.dtype
    suffix : str
        ".png" or ".jpg": of pictures, for the kinds that hold such.
    encode : callable
        encode((h, w, C) array) → bytes of such a picture; any thread.
    workers : int
        How many threads may encode.
    about : dict of str to str, int, float or list of them
        What else is worth keeping with the pixels.
    """

    locations: np.ndarray
    shape: tuple[int, int, int]
    dtype: np.dtype
    suffix: str
    encode: Callable[[np.ndarray], bytes]
    workers: int = 1
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def patch_bytes(self) -> int:
        """Of one patch's pixels."""
        return int(np.prod(self.shape)) * self.dtype.itemsize

    @property
    def batch(self) -> int:
        """How many patches are added at a time. A function of their shape alone: zarr's shards are batches."""
        return max(1, min(BATCH_PATCHES, BATCH_BYTES // self.patch_bytes))

    def stem(self, index: int) -> str:
        """A patch's name without a suffix: its level-0 location."""
        x, y = self.locations[index]
        return f"{x}_{y}"
