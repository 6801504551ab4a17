"""WebP, JPEG XL and LERC: encoded by imagecodecs. Expected: what went in, or (lossy) what it decodes."""

from __future__ import annotations

import imagecodecs
import numpy as np

from .fixture import GREY, JPEGXL, LERC, RGB, WEBP, Fixture, picture


def fixtures():
    """Codecs whose streams know their own size and samples; TIFF puts nothing around them."""
    rgb, rgba = picture(21, 17), picture(21, 17, 4)
    encode = imagecodecs.webp_encode
    yield Fixture("webp_lossless_rgb", WEBP, RGB, encode(rgb, lossless=True), rgb)
    yield Fixture("webp_lossless_rgba", WEBP, RGB, encode(rgba, lossless=True), rgba)
    opaque = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
    yield Fixture("webp_opaque_in_rgba", WEBP, RGB, encode(rgb, lossless=True), opaque)
    for name, image in (("rgb", rgb), ("rgba", rgba)):
        stream = encode(image, level=75)
        pixels = imagecodecs.webp_decode(stream, hasalpha=image.shape[2] == 4)
        yield Fixture(f"webp_lossy_{name}", WEBP, RGB, stream, pixels)

    encode = imagecodecs.jpegxl_encode
    for dtype, samples in (
        ("uint8", 1),
        ("uint8", 2),
        ("uint8", 3),
        ("uint8", 4),
        ("uint16", 3),
    ):
        image = picture(15, 12, samples, dtype)
        color = RGB if samples >= 3 else GREY
        stream = encode(image if samples > 1 else image[..., 0], lossless=True)
        yield Fixture(f"jpegxl_{dtype}_{samples}", JPEGXL, color, stream, image)
    image = picture(15, 12, 5)  # grey and four extra channels, none of them alpha
    stream = encode(np.ascontiguousarray(np.moveaxis(image, 2, 0)), lossless=True, planar=True)
    yield Fixture("jpegxl_extra_channels", JPEGXL, GREY, stream, image)
    for dtype in ("float16", "float32"):
        image = picture(9, 7, 1, dtype)
        yield Fixture(f"jpegxl_{dtype}", JPEGXL, GREY, encode(image[..., 0], lossless=True), image)
    stream = encode(rgb, distance=1.0, usecontainer=True)
    yield Fixture("jpegxl_lossy", JPEGXL, RGB, stream, imagecodecs.jpegxl_decode(stream), tolerance=1)

    encode = imagecodecs.lerc_encode
    for dtype, samples in (
        ("uint8", 3),
        ("int8", 1),
        ("uint16", 2),
        ("int16", 1),
        ("uint32", 1),
        ("float32", 3),
    ):
        image = picture(15, 12, samples, dtype)
        yield Fixture(f"lerc_{dtype}_{samples}", LERC, RGB if samples == 3 else GREY, encode(image), image)
    image = picture(15, 12, 1, "float64")
    stream = encode(image, level=0.01)
    yield Fixture("lerc_lossy", LERC, GREY, stream, imagecodecs.lerc_decode(stream).reshape(image.shape))
    for compression in ("deflate", "zstd"):
        yield Fixture(f"lerc_{compression}", LERC, RGB, encode(rgb, compression=compression), rgb)
    stream = encode(np.ascontiguousarray(np.moveaxis(rgb, 2, 0)), planar=True)
    yield Fixture("lerc_bands", LERC, RGB, stream, rgb)
    mask = np.ones(rgb.shape[:2], bool)
    mask[3:9, 5:14] = False
    yield Fixture("lerc_mask", LERC, RGB, encode(rgb, masks=mask), rgb * mask[..., None])
