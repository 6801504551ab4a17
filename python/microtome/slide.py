"""Slides: opening them, what they say about themselves, and reading regions."""

from __future__ import annotations

import functools
import os
import threading
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from . import _arguments, _cuda, _images, _levels, _onto, _output, _source, _thumbnail
from ._associated import AssociatedImages
from ._images import Image
from ._lazy import np
from ._levels import Level
from .batch import PatchError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .device_array import DeviceArray

    Source = str | os.PathLike | bytes | bytearray | memoryview | BinaryIO
    Fill = float | Sequence[float] | np.ndarray
    OnError = Literal["raise", "fill"]
    Channels = Literal["stored", "rgb"]

__all__ = ["Image", "Level", "Slide", "open"]


def open(
    source: Source, *, image: int = 0, channels: Channels = "stored", max_tile_bytes: int = 1 << 30
) -> Slide:
    """Opens a slide.

    Parameters
    ----------
    source : str, os.PathLike, bytes, or a seekable binary file
        A path; or a whole file's content, which is read in place (a `bytearray` or `memoryview` must not change
        meanwhile); or an object with `read`, `seek` and `tell`, which is read under a lock. What the content is
        decides about the format, never the name.
    image : int
        Which of the images of a file that has several: an index into `Slide.images`. A slide shows one of them.
    channels : {"stored", "rgb"}
        "stored" gives the samples as the file has them. "rgb" gives what they look like, as three channels of
        uint8: grey on all three (inverted where white is zero), palettes looked up, more than 8 bits scaled and
        rounded, alpha composed over white. Samples that have no such form without a colour profile (CMYK, CIELab,
        signed and floating-point ones) raise UnsupportedError when they are read.

    max_tile_bytes : int
        What one tile may decode to, 2 GiB at most. Files that claim larger ones are refused before memory is taken
        for them; an image in one compressed strip may need more than the 1 GiB of the default.

    Returns
    -------
    Slide
        Close it with `with` or `close()`, or leave it to the garbage collector.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError, OSError
        As Python's own `open` does, with `errno` and `filename`.
    UnsupportedError
        No format that Microtome knows, or a feature of one that it does not read.
    CorruptSlideError
        The file breaks its format's rules.
    IndexError
        The file has no such image.
    TypeError, ValueError
        `source` is none of the above; the file object is closed, a text file or not seekable.

    Examples
    --------
    >>> slide = mt.open("slide.tif")
    >>> slide.format, slide.size, slide.channels, slide.dtype
    ('generic-tiff', (1024, 768), 3, dtype('uint8'))
    """
    return Slide(source, image, channels, max_tile_bytes)


