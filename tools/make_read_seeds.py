#!/usr/bin/env python3
"""Writes fuzz/corpus/read: small TIFFs, one for each way in which a slide's pixels can lie in a file.

Needs numpy, tifffile and imagecodecs. Run it again only to add a file.
"""

import io
from pathlib import Path

import numpy as np
import tifffile
from slidemaker.tiff_writer import Directory, tiff_bytes

FOLDER = Path(__file__).resolve().parent.parent / "fuzz" / "corpus" / "read"
W, H = 20, 14


def picture(channels, dtype="uint8"):
    y, x, c = np.mgrid[0:H, 0:W, 0:channels]
    return (x * 9 + y * 5 + c * 40).astype(dtype)


def page(image, planar=False, **options):
    """One page as tifffile writes it."""
    file = io.BytesIO()
    channels = image.shape[2]
    stored = (
        np.ascontiguousarray(np.moveaxis(image, 2, 0)) if planar else image if channels > 1 else image[..., 0]
    )
    options.setdefault("photometric", "rgb" if channels > 2 else "minisblack")
    config = ("separate" if planar else "contig") if channels > 1 else None
    tifffile.imwrite(file, stored, planarconfig=config, metadata=None, **options)
    return file.getvalue()


def pyramids():
    """Two images of two levels, one with SubIFDs, and a mask."""
    file = io.BytesIO()
    with tifffile.TiffWriter(file, bigtiff=True, byteorder=">") as writer:
        writer.write(picture(3), tile=(16, 16), photometric="rgb", subifds=1, metadata=None)
        writer.write(picture(3)[::2, ::2], tile=(16, 16), photometric="rgb", subfiletype=1, metadata=None)
        writer.write(picture(1)[..., 0], rowsperstrip=5, metadata=None)
        writer.write(picture(1)[::2, ::2, 0], rowsperstrip=5, subfiletype=1, metadata=None)
        writer.write(picture(1)[..., 0] > 99, photometric="mask", subfiletype=4, metadata=None)
    return file.getvalue()


def ycbcr(across, down):
    size = -(-W // across) * -(-H // down) * (across * down + 2)
    tags = {256: W, 257: H, 258: [8, 8, 8], 259: 1, 262: 6, 277: 3, 278: H, 530: [across, down]}
    return tiff_bytes([Directory(tags, [bytes(range(200)) * (size // 200 + 1)], tiled=False)])


def seeds():
    for codec in ("packbits", "lzw", "zlib", "zstd", "lzma", "lerc", "webp", "jpegxl", "jpeg", "jpeg2000"):
        yield f"tiles_{codec}", page(picture(3), compression=codec, tile=(16, 16))
    yield "strips", page(picture(3), rowsperstrip=4, compression="zlib", predictor=2)
    yield "planar_strips", page(picture(3, "uint16"), True, rowsperstrip=4, byteorder=">")
    yield (
        "planar_tiles",
        page(picture(4), True, tile=(16, 16), compression="lzw", extrasamples=["unassalpha"]),
    )
    yield "alpha", page(picture(4), rowsperstrip=5, extrasamples=["assocalpha"])
    yield (
        "palette",
        page(picture(1), photometric="palette", colormap=np.arange(768, dtype="u2").reshape(3, 256)),
    )
    yield "bits", page(picture(1) > 70, photometric="miniswhite")
    yield "twelve_bits", page(picture(1, "uint16"), bitspersample=12)
    yield "floats", page(picture(1, "float32"), compression="zlib", predictor=3)
    yield "ycbcr", ycbcr(2, 2)
    yield "pyramids", pyramids()


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in seeds():
        (FOLDER / name).write_bytes(content)
        print(f"{len(content):6} {name}")
