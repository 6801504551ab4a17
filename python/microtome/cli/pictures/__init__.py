"""Image files that pixels can be written to, one class a file.

A kind of picture is an object of `KINDS`. It knows pixels (`Pixels`), never slides, options or where a file goes.
"""

from __future__ import annotations

import os

from ..failure import Exit, Failure
from .jpeg import Jpeg
from .npy import Npy
from .pixels import Pixels
from .png import Png
from .tiff import Tiff

__all__ = ["KINDS", "Pixels", "kind_of"]

KINDS = {kind.name: kind for kind in (Png(), Jpeg(), Tiff(), Npy())}
_BY_SUFFIX = {suffix: kind for kind in KINDS.values() for suffix in kind.suffixes}


def kind_of(path: str, name: str | None = None):
    """The kind called `name`, or the one that `path`'s suffix says."""
    if name is not None:
        return KINDS[name]
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in _BY_SUFFIX:
        known = ", ".join(_BY_SUFFIX)
        raise Failure(
            Exit.USAGE,
            f"{path}: no kind of picture ends in {suffix or 'that'}; use one of {known}, or --format",
        )
    return _BY_SUFFIX[suffix]
