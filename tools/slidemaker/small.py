"""The small test slides: a table, one row per slide, each there for what its name says."""

import numpy as np

from . import encoders as enc
from .aperio import aperio
from .pyramid import Coding, tiled
from .texture import Picture, halve
from .tiff_writer import write_tiff

RESOLUTION = {282: (20040, 1), 283: (20040, 1), 296: 3}  # 20040 pixels per cm: 0.499 µm per pixel


def levels_of(picture, count, factor):
    """Pixels of `count` levels, each `factor` times smaller than the one before."""
    levels = [picture.region(0, 0, *picture.size)]
    for _ in range(count - 1):
        levels.append(halve(levels[-1], factor))
    return levels


def make_aperio(coding, tile, coding_name):
    def make(path, picture):
        pixels = levels_of(picture(1100, 830, tile), 2, 4)
        levels = [tiled(level, tile, coding) for level in pixels]
        write_tiff(path, aperio(levels, pixels[-1], coding_name))

    return make


def make_generic(
    coding, *, tile=128, size=(603, 437), count=3, change=lambda pixels: pixels, sub=False, absent=(), **file
):
    """A pyramid of halved levels. `change` makes other samples of RGB, `sub` puts the smaller levels into SubIFDs,
    `absent` names tiles of level 0 that are left out, `file` goes to write_tiff."""

    def make(path, picture):
        pixels = [change(level) for level in levels_of(picture(*size, tile), count, 2)]
        first, *others = [
            tiled(
                level,
                tile,
                coding,
                {254: int(index > 0)} | (RESOLUTION if index == 0 else {}),
                absent if index == 0 else (),
            )
            for index, level in enumerate(pixels)
        ]
        if sub:
            first.children, others = others, []
        write_tiff(path, [first, *others], **file)

    return make


def grey(pixels):
    return np.ascontiguousarray(pixels[..., 1])


def grey16(pixels):
    """16-bit grey with something in the low byte too."""
    return pixels[..., 1].astype(np.uint16) * 257 ^ pixels[..., 0] // 3


def rgba(pixels):
    """RGB with an alpha that is 255 on tissue and falls to 0 on glass."""
    alpha = np.clip((250 - pixels[..., 1].astype(np.int64)) * 12, 0, 255).astype(np.uint8)
    return np.dstack([pixels, alpha])


DEFLATE = Coding(enc.DEFLATE)
JPEG_420 = Coding(enc.JPEG, 85, "420")
RESTART = Coding(enc.JPEG, 85, "420", pillow=(("restart_marker_blocks", 5),))
PROGRESSIVE = Coding(enc.JPEG, 85, "420", pillow=(("progressive", True),))

# name: (extension, what writes it)
SMALL = {
    "aperio-jpeg-rgb": ("svs", make_aperio(Coding(enc.JPEG, 85, rgb=True), 240, "JPEG/RGB Q=85")),
    "aperio-jpeg-420": ("svs", make_aperio(JPEG_420, 256, "JPEG/YCC Q=85")),
    "aperio-jpeg-422": ("svs", make_aperio(Coding(enc.JPEG, 85, "422"), 240, "JPEG/YCC Q=85")),
    "aperio-j2k-33003": ("svs", make_aperio(Coding(enc.APERIO_J2K_YCBCR, 38), 240, "J2K/YUV16 Q=70")),
    "aperio-j2k-33005": ("svs", make_aperio(Coding(enc.APERIO_J2K_RGB, 36), 240, "J2K/KDU Q=70")),
    "generic-none": ("tif", make_generic(Coding(enc.NONE))),
    "generic-deflate": ("tif", make_generic(DEFLATE)),
    "generic-deflate-predictor": ("tif", make_generic(Coding(enc.DEFLATE, predictor=True))),
    "generic-deflate-old": ("tif", make_generic(Coding(enc.DEFLATE_OLD))),
    "generic-lzw": ("tif", make_generic(Coding(enc.LZW))),
    "generic-lzw-predictor": ("tif", make_generic(Coding(enc.LZW, predictor=True))),
    "generic-jpeg-grey": ("tif", make_generic(Coding(enc.JPEG, 85), change=grey)),
    "generic-jpeg-420": ("tif", make_generic(JPEG_420)),
    "generic-jpeg-422": ("tif", make_generic(Coding(enc.JPEG, 85, "422"))),
    "generic-jpeg-440": ("tif", make_generic(Coding(enc.JPEG, 85, "440"))),
    "generic-jpeg-444": ("tif", make_generic(Coding(enc.JPEG, 85, "444"))),
    "generic-jpeg-restart": ("tif", make_generic(RESTART)),
    "generic-jpeg-progressive": ("tif", make_generic(PROGRESSIVE)),
    "generic-j2k-34712": ("tif", make_generic(Coding(enc.JPEG2000))),
    "generic-j2k-34712-lossy": ("tif", make_generic(Coding(enc.JPEG2000, 36))),
    "generic-bigtiff": ("tif", make_generic(DEFLATE, big=True)),
    "generic-bigendian": ("tif", make_generic(DEFLATE, order="big")),
    "generic-bigtiff-bigendian": ("tif", make_generic(JPEG_420, big=True, order="big")),
    "generic-subifd": ("tif", make_generic(JPEG_420, sub=True)),
    "generic-subifd-bigtiff": ("tif", make_generic(DEFLATE, sub=True, big=True, count=2)),
    "generic-sparse": ("tif", make_generic(JPEG_420, absent=(0, 3, 7, 19))),
    "generic-sparse-all": ("tif", make_generic(DEFLATE, absent=range(20), count=2)),
    "generic-smaller-than-tile": ("tif", make_generic(JPEG_420, size=(77, 45), count=2)),
    "generic-exact-tiles": ("tif", make_generic(DEFLATE, size=(512, 256), count=2)),
    "generic-one-over": ("tif", make_generic(JPEG_420, size=(513, 257), count=2)),
    "generic-thin": ("tif", make_generic(DEFLATE, size=(4, 700), count=3)),
    "generic-one-pixel": ("tif", make_generic(DEFLATE, size=(1, 1), count=1, tile=16)),
    "generic-uint16": ("tif", make_generic(DEFLATE, change=grey16)),
    "generic-uint16-predictor": ("tif", make_generic(Coding(enc.LZW, predictor=True), change=grey16)),
    "generic-bigendian-uint16": (
        "tif",
        make_generic(Coding(enc.DEFLATE, predictor=True, big_endian=True), change=grey16, order="big"),
    ),
    "generic-rgba": ("tif", make_generic(Coding(enc.DEFLATE, predictor=True), change=rgba)),
}


def make_small(name, path, seed, texture=None):
    """Writes the small slide `name`; returns what is worth reporting about it (nothing, here)."""
    write = SMALL[name][1]
    write(path, lambda w, h, tile: Picture((w, h), tile, seed, blank_tiles=0.2, texture=texture))
    return {}
