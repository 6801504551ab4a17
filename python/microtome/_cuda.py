"""CUDA devices: where NVIDIA's libraries may be, and what is said where a device cannot be used.

Nothing is looked for before a device is asked for, or `microtome.info` is.
"""

import operator
import os
import sys

from . import _core
from .device_array import DeviceArray
from .errors import DeviceUnavailableError

_MOST = 2**31 - 1
_LEGACY_STREAM = 1

# Folders of NVIDIA's wheels under site-packages/nvidia: of CUDA 13, then of CUDA 12. nvJPEG2000's are the same.
_WHEELS = {
    "nvjpeg": ("cu13/lib", "nvjpeg/lib"),
    "nvjpeg2k": ("nvjpeg2k/lib",),
    "cufile": ("cu13/lib", "cufile/lib"),
}


def require(ordinal, asked):
    """`ordinal`, of a device that can be used; opens it. `asked`: the argument, as errors are to show it.

    DeviceUnavailableError says why a device cannot be used.
    """
    try:
        _core.require_cuda_device(min(ordinal, _MOST))
    except DeviceUnavailableError as error:
        raise DeviceUnavailableError(f"{asked}: {str(error).rstrip('.')}. device='cpu' works") from None
    return ordinal


def stream_number(stream):
    """A stream as the array interfaces number them: 1 the legacy default, 2 the per-thread default, or a pointer.

    `stream`: None, such a number, or an object of CuPy's, PyTorch's or any other with `__cuda_stream__`.
    """
    if stream is None:
        return _LEGACY_STREAM
    if hasattr(stream, "__cuda_stream__"):
        number = stream.__cuda_stream__()[1]
    else:
        number = getattr(stream, "ptr", getattr(stream, "cuda_stream", stream))
    try:
        number = operator.index(number)
    except TypeError:
        raise TypeError(
            f"stream = {stream!r}, expected a stream's pointer, or a stream of CuPy or PyTorch"
        ) from None
    if not 0 <= number < 2**64:
        raise ValueError(f"stream = {number}, expected a stream's pointer")
    return number or _LEGACY_STREAM  # the null stream, as CuPy's and PyTorch's default streams give it


def reader(core, ordinal):
    """What `core.read` is, onto device `ordinal`: its pixels are a DeviceArray."""

    def read(*arguments):
        pixels, errors = _core.read_to_device(core, *arguments, ordinal)
        return DeviceArray(pixels) if pixels is not None else None, errors

    return read


def target(out, shape, dtype):
    """(address, stream whose work comes first or None) of a caller's array on the device."""
    interface = getattr(out, "__cuda_array_interface__", None)
    if interface is None:
        raise TypeError(
            f"out is of type {type(out).__name__}, expected an array on the device, with __cuda_array_interface__"
        )
    address, is_read_only = interface["data"]
    found, kind = tuple(interface["shape"]), interface["typestr"]
    if found != tuple(shape) or kind != dtype.str:
        raise ValueError(f"out has shape {found} and dtype {kind}, expected {shape} and {dtype.str}")
    if is_read_only:
        raise ValueError("out is read-only, expected a writable array")
    if not _is_packed(interface.get("strides"), shape, dtype.itemsize):
        raise ValueError(f"out has strides {interface['strides']}, expected a C-contiguous array")
    if interface.get("version", 0) >= 3 and interface.get("stream") is None:
        return address, None  # complete, says its owner
    return address, stream_number(interface.get("stream"))


def _is_packed(strides, shape, itemsize):
    if strides is None:
        return True
    expected = itemsize
    for side, stride in zip(reversed(shape), reversed(strides), strict=True):
        if side > 1 and stride != expected:
            return False
        expected *= side
    return True


def info():
    """The part "cuda" of `microtome.info`."""
    driver = _core.find_cuda_driver()
    devices = driver.pop("devices")
    return {
        "available": not driver["problem"],
        "reason": driver["problem"],
        "driver": driver,
        "devices": devices,
        "libraries": _core.find_cuda_libraries(**folders()),
    }


def folders():
    """{library: folders to search before the system's own}, and under "last" those to search after them."""
    packages = [path for path in sys.path if os.path.basename(path) in ("site-packages", "dist-packages")]
    packages += [
        path for path in sys.path if path not in packages and os.path.isdir(os.path.join(path, "nvidia"))
    ]
    conda = os.environ.get("CONDA_PREFIX")
    toolkits = [os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH"), "/usr/local/cuda"]
    places = {
        name: [os.path.join(path, "nvidia", wheel) for wheel in wheels for path in packages]
        + ([os.path.join(conda, "lib")] if conda else [])
        for name, wheels in _WHEELS.items()
    }
    return places | {"last": list(dict.fromkeys(os.path.join(path, "lib64") for path in toolkits if path))}
