"""What a loader delivers."""

from __future__ import annotations

from typing import Any, NamedTuple

from ._lazy import np
from .device_array import DeviceArray


class PatchError(NamedTuple):
    """A tile that could not be decoded and was filled instead (`on_error="fill"`).

    Attributes
    ----------
    row : int
        The batch's row whose patch it touches; 0 for a single read.
    message : str
        What was wrong with which tile of which level of which slide.
    """

    row: int
    message: str


class Batch:
    """Patches and where they come from.

    A batch owns its pixels and refers to nothing else: it stays valid for ever, and its memory returns to a pool when
    it and the arrays over it are dropped. `np.asarray(batch)`, `np.from_dlpack(batch)` and `torch.from_dlpack(batch)`
    share its memory. On a GPU `cupy.asarray(batch)` and `torch.from_dlpack(batch)` do.

    Attributes
    ----------
    pixels : numpy.ndarray
        (N, H, W, C) of the slide's dtype; on a GPU a `DeviceArray`.
    locations : numpy.ndarray
        (N, 2) int64: level-0 x, y of each row, as given.
    indices : numpy.ndarray
        (N,) int64: position of each row in the loader's input.
    slides : numpy.ndarray
        (N,) int64: which slide of the loader's list each row is from.
    errors : tuple of PatchError
        Empty unless `on_error="fill"` filled something.
    number : int
        0, 1, 2, … in its epoch.
    """

    __slots__ = ("__weakref__", "errors", "indices", "locations", "number", "pixels", "slides")

    def __init__(
        self,
        pixels: np.ndarray | DeviceArray,
        locations: np.ndarray,
        indices: np.ndarray,
        slides: np.ndarray,
        errors: tuple[PatchError, ...] = (),
        number: int = 0,
    ) -> None:
        self.pixels = pixels
        self.locations = locations
        self.indices = indices
        self.slides = slides
        self.errors = errors
        self.number = number

    def __len__(self) -> int:
        return len(self.pixels)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if isinstance(self.pixels, DeviceArray):
            return self.pixels.__array__()
        if copy:
            return np.array(self.pixels, dtype=dtype)
        array = np.asarray(self.pixels, dtype=dtype)
        if copy is False and array is not self.pixels:
            raise ValueError(f"a batch of {self.pixels.dtype} is no array of {array.dtype} without a copy")
        return array

    @property
    def __array_interface__(self) -> dict[str, Any]:
        return self.pixels.__array_interface__

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return self.pixels.__cuda_array_interface__

    def __dlpack__(self, **options: Any) -> Any:
        return self.pixels.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.pixels.__dlpack_device__()

    def __reduce__(self):
        return type(self), tuple(
            getattr(self, name) for name in ("pixels", "locations", "indices", "slides", "errors", "number")
        )

    def __repr__(self):
        errors = f", {len(self.errors)} errors" if self.errors else ""
        return f"<microtome.Batch {self.number}: {self.pixels.shape} {self.pixels.dtype}{errors}>"

    def _repr_html_(self):
        """What a notebook shows: a contact sheet."""
        from . import _html

        return _html.of_batch(self)
