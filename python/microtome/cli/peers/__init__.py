"""Other readers of slides that `microtome bench` measures beside ours, where they are installed.

A reader is a class in a module of its own, imported only in the process that runs it (process.py). It has

- `Reader(path, workers)`: opens the slide;
- `read_level(level, size)` → (h, w, 3) array: the stored level of that number and (w, h);
- `read_patches(locations, size)` → iterator of (h, w, 3) arrays in order: level-0 patches from a list of (x, y).

What it cannot do it refuses with `CannotError`. It knows nothing of the others, of timing or of the terminal.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from typing import NamedTuple

__all__ = ["PEERS", "Peer", "installed"]


class Peer(NamedTuple):
    """Where a reader comes from: the package that is imported, and the distributions it may have come in."""

    module: str
    distributions: tuple[str, ...]

    def version(self) -> str | None:
        """Of the distribution that is installed, or None."""
        for name in self.distributions:
            try:
                return importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                continue
        return None


PEERS = {
    "microtome": Peer("microtome", ("microtome",)),
    "cucim": Peer("cucim", ("cucim-cu12", "cucim-cu13", "cucim")),
    "openslide": Peer("openslide", ("openslide-python",)),
    "pyvips": Peer("pyvips", ("pyvips",)),
    "tifffile": Peer("tifffile", ("tifffile",)),
}


def installed() -> list[str]:
    """Names of the readers whose packages are there; whether they work shows when they run."""
    return [name for name, peer in PEERS.items() if importlib.util.find_spec(peer.module) is not None]
