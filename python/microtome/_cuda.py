"""CUDA devices: where NVIDIA's libraries may be, and what is said where a device cannot be used.

Nothing is looked for before a device is asked for, or `microtome.info` is.
"""

import os
import sys

from . import _core
from .errors import DeviceUnavailableError

_NOT_YET = "this version of Microtome reads on the CPU only; decoding on a GPU is not in it yet"
_MOST = 2**31 - 1

# Folders of NVIDIA's wheels under site-packages/nvidia: of CUDA 13, then of CUDA 12. nvJPEG2000's are the same.
_WHEELS = {
    "nvjpeg": ("cu13/lib", "nvjpeg/lib"),
    "nvjpeg2k": ("nvjpeg2k/lib",),
    "cufile": ("cu13/lib", "cufile/lib"),
}


def require(ordinal, asked):
    """Raises DeviceUnavailableError: why device `ordinal` cannot be used. `asked`: the argument, as it is shown."""
    try:
        device = _core.require_cuda_device(min(ordinal, _MOST))
    except DeviceUnavailableError as error:
        raise DeviceUnavailableError(f"{asked}: {str(error).rstrip('.')}. device='cpu' works") from None
    raise DeviceUnavailableError(f"{asked}: {device['name']} works, but {_NOT_YET}. device='cpu' works")


def info():
    """The part "cuda" of `microtome.info`."""
    driver = _core.find_cuda_driver()
    devices = driver.pop("devices")
    return {
        "available": False,
        "reason": driver["problem"] or _NOT_YET,
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
