"""JPEG: encoded by Pillow or imagecodecs, expected pixels by imagecodecs (another build of libjpeg-turbo)."""

from __future__ import annotations

import io

import imagecodecs
import numpy as np
from PIL import Image

from .fixture import GREY, JPEG, RGB, YCBCR, Fixture, picture


def segments(stream: bytes):
    """The marker segments of a JPEG before its scan, and what follows them."""
    at = 2
    while True:
        size = int.from_bytes(stream[at + 2 : at + 4], "big") + 2
        if stream[at + 1] == 0xDA:
            return
        yield stream[at + 1], stream[at : at + size]
        at += size


def split_tables(stream: bytes) -> tuple[bytes, bytes]:
    """An abbreviated stream and its tables, as TIFF stores them."""
    parts = list(segments(stream))
    tables = b"".join(part for marker, part in parts if marker in (0xDB, 0xC4))
    others = b"".join(part for marker, part in parts if marker not in (0xDB, 0xC4))
    scan = stream[2 + sum(len(part) for _, part in parts) :]
    return b"\xff\xd8" + tables + b"\xff\xd9", b"\xff\xd8" + others + scan


def fixtures():
    rgb, grey = picture(19, 18), picture(17, 9, 1)[..., 0]

    def ycbcr(stream: bytes) -> np.ndarray:
        return imagecodecs.jpeg8_decode(stream, colorspace="YCBCR", outcolorspace="RGB")

    for subsampling in ("444", "422", "420", "440"):
        stream = imagecodecs.jpeg8_encode(rgb, level=80, subsampling=subsampling, optimize=True)
        yield Fixture(f"jpeg_ycbcr_{subsampling}", JPEG, YCBCR, stream, ycbcr(stream))
    stream = pillow(rgb, quality=70, subsampling=2, progressive=True)
    yield Fixture("jpeg_progressive_420", JPEG, YCBCR, stream, ycbcr(stream))
    stream = pillow(rgb, quality=70, subsampling=2, restart_marker_blocks=1, optimize=True)
    assert b"\xff\xd0" in stream
    yield Fixture("jpeg_restart_420", JPEG, YCBCR, stream, ycbcr(stream))
    stream = pillow(rgb, quality=75, subsampling=1)
    tables, short = split_tables(stream)
    yield Fixture("jpeg_tables_422", JPEG, YCBCR, short, ycbcr(stream), tables=tables)
    stream = pillow(rgb, quality=90, keep_rgb=True, optimize=True)
    pixels = imagecodecs.jpeg8_decode(stream, colorspace="RGB", outcolorspace="RGB")
    yield Fixture("jpeg_rgb", JPEG, RGB, stream, pixels)
    stream = pillow(grey, quality=80, optimize=True)
    yield Fixture("jpeg_grey", JPEG, GREY, stream, imagecodecs.jpeg8_decode(stream)[..., None])


def pillow(array: np.ndarray, **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "JPEG", **options)
    return file.getvalue()
