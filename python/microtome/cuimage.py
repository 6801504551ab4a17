"""The drop-in for ``cucim.CuImage``: ``from microtome import CuImage``.

What it keeps, fixes and refuses stands in docs/cucim.md.
"""

from ._cucim.errors import ImageClosedError
from ._cucim.image import CuImage
from ._cucim.iterator import CuImageIterator
from ._cucim.values import DLDataType, DLDataTypeCode

__all__ = ["CuImage", "CuImageIterator", "DLDataType", "DLDataTypeCode", "ImageClosedError"]
