"""Cuts pictures into encoded tiles and describes them as TIFF directories: the step from pixels to a slide."""

from dataclasses import dataclass

import numpy as np

from . import encoders as enc
from .tiff_writer import Directory

GREY, RGB, YCBCR = 1, 2, 6  # PhotometricInterpretation
SUBSAMPLING = {"444": [1, 1], "422": [2, 1], "440": [1, 2], "420": [2, 2]}


@dataclass(frozen=True)
class Coding:
    """How a slide's tiles are encoded. Only the fields that `compression` has a use for are looked at."""

    compression: int
    quality: float | None = None  # JPEG: 1…100; JPEG 2000: PSNR in dB, None for reversible
    subsampling: str = "444"
    rgb: bool = False  # JPEG: the components are red, green, blue
    predictor: bool = False
    big_endian: bool = False
    pillow: tuple = ()  # JPEG: options of Pillow's writer, as pairs; tiles are 4:2:0 and keep their own tables


def encode_tiles(tiles, coding):
    """(encoded tiles, JPEG tables or None)."""
    if coding.compression == enc.JPEG and coding.pillow:
        return [enc.jpeg_by_pillow(tile, coding.quality, **dict(coding.pillow)) for tile in tiles], None
    if coding.compression == enc.JPEG:
        tables, streams = enc.abbreviate(
            [enc.jpeg(tile, coding.quality, coding.subsampling, rgb=coding.rgb) for tile in tiles]
        )
        return streams, tables
    if coding.compression == enc.APERIO_J2K_YCBCR:
        return enc.jpeg2000_ycbcr422(tiles, coding.quality), None
    if coding.compression in (enc.APERIO_J2K_RGB, enc.JPEG2000):
        return [enc.jpeg2000_rgb(tile, coding.quality) for tile in tiles], None
    options = {"predictor": coding.predictor, "big_endian": coding.big_endian}
    return [enc.raw(tile, coding.compression, **options) for tile in tiles], None


def image_tags(width, height, like, coding, tables=None):
    """The tags that say what the pixels are. `like` is an array with the image's samples and type."""
    samples = like.shape[2] if like.ndim == 3 else 1
    photometric = GREY if samples == 1 else RGB
    if coding.compression == enc.JPEG and samples == 3 and not coding.rgb:
        photometric = YCBCR
    tags = {
        256: width,
        257: height,
        258: [like.dtype.itemsize * 8] * samples,
        259: coding.compression,
        262: photometric,
        277: samples,
        284: 1,
    }
    if coding.predictor:
        tags[317] = 2
    if samples == 4:
        tags[338] = 2  # unassociated alpha
    if photometric == YCBCR:
        tags[530] = SUBSAMPLING[coding.subsampling]
    if tables:
        tags[347] = tables
    return tags


def cut(pixels, tile):
    """The tiles of an image row by row, its edges repeated to fill the last ones."""
    height, width = pixels.shape[:2]
    pad = [(0, -height % tile), (0, -width % tile)] + [(0, 0)] * (pixels.ndim - 2)
    padded = np.pad(pixels, pad, mode="edge")
    for y in range(0, height, tile):
        for x in range(0, width, tile):
            yield np.ascontiguousarray(padded[y : y + tile, x : x + tile])


def tiled(pixels, tile, coding, tags=None, absent=()):
    """One tiled level; `absent` are the indices of tiles that the file leaves out."""
    streams, tables = encode_tiles(list(cut(pixels, tile)), coding)
    streams = [None if index in absent else stream for index, stream in enumerate(streams)]
    own = image_tags(pixels.shape[1], pixels.shape[0], pixels, coding, tables)
    return Directory(own | {322: tile, 323: tile} | (tags or {}), streams)


def strips(pixels, rows, coding, tags=None):
    """An image in strips of `rows` rows, the last one shorter."""
    parts = [np.ascontiguousarray(pixels[y : y + rows]) for y in range(0, pixels.shape[0], rows)]
    streams, tables = encode_tiles(parts, coding)
    own = image_tags(pixels.shape[1], pixels.shape[0], pixels, coding, tables)
    return Directory(own | {278: rows} | (tags or {}), streams, tiled=False)