class Slide:
    """An open slide: immutable, safe to share between threads, picklable, usable after fork.

    Made by `microtome.open`. Pickled by its source (the path, made absolute; bytes; a file object if that can be
    pickled) and opened anew when unpickled, which is also what `copy.copy` does.

    Examples
    --------
    >>> with mt.open("slide.tif") as slide:
    ...     patch = slide.read((128, 0), (256, 256), level=1)
    >>> patch.shape, patch.dtype
    ((256, 256, 3), dtype('uint8'))
    """

    def __init__(self, source: Source, image=0, channels="stored", max_tile_bytes=1 << 30) -> None:
        self._source = source
        self._options = _arguments.open_options(image, channels, max_tile_bytes)
        self._core, self._path, self._name = _source.open_core(source, *self._options)
        self._described = described = self._core.describe()
        self._levels = tuple(
            Level(i, each["size"], each["tile_size"], each["downsample"], each["mpp"])
            for i, each in enumerate(described["levels"])
        )
        self._properties = MappingProxyType(described["properties"])
        self._in_this_thread = threading.local()

    # What the slide says about itself

    @property
    def size(self) -> tuple[int, int]:
        """(w, h) of level 0 in pixels."""
        return self._levels[0].size

    @property
    def levels(self) -> tuple[Level, ...]:
        """Tuple of `Level`, largest first."""
        return self._levels

    @property
    def images(self) -> tuple[Image, ...]:
        """Tuple of `Image`: all that the file holds, of which this slide is one. Most files have one."""
        return _images.described(self._described["images"])

    @property
    def image(self) -> int:
        """Which of `images` this slide is."""
        return self._options[0]

    @property
    def mpp(self) -> tuple[float, float] | None:
        """(x, y) in µm per pixel of level 0, or None."""
        return self._described["mpp"]

    @property
    def objective_power(self) -> float | None:
        """Magnification of level 0, as float, or None."""
        return self._described["objective_power"]

    @property
    def format(self) -> str:
        """Which vendor's file it is: "aperio", "philips-tiff", "ome-tiff", "qptiff", "generic-tiff"."""
        return self._described["format"]

    @property
    def properties(self) -> Mapping[str, str]:
        """Read-only mapping of str to str: `openslide.*` keys as OpenSlide names them, and the vendor's own."""
        return self._properties

    @property
    def associated(self) -> Mapping[str, np.ndarray]:
        """Read-only mapping: name ("thumbnail", "label", "macro", …) → (H, W, C) array, decoded on access."""
        return AssociatedImages(self, self._described["associated"])

    @property
    def icc_profile(self) -> bytes | None:
        """The colour profile of the levels as bytes, or None."""
        return self._described["icc_profile"]

    @property
    def channels(self) -> int:
        """Samples of a pixel: 3 for RGB."""
        return self._described["levels"][0]["channels"]

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Tuple of str, one for each channel: "DAPI", …; empty where the file names none, as for RGB."""
        return tuple(name for name, _ in self._described["named_channels"])

    @property
    def channel_colors(self) -> tuple[tuple[int, int, int] | None, ...]:
        """The (red, green, blue) in which the file wants each named channel shown, or None where it does not say."""
        return tuple(color for _, color in self._described["named_channels"])

    @property
    def dtype(self) -> np.dtype:
        """`numpy.dtype` of a sample: uint8 for RGB slides."""
        return np.dtype(self._described["levels"][0]["dtype"])

    @property
    def photometric(self) -> str:
        """What the samples of level 0 are, as they are read: "RGB", "grey", "palette", "CMYK", "CIELab", …"""
        return self._described["levels"][0]["photometric"]

    @property
    def codecs(self) -> tuple[str, ...]:
        """Tuple of str, one for each level: how its tiles are coded. "JPEG", "deflate", …"""
        return tuple(each["compression"] for each in self._described["levels"])

    @property
    def path(self) -> str | None:
        """The path as str, or None for a slide that was not opened from a path."""
        return self._path

    @property
    def name(self) -> str:
        """The path, or what stands for it in messages."""
        return self._name

    @property
    def last_errors(self) -> tuple[PatchError, ...]:
        """Tuple of `PatchError` (row 0): tiles that this thread's last read with `on_error="fill"` filled."""
        return getattr(self._in_this_thread, "errors", ())

    # Reading

    def read(
        self,
        location: Iterable[int],
        size: Iterable[int],
        *,
        level: int | None = None,
        mpp: float | None = None,
        downsample: float | None = None,
        power: float | None = None,
        out: Any = None,
        fill: Fill = 255,
        workers: int | None = None,
        device: str = "cpu",
        on_error: OnError = "raise",
        dtype: Any = None,
        layout: Literal["HWC", "CHW"] = "HWC",
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
        stream: Any = None,
    ) -> np.ndarray | DeviceArray:
        """Reads a region.

        Parameters
        ----------
        location : tuple of int
            (x, y) of the region's top left corner in level-0 pixels; it may lie outside the slide. It maps to the
            level's nearest pixel, per axis, in exact integer arithmetic (halves up), so that grids join.
        size : tuple of int
            (w, h) of the result, in pixels of the level that is read.
        level, mpp, downsample, power
            At most one of them: the index of a level, µm per pixel, level-0 pixels per pixel, or magnification;
            none is level 0. A stored level must be within 1 % of it.
        out : array, optional
            Where to put the pixels: (h, w, C) of the slide's dtype, writable, each row in one piece.
        fill : number or sequence of numbers
            What lies outside the slide and in absent tiles, for all channels or one for each. (The default is 127
            where samples are int8.)
        workers : int, optional
            Threads that work at most; 1 is the caller's alone. As many as this process may use, unless told.
        device : str
            "cpu", or "cuda" or "cuda:N" for a GPU's memory; see docs/gpu.md. `out` is then a C-contiguous array there.
        on_error : {"raise", "fill"}
            "fill" fills broken tiles and reports them in `last_errors`.
        dtype : dtype, optional
            On a GPU: float32 or float16 instead of the slide's own.
        layout : {"HWC", "CHW"}
            On a GPU: "CHW" is (C, h, w).
        mean, std : number or sequence of numbers, optional
            On a GPU, with a float dtype: the result is (sample - mean) / std, for all channels or one for each, in
            units of the slide's samples (0 to 255 where these are uint8). `fill` is a sample like the others.
        stream : int or object, optional
            On a GPU: as for `Loader`. What it was given before comes first, where `out` is given.

        Returns
        -------
        numpy.ndarray or DeviceArray
            (h, w, C) of the slide's dtype, or `out`. Its memory returns to a pool when dropped. GPU: `DeviceArray`, of
            the dtype and layout that were asked for.

        Raises
        ------
        CorruptSlideError, UnsupportedError
            A tile cannot be decoded; the message names slide, level and tile. Also UnsupportedError where no
            stored level matches.
        IndexError
            No such level.
        TypeError, ValueError
            An argument that is not as above; the slide is closed.
        DeviceUnavailableError
            `device` is a GPU that is not there or cannot be used.

        Examples
        --------
        >>> slide.read((0, 0), (512, 256), level=1).shape
        (256, 512, 3)
        >>> slide.read((-1, 0), (1, 1), fill=(255, 0, 9)).tolist()
        [[[255, 0, 9]]]
        """
        ordinal = None if device == "cpu" else _arguments.device(device)
        location = _arguments.location(location)
        size = _arguments.size(size)
        index = _levels.resolve(self, level, mpp, downsample, power)
        location = self._open_core().to_level(index, location)
        onto = None
        if ordinal is not None:
            described = self._described["levels"][index]
            output = _output.checked(dtype, layout, mean, std, layouts=("HWC", "CHW"), described=described)
            onto = _onto.Reading(ordinal, output, None if stream is None else _cuda.stream_number(stream))
        elif (
            dtype is not None or layout != "HWC" or mean is not None or std is not None or stream is not None
        ):
            _output.refuse(dtype=dtype, layout=(layout, "HWC"), mean=mean, std=std, stream=stream)
        return self._read(index, location, size, out, fill, workers, on_error, onto=onto)

    def read_level(
        self,
        level: int,
        *,
        out: Any = None,
        fill: Fill = 255,
        workers: int | None = None,
        on_error: OnError = "raise",
    ) -> np.ndarray:
        """Reads a whole level.

        Parameters
        ----------
        level : int
            Its index.
        out, fill, workers, on_error
            As for `read`.

        Returns
        -------
        numpy.ndarray
            (H, W, C) of the slide's dtype.

        Examples
        --------
        >>> slide.read_level(2).shape
        (192, 256, 3)
        """
        index = (
            _levels.resolve(self, level=level) if level is not None else _arguments.integer(level, "level")
        )
        return self._read(index, (0, 0), self._levels[index].size, out, fill, workers, on_error)

    def thumbnail(
        self,
        size: int,
        *,
        fill: Fill = 255,
        workers: int | None = None,
        on_error: OnError = "raise",
    ) -> np.ndarray:
        """The whole slide, small: an exact area average of the smallest level that is large enough.

        Parameters
        ----------
        size : int
            The longest side is at most this; a slide that is smaller is not enlarged.
        fill, workers, on_error
            As for `read`.

        Returns
        -------
        numpy.ndarray
            (h, w, C) of the slide's dtype. The level is read band by band: it is never in memory as a whole.

        Examples
        --------
        >>> slide.thumbnail(100).shape
        (75, 100, 3)
        """
        size = _arguments.integer_from(size, "size", 1)
        pixels, errors = _thumbnail.read(self, size, fill=fill, workers=workers, on_error=on_error)
        self._in_this_thread.errors = errors
        return pixels

    def _open_core(self):
        core = self._core
        if core is None:
            raise ValueError(f"{self._name} is closed")
        return core

    def _read(
        self,
        image,
        location,
        size,
        out=None,
        fill=255,
        workers=None,
        on_error="raise",
        described=None,
        onto=None,
    ):
        """Reads a region in pixels of image number `image` itself, `onto` a device or the host."""
        if described is None:
            described = self._described["levels"][image]
        core = self._open_core()
        view = None
        if out is not None:
            if onto is None:
                shape = size[1], size[0], described["channels"]
                view = _arguments.output(out, shape, np.dtype(described["dtype"]))
            else:
                view = onto.view(out, size, described)
        values = _arguments.fill(fill, described["dtype"])
        fill_broken = _arguments.fill_broken(on_error)
        in_this_thread = self._in_this_thread
        in_this_thread.errors = ()
        read = core.read if onto is None else functools.partial(onto.read, core)
        pixels, errors = read(image, location, size, view, values, _arguments.workers(workers), fill_broken)
        if errors:
            in_this_thread.errors = tuple(PatchError(row, message) for row, message in errors)
        return pixels if out is None else out

    def _read_whole(self, image, described):
        """An associated image, (H, W, C)."""
        return self._read(image, (0, 0), described["size"], described=described)

    # Life

    def close(self) -> None:
        """Lets go of the file. Reading raises ValueError from now on; what the slide says about itself stays.

        Loaders that are being iterated over hold the file themselves and go on.
        """
        self._core = None

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._core is None

    def __enter__(self) -> Slide:
        self._open_core()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __reduce__(self):
        self._open_core()
        source = self._source if self._path is None else os.path.abspath(self._path)
        return type(self), (source, *self._options)

    def __repr__(self):
        w, h = self.size
        parts = [f"{self.format}, {w}×{h}, {len(self._levels)} level{'s' * (len(self._levels) != 1)}"]
        parts += [f"{self.channels}×{self.dtype}"]
        parts += [f"{self.mpp[0]:.4g} µm/px"] if self.mpp else []
        parts += ["closed"] if self.closed else []
        return f"<microtome.Slide {self._name!r}: {', '.join(parts)}>"

    def _repr_html_(self):
        """What a notebook shows: a thumbnail, sizes, resolution and levels."""
        from . import _html

        return _html.of_slide(self)
