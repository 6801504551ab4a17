"""A grid of patches, row by row: on the tiles ("aligned"), half a tile off them ("half"), overlapping by half.

256 x 256 pixels; on tiles of 240 the tile's size, so that "aligned" is. Tiles of 512 hold four patches, and "half" is
off by a quarter of a tile, so that patches lie across borders as on the smaller tiles.

Half a tile off, n x m patches need (n + 1) x (m + 1) tiles: 15 % more work on small slides alone. "half-large" is
the same on slides so large that it does not matter, for ratios with the grid on the tiles.
"""

from __future__ import annotations

from tasks.patches import PATCH, lattice, planned, work  # noqa: F401


def plan(slide, variant, options):
    size = slide.tile if slide.tile < PATCH else PATCH
    offset = min(slide.tile, size) // 2 if variant.startswith("half") else 0
    stride = size // 2 if variant == "overlap" else size
    locations = lattice(slide, options, size, stride, offset)
    return planned(slide, locations, size) if len(locations) else None
