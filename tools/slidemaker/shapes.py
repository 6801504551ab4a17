"""Slides of the shapes that whole-slide readers are measured with: cuCIM 21.12.01's release note names them.

Each has the note's size (at 1/16 of the area unless another scale is asked for), tile size, codec, chroma
subsampling and bits per pixel; the encoder's quality is searched for so that the bits come out right.
"""

import math
from dataclasses import dataclass

import numpy as np

from . import encoders as enc
from .aperio import aperio
from .pyramid import Coding, encode_tiles, image_tags, tiled
from .small import RESOLUTION
from .texture import Picture, halve
from .tiff_writer import Directory, write_tiff


@dataclass(frozen=True)
class Shape:
    """`size` is the full width and height. A and B share a picture; so do a shape and itself at another scale."""

    size: tuple
    tile: int
    compression: int
    bits_per_pixel: float
    blank_tiles: float
    glass: str
    picture: int  # added to the seed

    @property
    def aperio(self):
        return self.compression in (enc.APERIO_J2K_YCBCR, enc.APERIO_J2K_RGB)


SHAPES = {
    "A": Shape((19920, 26420), 240, enc.APERIO_J2K_YCBCR, 0.76, 0.30, "noisy", 1),
    "B": Shape((19920, 26420), 256, enc.JPEG, 2.4, 0.30, "noisy", 1),
    "C": Shape((46000, 32893), 240, enc.APERIO_J2K_RGB, 0.69, 0.45, "noisy", 2),
    "D": Shape((27648, 29440), 512, enc.JPEG, 0.46, 0.70, "white", 3),
    "E": Shape((15360, 13312), 512, enc.JPEG, 0.49, 0.65, "white", 4),
    "F": Shape((28672, 34560), 512, enc.JPEG, 0.60, 0.64, "white", 5),
}
SAMPLED_TILES = 160


def search_quality(shape, picture):
    """The quality whose bits per pixel come nearest the shape's, judged on tiles spread evenly over the slide."""
    columns, rows = -(-picture.size[0] // shape.tile), -(-picture.size[1] // shape.tile)
    step = max(1, columns * rows // SAMPLED_TILES)
    while math.gcd(step, columns) > 1:  # or the sample would keep to some of the columns
        step += 1
    chosen = range(0, columns * rows, step)
    tiles = [
        picture.region(i % columns * shape.tile, i // columns * shape.tile, shape.tile, shape.tile)
        for i in chosen
    ]

    pixels_per_tile = picture.size[0] * picture.size[1] / (columns * rows)  # edge tiles pass the slide's edge

    def bits(quality):
        streams, _ = encode_tiles(tiles, Coding(shape.compression, quality, "420"))
        return 8 * sum(map(len, streams)) / (len(tiles) * pixels_per_tile)

    low, high, step = (5, 98, 1) if shape.compression == enc.JPEG else (20.0, 50.0, 0.25)
    while high - low > step:
        middle = (low + high) // 2 if step == 1 else (low + high) / 2
        low, high = (middle, high) if bits(middle) < shape.bits_per_pixel else (low, middle)
    return min(low, high, key=lambda quality: abs(bits(quality) - shape.bits_per_pixel))


def encode_level(picture, shape, coding):
    """(directory of level 0, pixels of the level four times smaller, tiles that are wholly white).

    A row of tiles at a time, since a full-size level does not fit into memory.
    """
    width, height = picture.size
    streams, tables, white, quarters = [], None, 0, []
    for y in range(0, height, shape.tile):
        row = picture.region(0, y, -(-width // shape.tile) * shape.tile, shape.tile)
        tiles = [np.ascontiguousarray(row[:, x : x + shape.tile]) for x in range(0, width, shape.tile)]
        white += sum(bool((tile == 255).all()) for tile in tiles)
        encoded, tables = encode_tiles(tiles, coding)
        streams += encoded
        quarters.append(halve(row[: min(shape.tile, height - y), :width], 4))
    below = np.concatenate(quarters)
    tags = image_tags(width, height, below, coding, tables)
    return Directory(tags | {322: shape.tile, 323: shape.tile}, streams), below, white


def make_shape(name, path, seed, texture=None, scale=1 / 16):
    """Writes the shape `name` at `scale` of its area; returns its size, quality, bits per pixel and white tiles."""
    shape = SHAPES[name]
    side = math.sqrt(scale)
    size = tuple(round(length * side) for length in shape.size)
    picture = Picture(
        size,
        shape.tile,
        seed + shape.picture,
        blank_tiles=shape.blank_tiles,
        glass=shape.glass,
        texture=texture,
    )
    coding = Coding(shape.compression, search_quality(shape, picture), "420")
    first, below, white = encode_level(picture, shape, coding)
    levels = [first]
    while below.shape[0] * below.shape[1] > shape.tile**2:
        levels.append(tiled(below, shape.tile, coding))
        below = halve(below, 4)
    if shape.aperio:
        kind = "J2K/YUV16" if shape.compression == enc.APERIO_J2K_YCBCR else "J2K/KDU"
        directories = aperio(levels, below, f"{kind} Q=70")
    else:
        first.tags |= RESOLUTION
        for level in levels[1:]:
            level.tags[254] = 1
        directories = levels
    encoded = sum(len(stream) for stream in first.segments)
    write_tiff(path, directories, big=encoded > 3 << 30)
    return {
        "size": size,
        "levels": len(levels),
        "quality": coding.quality,
        "bits_per_pixel": 8 * encoded / (size[0] * size[1]),
        "bits_per_pixel_wanted": shape.bits_per_pixel,
        "white_tiles": white / len(first.segments),
    }
