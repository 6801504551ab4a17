"""Where pixels come from: the only module of these that calls Slide and the core."""

import numpy as np

from .. import _arguments, _core, _cuda
from .._output import Output
from ..device_array import DeviceArray
from ..errors import Error
from ..slide import open as open_native
from .errors import (
    InvalidArgumentError,
    UnloadableImageError,
    UnsupportedImageError,
    reading,
    translate_reading,
)
from .pixels import Samples
from .values import CPU, DeviceType


def open_slide(path):
    """A microtome.Slide. Of a file with several images of full resolution cuCIM opens none, so that nobody gets
    another image than the one they mean."""
    slide = open_native(path)
    if slide.format != "aperio" and sum(image.kind == "image" for image in slide.images) > 1:
        raise UnloadableImageError(
            "This format has more than one image with Subfile Type 0 so cannot be loaded! "
            f"microtome.open({path!r}, image=i) opens any of its {len(slide.images)} images"
        )
    return slide


def raw_description(slide):
    """ImageDescription of level 0, or ""."""
    return slide._described["raw_description"]


def samples_of(slide):
    """The Samples of a slide's levels."""
    return Samples(slide.format, slide.channels, slide.dtype, has_names=bool(slide.channel_names))


class Reader:
    """Reads regions of one size from one level, as cuCIM gives them: (h, w, C) uint8, C = 3 or 4.

    Parameters
    ----------
    slide : microtome.Slide
    samples : its Samples.
    extent : (w, h) in pixels of the level.
    channel : the channel to take of a file that has several which are no RGB; None where it has not.
    ordinal : of the GPU whose memory takes them, as DeviceArrays; None for the host's.
    """

    def __init__(self, slide, samples, level, extent, channel, ordinal=None):
        samples.check(channel)
        if ordinal is not None and not samples.is_direct:
            raise UnsupportedImageError(
                f"samples that are not stored as 8-bit RGB or RGBA become so on the CPU only: device='cpu' works "
                f"({slide.name})"
            )
        self._ordinal = ordinal
        self._slide, self._samples, self._channel = slide, samples, channel
        self._level, self._extent = level, extent

    def read(self, location, num_workers, buf):
        """One region at (x, y); into `buf` where that is not None."""
        samples, (width, height) = self._samples, self._extent
        if self._ordinal is not None:
            with reading():
                return self._slide.read(
                    location,
                    self._extent,
                    level=self._level,
                    out=buf,
                    fill=samples.fill,
                    workers=max(1, _threads(num_workers)),
                    device=f"cuda:{self._ordinal}",
                )
        out = None if buf is None else _writable(buf, (height, width, samples.promised))
        try:
            found = self._slide.read(
                location,
                self._extent,
                level=self._level,
                out=out if samples.is_direct else None,
                fill=samples.fill,
                workers=max(1, _threads(num_workers)),  # Slide.read counts the caller among them
            )
        except Error as error:
            translate_reading(error)
            raise
        if samples.is_direct:
            return found
        found = samples.convert(found, self._channel)
        if out is not None:
            out[...] = found
        return found

    def batches(self, request):
        """(number of batches, iterator over ((N, h, w, C) array, (N, 2) locations, (N,) indices))."""
        slide, count = self._slide, len(request.locations)
        order = _core.cuslide_permutation(count, request.seed) if request.shuffle else np.arange(count)
        with reading():
            patches = _core.Patches(
                slides=[slide._open_core()],
                levels=[self._level],
                slide_of=np.zeros(count, np.int64),
                locations=request.locations,
            )
            begin, more = _core.Pass, {}
            if self._ordinal is not None:
                begin = _core.DevicePass
                more = {
                    "ordinal": self._ordinal,
                    "memory_bytes": 0,
                    "stream": 1,
                    "format": Output(),
                    "decode": _cuda.decode_arguments("exact"),
                }
            walk = begin(
                patches,
                order=order,
                size=self._extent,
                batch_size=request.batch_size,
                drop_last=request.drop_last,
                prefetch=request.prefetch_factor,
                threads=_threads(request.num_workers),
                fill_broken=False,
                fill=[self._samples.fill],
                **more,
            )
        return len(walk), _Batches(walk, request.locations, self._samples, self._channel)


class _Batches:
    """No generator, so that threads may share it: the core's walk has its own lock."""

    def __init__(self, walk, locations, samples, channel):
        self._walk, self._locations, self._samples, self._channel = walk, locations, samples, channel

    def __iter__(self):
        return self

    def __next__(self):
        with reading():
            batch = self._walk.next()
        if batch is None:
            raise StopIteration
        pixels, indices, _, _ = batch
        if isinstance(pixels, _core.DeviceArray):
            return DeviceArray(pixels), self._locations.take(indices, 0), indices
        return self._samples.convert(pixels, self._channel), self._locations.take(indices, 0), indices


def _threads(num_workers):
    return min(num_workers, _arguments.MAX_WORKERS)


def ordinal_of(device):
    """None for the CPU; the number of a GPU, which is opened, or it says why it cannot be used."""
    if device is CPU or device.type is DeviceType.CPU:
        return None
    with reading():
        return _cuda.require(max(device.index, 0), f"device={str(device)!r}")


def check_on_cpu(device, what):
    """Refuses a device that is not the CPU: `what` stays there."""
    if ordinal_of(device) is not None:
        raise UnsupportedImageError(f"device={str(device)!r}: {what}; cupy.asarray copies it to the GPU")


def read_associated(slide, name, device):
    """An associated image, (h, w, C) uint8."""
    check_on_cpu(device, "an associated image is decoded on the CPU")
    with reading():
        found = slide.associated[name]
    samples = Samples(slide.format, found.shape[-1], found.dtype)
    samples.check(0)
    return samples.convert(found, 0)


def copy_part(pixels, rows_columns, buf):
    """A part of loaded pixels, packed; in `buf` where that is not None."""
    part = pixels[rows_columns]
    if buf is None:
        return part.copy()
    out = _writable(buf, part.shape)
    out[...] = part
    return out


def _writable(buf, shape):
    """A caller's buffer as an array over its own memory."""
    if type(buf) is np.ndarray and buf.shape == shape and buf.dtype == np.uint8 and buf.flags.writeable:
        return buf
    if not hasattr(buf, "__array_interface__") and not hasattr(buf, "__array__"):
        try:
            memoryview(buf).release()
        except TypeError:
            raise TypeError(f"buf: expected a writable array, found {type(buf).__name__}") from None
    array = np.asarray(buf)  # over the same memory, since it is an array or a buffer
    if array.dtype != np.uint8 or array.shape != shape:
        raise InvalidArgumentError(
            f"buf: expected uint8 of shape {shape}, found {array.dtype} of {array.shape}"
        )
    if not array.flags.writeable:
        raise InvalidArgumentError("buf: the memory is read-only")
    return array
