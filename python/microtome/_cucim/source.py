"""Where pixels come from: the only module of these that calls Slide and the core."""

import numpy as np

from .. import _arguments, _core
from ..slide import open as open_native
from . import pixels as promised
from .errors import DeviceError, InvalidArgumentError, reading
from .values import DeviceType


def open_slide(path):
    """A microtome.Slide."""
    return open_native(path)


def raw_description(slide):
    """ImageDescription of level 0, or ""."""
    return slide.properties.get("tiff.ImageDescription", "")


class Reader:
    """Reads regions of one size from one level, as cuCIM gives them: (h, w, C) uint8, C = 3 or 4.

    Parameters
    ----------
    slide : microtome.Slide
    extent : (w, h) in pixels of the level.
    channel : the channel to take of a file that has several which are no RGB; None where it has not.
    """

    def __init__(self, slide, level, extent, channel, device):
        check_device(device)
        promised.check_readable(slide, channel)
        self._slide, self._level, self._extent, self._channel = slide, level, extent, channel

    def read(self, location, num_workers, buf):
        """One region; into `buf` where that is not None."""
        slide, extent = self._slide, self._extent
        location = (int(location[0]), int(location[1]))
        options = {
            "level": self._level,
            "fill": promised.fill_value(slide),
            "workers": max(1, _threads(num_workers)),  # Slide.read counts the caller among them
        }
        out = None
        if buf is not None:
            out = _writable(buf, (extent[1], extent[0], promised.promised_channels(slide)))
        is_direct = promised.is_stored_as_promised(slide)
        with reading():
            found = slide.read(location, extent, out=out if is_direct else None, **options)
        if is_direct:
            return found
        found = promised.to_promised(found, self._channel)
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
            walk = _core.Pass(
                patches,
                order=order,
                size=self._extent,
                batch_size=request.batch_size,
                drop_last=request.drop_last,
                prefetch=request.prefetch_factor,
                threads=_threads(request.num_workers),
                fill_broken=False,
                fill=[promised.fill_value(slide)],
            )
        return len(walk), _Batches(walk, request.locations, self._channel)


class _Batches:
    """No generator, so that threads may share it: the core's walk has its own lock."""

    def __init__(self, walk, locations, channel):
        self._walk, self._locations, self._channel = walk, locations, channel

    def __iter__(self):
        return self

    def __next__(self):
        with reading():
            batch = self._walk.next()
        if batch is None:
            raise StopIteration
        pixels, indices, _, _ = batch
        return promised.to_promised(pixels, self._channel), self._locations[indices], indices


def _threads(num_workers):
    return min(num_workers, _arguments.MAX_WORKERS)


def check_device(device):
    """Refuses a device that is not the CPU."""
    if device.type is not DeviceType.CPU:
        raise DeviceError(
            f"device={str(device)!r}: this version reads to host memory alone; use device='cpu'"
        )


def read_associated(slide, name, device):
    """An associated image, (h, w, C) uint8."""
    check_device(device)
    with reading():
        found = slide.associated[name]
    return promised.to_promised(found, 0)


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
