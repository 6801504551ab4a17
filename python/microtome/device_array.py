"""Pixels in a GPU's memory, for CuPy, PyTorch and whatever else speaks DLPack or the CUDA array interface."""

from __future__ import annotations

import operator
from typing import Any

from ._lazy import np

_CUDA, _CPU = 2, 1  # DLPack's DLDeviceType


class DeviceArray:
    """An array in a GPU's memory, C-contiguous. Not made by hand: `Slide.read` and `Loader` give it.

    It has no arithmetic; `cupy.asarray(array)` and `torch.from_dlpack(array)` share its memory, `array.to_host()` is a
    copy. Its data is complete: no stream need wait for it. Its memory returns to a pool when it and all arrays over it
    are dropped, and is written again when what their streams were given by then is done: the stream that was named to
    `__dlpack__`, which must live as long as the array; otherwise the loader's `stream=`, or the default stream.

    Attributes
    ----------
    shape : tuple of int
        (h, w, C), or (N, h, w, C) of a batch; (C, h, w) and (N, C, h, w) where that layout was asked for.
    dtype : numpy.dtype
        Of a sample.
    device : str
        "cuda:N".
    """

    __slots__ = ("__weakref__", "_core", "dtype", "shape")

    def __init__(self, core: Any) -> None:
        self._core = core
        self.shape = core.shape
        self.dtype = np.dtype(core.dtype)

    @property
    def device(self) -> str:
        return f"cuda:{self._core.ordinal}"

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of samples."""
        size = 1
        for side in self.shape:
            size *= side
        return size

    @property
    def nbytes(self) -> int:
        """Bytes that the samples take."""
        return self.size * self.dtype.itemsize

    def to_host(self) -> np.ndarray:
        """A copy in the host's memory: numpy.ndarray of the same shape and dtype."""
        return self._core.to_host()

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: int) -> DeviceArray:
        """One row along the first axis; it shares the memory."""
        if self.ndim < 2:
            raise TypeError("a DeviceArray of one axis has no rows; cupy.asarray(array) can be indexed")
        try:
            number = operator.index(index)
        except TypeError:
            raise TypeError(
                f"a DeviceArray is indexed by one integer, not by {index!r}; cupy.asarray(array) takes all others"
            ) from None
        rows = len(self)
        if not -rows <= number < rows:
            raise IndexError(f"row {number} of {rows}")
        return DeviceArray(self._core.row(number % rows))

    def __dlpack__(
        self,
        *,
        stream: int | None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """A DLPack capsule, as the array API standard has it.

        `stream` is the consumer's: None or 1 the legacy default stream, 2 the per-thread one, a pointer, or -1. For
        `dl_device=(1, 0)`, the CPU, it is a copy. BufferError: another device, or `copy=True` on this one.
        """
        if dl_device is not None and tuple(map(int, dl_device)) != self.__dlpack_device__():
            if int(dl_device[0]) != _CPU or copy is False:
                raise BufferError(
                    f"dl_device = {dl_device}: the memory is of {self.device}; only a copy to the CPU"
                )
            return self.to_host().__dlpack__()
        if copy:
            raise BufferError(
                "copy=True: an array on a GPU is shared or copied to the CPU; copy what you take"
            )
        if stream is not None:
            stream = operator.index(stream)
            if stream == 0 or stream < -1:
                raise ValueError(f"stream = {stream}, expected None, -1, 1, 2 or a stream's pointer")
            if stream == -1:
                stream = None
        else:
            stream = 1
        return self._core.dlpack(stream, max_version is not None and max_version[0] >= 1)

    def __dlpack_device__(self) -> tuple[int, int]:
        return _CUDA, self._core.ordinal

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (self._core.address(), False),
            "strides": None,
            "stream": None,
            "version": 3,
        }

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise TypeError(
            f"the pixels are on {self.device}: to_host() copies them, cupy.asarray and torch.from_dlpack share them"
        )

    def __reduce__(self):
        raise TypeError(f"an array on {self.device} cannot be pickled; pickle to_host()")

    def __repr__(self):
        return f"<microtome.DeviceArray {self.shape} {self.dtype} on {self.device}>"
