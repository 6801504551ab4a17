"""CuImage: a slide's file, or pixels that were read from one."""

import os
from functools import partial

import numpy as np

from . import image_cache, source
from .description import describe_associated, describe_region, describe_slide
from .errors import (
    ArgumentRangeError,
    ImageClosedError,
    InvalidArgumentError,
    LevelError,
    NoPixelsError,
    UnsupportedImageError,
    opening,
)
from .facts import Facts
from .iterator import CuImageIterator
from .profiler import Profiler, the_profiler
from .request import make_request
from .values import CPU, as_device


class _ClassProperty:
    """A read-only property of the class itself."""

    def __init__(self, getter):
        self._getter = getter

    def __get__(self, instance, owner):
        return self._getter()


def _only_row(request):
    return request.locations, np.zeros(1, np.int64)


class CuImage(Facts):
    """A whole-slide image, by cuCIM's names.

    Parameters
    ----------
    path : str or os.PathLike; the format is found from the content.

    Raises
    ------
    FileNotFoundError and ValueError : "Cannot open ...": no such file.
    ValueError and RuntimeError : "Cannot load ...": not a slide (microtome.UnsupportedError) or a damaged one
        (microtome.CorruptSlideError).
    """

    def __init__(self, path):
        try:
            self._path = os.fsdecode(path)
        except TypeError:
            raise TypeError(f"path: expected str or os.PathLike, found {path!r}") from None
        with opening(self._path):
            self._slide = source.open_slide(self._path)
        self._samples = source.samples_of(self._slide)
        raw_metadata = source.raw_description(self._slide)
        self._described = describe_slide(self._slide, self._samples.promised, self._path, raw_metadata)
        self._pixels = None
        self._device = CPU
        self._batch = None

    @classmethod
    def _loaded(cls, path, describe, pixels, device=CPU, batch=None):
        """An image of pixels.

        `describe` makes its Description, and `batch` the (locations, indices) of its rows, if they are known; both
        are called when first needed, because most patches are pixels to their users and nothing else.
        """
        image = cls.__new__(cls)
        image._path, image._slide = path, None
        image._described, image._describe = None, describe
        image._pixels, image._device, image._batch = pixels, device, batch
        return image

    @property
    def _about(self):
        if self._described is None:
            self._described = self._describe()
        return self._described

    @property
    def locations(self) -> np.ndarray:
        """(N, 2) int64: level-0 x, y of each row. Only of what read_region read from a file."""
        return self._batch_part(0, "locations")

    @property
    def indices(self) -> np.ndarray:
        """(N,) int64: position of each row in the locations that read_region was given."""
        return self._batch_part(1, "indices")

    def _batch_part(self, number, name):
        if self._batch is None:
            raise AttributeError(f"no {name}: only what read_region has read from a file has them")
        if callable(self._batch):
            self._batch = self._batch()
        return self._batch[number]

    # Reading

    def read_region(
        self,
        location=(),
        size=(),
        level=0,
        num_workers=0,
        batch_size=1,
        drop_last=False,
        prefetch_factor=2,
        shuffle=False,
        seed=0,
        device=CPU,
        buf=None,
        shm_name="",
        **kwargs,
    ) -> "CuImage | CuImageIterator | np.ndarray":
        """Reads a region, or many.

        Parameters
        ----------
        location : x and y in level-0 pixels, of one region or of many: any array of integers, (N, 2) or (2N,), or an
            iterable of integers or of pairs. (0, 0) by default.
        size : (width, height) in pixels of the level. All of the level by default.
        level : 0 is the largest.
        num_workers : threads that decode; 0: this one alone.
        batch_size : regions in one batch.
        drop_last : leave out a last batch that is not full.
        prefetch_factor : batches that are decoded ahead, if there are workers.
        shuffle, seed : deliver in cuCIM's random order for that seed.
        device : "cpu", "cuda", "cuda:N" or a Device. On a GPU the images are what ``cupy.asarray`` and
            ``torch.from_dlpack`` take, and the image cache is not used.
        buf : a writable array of shape (h, w, C) and dtype uint8, on the device, that takes the pixels of one region
            and is returned.
        shm_name : not offered.
        S, T, C, Z : index along that axis, where the file has it.

        Returns
        -------
        CuImage : for one location and ``batch_size=1``; ``np.asarray()`` of it is (h, w, C) uint8.
        CuImageIterator : else, of CuImages that are (h, w, C), or (N, h, w, C) where ``batch_size`` is more than 1.
        """
        request = make_request(
            location,
            size,
            level,
            num_workers,
            batch_size,
            drop_last,
            prefetch_factor,
            shuffle,
            seed,
            device,
            buf,
            shm_name,
            kwargs,
        )
        if self._pixels is not None:
            return self._crop(request)
        slide = self._open_slide()
        self._check_level(request)
        extent = request.size or self._about.level_dimensions[request.level]
        self._check_extent(extent)
        ordinal = source.ordinal_of(request.device)
        reader = source.Reader(slide, self._samples, request.level, extent, request.axes.get("C"), ordinal)
        if request.is_batched:
            return self._iterate(reader, request)
        pixels = reader.read(request.first, request.num_workers, buf)
        if buf is not None:
            return buf
        describe = partial(describe_region, self._about, request.level, pixels.shape)
        return self._loaded(self._path, describe, pixels, request.device, partial(_only_row, request))

    def _iterate(self, reader, request):
        count, batches = reader.batches(request)
        path, image, level, device = self._path, self._about, request.level, request.device
        is_plain = request.batch_size == 1

        def to_image(batch):
            pixels, *rows = batch
            if is_plain:
                pixels = pixels[0]
            describe = partial(describe_region, image, level, pixels.shape)
            return CuImage._loaded(path, describe, pixels, device, rows)

        return CuImageIterator._over(count, map(to_image, batches))

    def _open_slide(self):
        if self._slide is None:
            raise ImageClosedError(f"[Error] The image file is closed! ({self._path})")
        return self._slide

    def _check_level(self, request):
        count = len(self._about.level_dimensions)
        if 0 <= request.level < count:
            return
        if request.size is None:
            raise LevelError(f"'level' should be less than {count} (found {request.level})")
        raise LevelError(f"Invalid level ({request.level}) in the request! (Should be < {count})")

    def _check_extent(self, extent):
        (width, height), (most_width, most_height) = extent, self._about.level_dimensions[0]
        for name, found, most in (("width", width, most_width), ("height", height, most_height)):
            if found > most:
                raise ValueError(f"Invalid size (it exceeds the original image {name} {most})")

    def _crop(self, request):
        """A part of loaded pixels, copied; it lies wholly inside them."""
        if self._about.dims != "YXC":
            raise InvalidArgumentError(f"[Error] The image is not in YXC format! ({self._about.dims})")
        if request.is_batched:
            raise InvalidArgumentError("a loaded region is cropped at one location, with batch_size=1")
        if request.axes.get("C", 0) != 0:
            raise InvalidArgumentError(f"C={request.axes['C']}: a loaded region has only C=0")
        self._check_level(request)
        self._check_on_cpu("a part of loaded pixels")
        source.check_on_cpu(request.device, "a part of loaded pixels is copied on the CPU")
        x, y = request.first
        width, height = request.size or self.size("XY")
        for value in (x, y):
            if value < 0:
                raise ValueError(f"Invalid location ({value}) in the request! (Should be >= 0)")
        for name, end, most in zip(
            ("width", "height"), (x + width, y + height), self.size("XY"), strict=True
        ):
            if end > most:
                raise ValueError(f"Invalid location/size (it exceeds the image {name} {most})")
        part = source.copy_part(self._pixels, (slice(y, y + height), slice(x, x + width)), request.buf)
        if request.buf is not None:
            return request.buf
        describe = partial(describe_region, self._about, 0, part.shape)
        return self._loaded(self._path, describe, part, request.device)

    def associated_image(self, name: str = "", device=CPU) -> "CuImage":
        """A "thumbnail", "label" or "macro" as a loaded CuImage, (h, w, C) uint8.

        Raises
        ------
        ValueError : the file has none of that name.
        """
        device = as_device(device)
        if name not in self._about.associated:
            names = ", ".join(self._about.associated) or "none"
            raise ArgumentRangeError(f"name: there is no associated image {name!r}; the file has: {names}")
        pixels = source.read_associated(self._open_slide(), name, device)
        describe = partial(describe_associated, self._path, pixels.shape)
        return self._loaded(self._path, describe, pixels, device)

    def save(self, file_path) -> None:
        """Writes the loaded pixels as a PPM file; alpha is left out."""
        pixels = self._loaded_pixels("save")
        if self._is_on_device:
            pixels = pixels.to_host()
        if self._about.dims != "YXC":
            raise InvalidArgumentError(
                f"save: a batch of {self._about.shape[0]} is no picture; save its regions"
            )
        pixels = np.ascontiguousarray(pixels[..., :3])
        with open(file_path, "wb") as file:
            file.write(b"P6\n%d\n%d\n255\n" % (pixels.shape[1], pixels.shape[0]))
            file.write(pixels.data)

    def close(self) -> None:
        """Lets go of the file. Regions and iterators that came from it stay usable."""
        self._slide = None

    def __enter__(self) -> "CuImage":
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def __bool__(self) -> bool:
        return self._slide is not None or self._pixels is not None

    def __iter__(self) -> CuImageIterator:
        self._loaded_pixels("iteration")
        return CuImageIterator(self)

    def __repr__(self) -> str:
        return f"<cucim.CuImage path:{self._path}>"

    # Exchange

    def _loaded_pixels(self, what):
        if self._pixels is None:
            raise NoPixelsError(
                f"Batch index out of range! ('image_data_' is null) ({what} needs pixels: use what read_region returns)"
            )
        return self._pixels

    @property
    def _is_on_device(self):
        return self._pixels is not None and not isinstance(self._pixels, np.ndarray)

    def _check_on_cpu(self, what):
        if self._is_on_device:
            raise UnsupportedImageError(
                f"{what}: the pixels are on {self._pixels.device}; cupy.asarray takes parts of them"
            )

    @property
    def __cuda_array_interface__(self):
        if not self._is_on_device:
            raise AttributeError("__cuda_array_interface__: the pixels are not on a GPU")
        return self._pixels.__cuda_array_interface__

    @property
    def __array_interface__(self):
        if self._pixels is None:
            raise AttributeError("__array_interface__: a file has no pixels; use what read_region returns")
        if self._is_on_device:
            return self._pixels.__array__()  # which says what to do instead
        return {**self._pixels.__array_interface__, "strides": None}

    def __dlpack__(self, **kwargs):
        return self._loaded_pixels("DLPack").__dlpack__(**kwargs)

    def __dlpack_device__(self):
        return self._loaded_pixels("DLPack").__dlpack_device__()

    # The process's settings

    @staticmethod
    def cache(type=None, **kwargs) -> image_cache.ImageCache:
        """The process's tile cache as an ImageCache; with a `type`, a new one in its place.

        Parameters
        ----------
        type : "nocache" or "per_process".
        memory_capacity : MiB, 1024 by default.
        capacity : tiles of 256 x 256 RGB pixels; as many as fit into memory_capacity by default.
        record_stat : count hits and misses from the start.
        mutex_pool_capacity, list_padding, extra_shared_memory_size : shown in `config`; there is nothing here that
            they could size.
        """
        return image_cache.cache(type, kwargs)

    @staticmethod
    def profiler(**kwargs) -> Profiler:
        """The process's Profiler; ``trace=True`` or ``False`` sets its flag."""
        for name in kwargs:
            if name != "trace":
                raise ArgumentRangeError(f"profiler() has no argument {name!r}; expected trace")
        the_profiler.trace(kwargs.get("trace"))
        return the_profiler

    is_trace_enabled = _ClassProperty(lambda: the_profiler.trace())

    @staticmethod
    def _set_array_interface(cuimg=None):
        """Does nothing: the interfaces are always those of the pixels."""
