"""What makes a TIFF pyramid an Aperio slide: descriptions, thumbnail, label, macro, colour profile."""

import struct

from . import encoders as enc
from .photographs import label, macro
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
    return [
        first,
        thumbnail,
        *others,
        strips(label(), 7, Coding(enc.LZW, predictor=True), {254: 1, 270: f"{BANNER}label 77x93"}),
        strips(macro(overview), 16, jpeg, {254: 9, 270: f"{BANNER}macro 256x86"}),
    ]
