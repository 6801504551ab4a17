"""A single read onto a GPU: where to, as what, and beside which stream."""

from typing import NamedTuple

from . import _core, _target
from ._cuda import LEGACY_STREAM
from ._output import Output
from .device_array import DeviceArray


class Reading(NamedTuple):
    """How a slide is read onto a device. `stream`: the caller's, or None."""

    ordinal: int
    output: Output = Output()
    stream: int | None = None

    def view(self, out, size, described):
        """What `_core` is to write to: the memory of a caller's `out`."""
        shape, dtype = self.output.array(*size, described["channels"], described["dtype"])
        return _target.of(out, shape, dtype, self.ordinal, self.stream)

    def read(self, core, image, location, size, target, fill, workers, fill_broken):
        """What `core.read` is, onto the device: its pixels are a DeviceArray."""
        address = None if target is None else (target.address, target.after)
        consumer = self.stream or LEGACY_STREAM
        pixels, errors = _core.read_to_device(
            core,
            image,
            location,
            size,
            address,
            fill,
            workers,
            fill_broken,
            self.ordinal,
            consumer,
            self.output,
        )
        return DeviceArray(pixels) if pixels is not None else None, errors
