"""A slide with as many tiles as large scans have, and next to no bytes: what opening costs, and nothing else.

A few encoded tiles stand in the file once and are pointed at again and again.
"""

import numpy as np

from . import encoders as enc
from .pyramid import Coding, encode_tiles, image_tags
from .small import RESOLUTION
from .texture import Picture
from .tiff_writer import Directory, write_tiff

TILE = 256
SIZE = (81820, 80028)  # 320 x 313 tiles
KINDS = 7


def make_many_tiles(path, seed, texture=None):
    """Writes the slide; returns its size and number of tiles at level 0."""
    picture = Picture((KINDS * TILE, TILE), TILE, seed, blank_tiles=0.2, texture=texture)
    tiles = [picture.region(i * TILE, 0, TILE, TILE) for i in range(KINDS)]
    coding = Coding(enc.JPEG, 80, "420")
    streams, tables = encode_tiles(tiles, coding)
    pixels = np.empty((0, 0, 3), np.uint8)
    directories = []
    width, height = SIZE
    while min(width, height) > TILE:
        count = -(-width // TILE) * -(-height // TILE)
        tags = image_tags(width, height, pixels, coding, tables) | {322: TILE, 323: TILE}
        tags |= {254: 1} if directories else RESOLUTION
        order = np.random.default_rng([seed, count]).integers(0, KINDS, count).tolist()
        directories.append(Directory(tags, [streams[kind] for kind in order], repeated=True))
        width, height = -(-width // 4), -(-height // 4)
    write_tiff(path, directories)
    return {"size": SIZE, "levels": len(directories), "tiles": len(directories[0].segments)}
