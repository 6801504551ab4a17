"""What makes a TIFF pyramid an Aperio slide: descriptions, thumbnail, label, macro, colour profile."""

import struct

import numpy as np

from . import encoders as enc
from .pyramid import Coding, strips

BANNER = "Aperio Image Library v11.2.1 \r\n"


def icc_profile():
    """A minimal ICC profile: a header that says "display, RGB to XYZ" and no tags; the same bytes every time."""
    header = struct.pack(">I4sI4s4s4s12x4s", 132, b"mtom", 0x02400000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    return header.ljust(128, b"\0") + struct.pack(">I", 0)


def aperio(levels, overview, coding_name, *, mpp=0.499, power=20):
    """Directories in file order: level 0, thumbnail, the other levels, label, macro.

    `levels`    tiled directories, largest first; they get their descriptions here.
    `overview`  pixels of the whole slide, small: the thumbnail, and what the macro shows.
    """
    first, *others = levels
    width, height, tile = first.tags[256], first.tags[257], first.tags[322]
    whole = f"{BANNER}{width}x{height} [0,0 {width}x{height}] ({tile}x{tile})"
    facts = f"|AppMag = {power}|StripeWidth = 2040|ScanScope ID = SS0000|Filename = made|MPP = {mpp:.4f}|Left = 25.7"
    first.tags |= {254: 0, 270: f"{whole} {coding_name}{facts}", 34675: icc_profile()}
    for level in others:
        level.tags |= {254: 0, 270: f"{whole} -> {level.tags[256]}x{level.tags[257]} {coding_name}"}

    jpeg = Coding(enc.JPEG, 80, rgb=True)
    small_h, small_w = overview.shape[:2]
    thumbnail = strips(
        overview, 16, jpeg, {254: 0, 270: f"{BANNER}{width}x{height} -> {small_w}x{small_h} - {facts}"}
    )
    label = np.full((93, 77, 3), 252, np.uint8)
    label[20:70:10, 10:60] = 30
    label[75:90, 10:67:4] = (20, 60, 160)
    macro = np.full((86, 256, 3), (212, 214, 216), np.uint8)
    shown = overview[:66, :140]
    macro[10 : 10 + shown.shape[0], 90 : 90 + shown.shape[1]] = shown
    return [
        first,
        thumbnail,
        *others,
        strips(label, 7, Coding(enc.LZW, predictor=True), {254: 1, 270: f"{BANNER}label 77x93"}),
        strips(macro, 16, jpeg, {254: 9, 270: f"{BANNER}macro 256x86"}),
    ]
