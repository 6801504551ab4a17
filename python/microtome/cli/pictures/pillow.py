"""What PNG and JPEG share: both are written by Pillow, whole."""

from __future__ import annotations

import io
from typing import BinaryIO

import numpy as np

from ..failure import Exit, Failure, package
from .pixels import Pixels


class Pillow:
    """A kind of picture that Pillow writes. Subclasses say what it can hold and with which options."""

    name: str
    suffixes: tuple[str, ...]
    modes: dict[tuple[int, str], str]  # (channels, dtype) → Pillow's mode
    holds: str  # the same, for people
    most: int  # pixels of a side

    def options(self, quality: int) -> dict:
        """Of Pillow's save()."""
        raise NotImplementedError

    def check(self, shape: tuple[int, ...], dtype: np.dtype, instead: str = "TIFF or NPY") -> None:
        """Fails where the kind cannot hold an image of `shape` (h, w, C), or Pillow is missing; `instead` can."""
        package("PIL.Image", f"writing {self.name.upper()}")
        h, w, channels = shape
        if (channels, dtype.name) not in self.modes:
            raise Failure(
                Exit.USAGE,
                f"{self.name.upper()} holds {self.holds}, and this slide has {channels} × {dtype}; use {instead}",
            )
        if max(h, w) > self.most:
            raise Failure(
                Exit.USAGE,
                f"{self.name.upper()} holds {self.most} pixels a side at most, and {w} × {h} were asked for; "
                f"use {instead}, or a smaller level",
            )

    def write(self, file: BinaryIO, pixels: Pixels, quality: int) -> None:
        """Writes to a seekable file."""
        icc = {"icc_profile": pixels.icc_profile} if pixels.icc_profile else {}
        self._image(pixels.array()).save(file, self.name, **self.options(quality), **icc)

    def encode(self, array: np.ndarray, quality: int) -> bytes:
        """A file's bytes of an (h, w, C) array. Any thread; the same bytes for the same pixels."""
        content = io.BytesIO()
        self._image(array).save(content, self.name, **self.options(quality))
        return content.getvalue()

    def _image(self, array):
        image = package("PIL.Image", f"writing {self.name.upper()}")
        mode = self.modes[array.shape[2], array.dtype.name]
        array = np.ascontiguousarray(array[..., 0] if array.shape[2] == 1 else array)
        return image.frombuffer(mode, array.shape[1::-1], array.data, "raw", mode, 0, 1)
