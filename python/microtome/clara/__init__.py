"""``cucim.clara`` where it has a meaning here: ``from microtome.clara import CuImage, io, cache, filesystem``.

``cli`` and ``converter`` are not offered: Microtome reads slides and writes none.
"""

from ..cuimage import CuImage, DLDataType, DLDataTypeCode
from . import cache, filesystem, io

__all__ = ["CuImage", "DLDataType", "DLDataTypeCode", "cache", "filesystem", "io"]
