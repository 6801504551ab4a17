"""Sets of patches on disk, one kind a file, that can be gone on with after a kill at any moment.

A patch set holds the first n patches of a job in the job's order; n only grows. A kind promises:

- `begin()` makes it empty; nothing is at its path.
- `resume(done)` takes up what is at its path and returns how many patches it keeps: at most `done`, fewer where some
  are missing, 0 where there is nothing to go on with (and `begin` follows). What it has beyond them is forgotten.
- `add(first, pixels, names)` puts patches `first`, `first` + 1, … there. When it returns they have been handed to the
  system: a kill of this process no longer loses them (a power failure can).
- `close()` leaves a file or folder that any reader of the format opens, with the patches added so far.
- The same patches give the same content however often it was interrupted.

As class attributes it has its `name` and `suffixes`, whether it `is_folder`, whether it holds `pictures` rather than
arrays, and the optional `package` it needs, with a `title` for the message that says so.

Kinds know pixels and paths; the job, its manifest and its names under way are job.py's.
"""

from __future__ import annotations

import os

from ..failure import Exit, Failure
from .folder import Folder
from .hdf5 import Hdf5
from .webdataset import WebDataset
from .zarr import Zarr

__all__ = ["KINDS", "kind_of"]

KINDS = {kind.name: kind for kind in (Folder, WebDataset, Hdf5, Zarr)}
_BY_SUFFIX = {suffix: kind for kind in KINDS.values() for suffix in kind.suffixes}


def kind_of(path: str, name: str | None = None) -> type:
    """The kind called `name`, or the one that `path`'s suffix says; without a suffix it is a folder."""
    if name is not None:
        return KINDS[name]
    suffix = os.path.splitext(path)[1].lower()
    if not suffix or path.endswith("/"):
        return Folder
    if suffix not in _BY_SUFFIX:
        raise Failure(
            Exit.USAGE,
            f"{path}: {', '.join(_BY_SUFFIX)} are known, and no suffix for a folder; --kind says it for other names",
        )
    return _BY_SUFFIX[suffix]
