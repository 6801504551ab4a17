"""Cuts whole-slide images into patches, as fast as the hardware allows, with exact pixels.

>>> import microtome as mt
>>> with mt.open("slide.tif") as slide:
...     slide.size, len(slide.levels), slide.read((0, 0), (256, 256)).shape
((1024, 768), 3, (256, 256, 3))

`x, y` and `w, h` stand in this order in geometry; arrays are row, column, channel. Coordinates are level-0 pixels
unless a name says otherwise. Importing this package starts no thread and opens no CUDA library.
"""

from . import cache
from ._core import __version__
from ._grid import grid
from ._images import Image
from ._info import info
from ._info import warn_of_environment as _warn_of_environment
from ._levels import Level
from .batch import Batch, PatchError
from .device_array import DeviceArray
from .errors import CorruptSlideError, DeviceUnavailableError, Error, UnsupportedError
from .loader import Loader, LoaderStats
from .slide import Slide, open

# What is imported when first used, so that importing the package stays quick.
_LATER = {"CuImage": ".cuimage", "clara": ".clara"}

__all__ = [
    "Batch",
    "CorruptSlideError",
    "CuImage",
    "DeviceArray",
    "DeviceUnavailableError",
    "Error",
    "Image",
    "Level",
    "Loader",
    "LoaderStats",
    "PatchError",
    "Slide",
    "UnsupportedError",
    "__version__",
    "cache",
    "clara",
    "grid",
    "info",
    "open",
]


def __getattr__(name):
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    module = importlib.import_module(_LATER[name], __name__)
    value = getattr(module, name) if name == "CuImage" else module
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *_LATER})


_warn_of_environment()
