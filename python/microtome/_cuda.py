"""CUDA devices: where NVIDIA's libraries may be, and what is said where a device cannot be used.

Nothing is looked for before a device is asked for, or `microtome.info` is.
"""

import operator
import os
import sys

from . import _core
from .errors import DeviceUnavailableError

_MOST = 2**31 - 1
LEGACY_STREAM = 1

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
        return LEGACY_STREAM
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
    return number or LEGACY_STREAM  # the null stream, as CuPy's and PyTorch's default streams give it


def decode_arguments(how):
    """`how` ("exact", "any" or "device"), and the folders in which the libraries that decode may be."""
    places = folders() if how != "exact" else {"nvjpeg": [], "nvjpeg2k": [], "last": []}
    return how, places["nvjpeg"], places["nvjpeg2k"], places["last"]


def gds_arguments(how):
    """`how` ("off", "any" or "only"), and the folders in which cuFile may be."""
    places = folders() if how != "off" else {"cufile": [], "last": []}
    return how, places["cufile"], places["last"]


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
        "nvidia_fs": os.path.exists("/sys/module/nvidia_fs"),
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
