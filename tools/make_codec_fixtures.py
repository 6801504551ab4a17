#!/usr/bin/env python3
"""Writes src/microtome/codec/conformance_fixtures.inc: small tiles, and the pixels that others find in them;
and the same tiles as seeds under fuzz/corpus/codec.

Needs numpy, Pillow, tifffile, imagecodecs, and on the path OpenJPEG's opj_compress, for subsampled
components. The encoders are theirs, and so are the expected pixels:

jpeg      encoded by Pillow or imagecodecs, expected pixels by imagecodecs (another build of libjpeg-turbo)
jpeg2000  encoded by imagecodecs or opj_compress; expected pixels by imagecodecs, or for YCbCr from the planes
          that went in (lossless) by exact fractions of BT.601
webp, jpegxl, lerc
          encoded by imagecodecs, lossless ones expected to give what went in, the others what imagecodecs decodes
others    encoded by tifffile, expected pixels the array that went in

Run it again only to add a row: encoders change from version to version, and the bytes in the file stay valid.
"""

from __future__ import annotations

import base64
import io
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "src/microtome/codec/conformance_fixtures.inc"
SEEDS = ROOT / "fuzz/corpus/codec"
JPEG, LZW, DEFLATE, DEFLATE_OLD, NONE = 7, 5, 8, 32946, 1
PACKBITS, LZMA, ZSTD, WEBP, JPEGXL, LERC = 32773, 34925, 50000, 50001, 50002, 34887
APERIO_YCBCR, APERIO_RGB, JPEG2000 = 33003, 33005, 34712
WHITE_IS_ZERO, GREY, RGB, YCBCR = 0, 1, 2, 6
# As kCompressions of fuzz/codec.cc.
SEED_COMPRESSIONS = [JPEG, JPEG2000, APERIO_YCBCR, APERIO_RGB, NONE, DEFLATE, DEFLATE_OLD, LZW]
SEED_COMPRESSIONS += [PACKBITS, ZSTD, LZMA, WEBP, JPEGXL, LERC]
TYPES = {"uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64", "float32": "f32", "int16": "i16"}
TYPES |= {"int8": "i8", "float16": "f16", "float64": "f64"}


@dataclass
class Fixture:
    name: str
    compression: int
    color: int
    packed: bytes
    pixels: np.ndarray  # (height, width, samples)
    tables: bytes = b""
    predictor: int = 1
    big_endian: bool = False
    tolerance: int = 0

    def seed(self) -> bytes | None:
        """The tile as an input of fuzz/codec.cc, with its header; None for what that leaves out."""
        height, width, samples = self.pixels.shape
        types = [
            "uint8",
            "uint16",
            "uint32",
            "float64",
            "float32",
            "float16",
            "int16",
            "int8",
        ]  # as its kTypes
        kind = self.pixels.dtype.newbyteorder("=").name
        if kind not in types:
            return None
        tables, packed = self.tables, self.packed
        if len(tables) > 255:  # its length is one byte: these tables go into the stream
            tables, packed = b"", tables[:-2] + packed[2:]
        compression = SEED_COMPRESSIONS.index(self.compression)
        color = [RGB, YCBCR, GREY].index(self.color)
        flags = 8 * (self.predictor == 2) + 16 * self.big_endian
        header = [
            compression,
            color + 4 * types.index(kind),
            samples - 1 + flags,
            width - 1,
            height - 1,
            0,
            0,
            1,
        ]
        return bytes([*header, len(tables)]) + tables + packed

    def row(self) -> str:
        height, width, samples = self.pixels.shape
        native = np.ascontiguousarray(self.pixels.astype(self.pixels.dtype.newbyteorder("<")))
        kind = TYPES[native.dtype.newbyteorder("=").name]
        texts = [base64.b64encode(data).decode() for data in (self.tables, self.packed, native.tobytes())]
        wrapped = [[text[i : i + 104] for i in range(0, len(text) or 1, 104)] for text in texts]
        data = ",\n ".join("\n  ".join(f'"{line}"' for line in lines) for lines in wrapped)
        return (
            f'{{"{self.name}", Compression{{{self.compression}}}, Color{{{self.color}}}, '
            f"Predictor{{{self.predictor}}}, SampleType::{kind}, {samples}, {str(self.big_endian).lower()}, "
            f"{{{width}, {height}}}, {self.tolerance},\n {data}}},"
        )


def picture(width: int, height: int, samples: int = 3, dtype: str = "uint8") -> np.ndarray:
    """A smooth picture with a hard edge and a little noise: all of it matters to one codec or another."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    planes = [0.5 + 0.4 * np.sin(x / (3 + s) + s) * np.cos(y / (4 + s)) for s in range(samples)]
    image = np.stack(planes, axis=-1)
    image[height // 2 :, width // 3 : width // 2] = np.linspace(0.05, 0.95, samples)
    image += np.random.default_rng(7).normal(0, 0.01, image.shape)
    image = np.clip(image, 0, 1)
    if np.dtype(dtype).kind == "f":
        return image.astype(dtype)
    return (image * np.iinfo(dtype).max).astype(dtype)


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


def jpeg_fixtures():
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


def rounded(value: Fraction) -> int:
    return min(max(int((value + Fraction(1, 2)).__floor__()), 0), 255)


def bt601(y: int, cb: int, cr: int) -> tuple[int, int, int]:
    kr, kb = Fraction(299, 1000), Fraction(114, 1000)
    red = y + 2 * (1 - kr) * (cr - 128)
    blue = y + 2 * (1 - kb) * (cb - 128)
    green = (y - kr * red - kb * blue) / (1 - kr - kb)
    return rounded(red), rounded(green), rounded(blue)


def opj_compress(planes: list[np.ndarray], dx: int, dy: int, width: int, height: int, *options: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        raw, out = Path(folder, "in.raw"), Path(folder, "out.j2k")
        raw.write_bytes(b"".join(plane.tobytes() for plane in planes))
        form = f"{width},{height},3,8,u@1x1:{dx}x{dy}:{dx}x{dy}"
        command = ["opj_compress", "-i", raw, "-o", out, "-F", form, "-n", "3", "-mct", "0", *options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return out.read_bytes()


def jpeg2000_fixtures():
    rgb, grey = picture(21, 17), picture(16, 11, 1, "uint16")
    options = {"level": 0, "reversible": True, "codecformat": "j2k"}
    yield Fixture(
        "jpeg2000_rgb_mct", APERIO_RGB, RGB, imagecodecs.jpeg2k_encode(rgb, mct=True, **options), rgb
    )
    stream = imagecodecs.jpeg2k_encode(rgb, level=0, reversible=True, codecformat="jp2")
    yield Fixture("jpeg2000_jp2", JPEG2000, RGB, stream, rgb)
    stream = imagecodecs.jpeg2k_encode(rgb, level=35, reversible=False, codecformat="j2k")
    yield Fixture("jpeg2000_lossy", APERIO_RGB, RGB, stream, imagecodecs.jpeg2k_decode(stream), tolerance=1)
    yield Fixture(
        "jpeg2000_grey_u16", JPEG2000, GREY, imagecodecs.jpeg2k_encode(grey[..., 0], **options), grey
    )
    width, height = 20, 14  # even: opj_compress cuts the last odd column and row of subsampled raw input
    y = picture(width, height, 1)[..., 0]
    for name, dx, dy in (("444", 1, 1), ("422", 2, 1), ("420", 2, 2)):
        chroma = picture(-(-width // dx), -(-height // dy), 2)
        cb, cr = chroma[..., 0], chroma[..., 1]
        stream = opj_compress([y, cb, cr], dx, dy, width, height)
        full = [plane.repeat(dy, axis=0).repeat(dx, axis=1).ravel().tolist() for plane in (cb, cr)]
        values = [bt601(*pixel) for pixel in zip(y.ravel().tolist(), *full, strict=True)]
        pixels = np.array(values, np.uint8).reshape(height, width, 3)
        yield Fixture(f"jpeg2000_ycbcr_{name}", APERIO_YCBCR, RGB, stream, pixels)
    yield Fixture("jpeg2000_34712_ycbcr_420", JPEG2000, YCBCR, stream, pixels)


def tiff_fixture(
    name: str, compression: int, array: np.ndarray, predictor: int = 1, byteorder: str = "<"
) -> Fixture:
    """One strip, as tifffile writes it."""
    names = {NONE: None, LZW: "lzw", DEFLATE: "zlib", DEFLATE_OLD: "deflate"}
    names |= {PACKBITS: "packbits", LZMA: "lzma", ZSTD: "zstd"}
    color = RGB if array.shape[2] == 3 else GREY
    file = io.BytesIO()
    tifffile.imwrite(
        file,
        array if array.shape[2] > 1 else array[..., 0],
        byteorder=byteorder,
        compression=names[compression],
        predictor=predictor if predictor != 1 else None,
        photometric="rgb" if color == RGB else "minisblack",
        planarconfig="contig" if array.shape[2] > 1 else None,
        rowsperstrip=array.shape[0],
        metadata=None,
    )
    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        page = tiff.pages[0]
        assert (page.compression, page.predictor, len(page.dataoffsets)) == (compression, predictor, 1), name
        assert np.array_equal(page.asarray().reshape(array.shape), array), name
        at, size = page.dataoffsets[0], page.databytecounts[0]
        packed = file.getvalue()[at : at + size]
    return Fixture(name, compression, color, packed, array, predictor=predictor, big_endian=byteorder == ">")


def byte_fixtures():
    yield tiff_fixture("raw_rgb", NONE, picture(7, 5))
    yield tiff_fixture("raw_u16_big_endian", NONE, picture(7, 5, 1, "uint16"), byteorder=">")
    yield tiff_fixture("raw_f32", NONE, picture(5, 4, 1, "float32"))
    yield tiff_fixture("raw_five_samples", NONE, picture(6, 3, 5))
    yield tiff_fixture("deflate_rgb", DEFLATE, picture(13, 7))
    yield tiff_fixture("deflate_rgb_predictor", DEFLATE, picture(13, 7), 2)
    yield tiff_fixture("deflate_old", DEFLATE_OLD, picture(9, 7, 1))
    yield tiff_fixture("deflate_u16_predictor_big_endian", DEFLATE, picture(9, 5, 3, "uint16"), 2, ">")
    yield tiff_fixture("deflate_u32_predictor", DEFLATE, picture(9, 5, 1, "uint32"), 2)
    yield tiff_fixture("deflate_u64_predictor", DEFLATE, picture(6, 3, 1, "uint64"), 2)
    yield tiff_fixture("lzw_rgb", LZW, picture(13, 7))
    yield tiff_fixture("lzw_rgb_predictor", LZW, picture(13, 7), 2)
    yield tiff_fixture("lzw_wide_codes", LZW, picture(36, 29, 1))
    yield tiff_fixture("lzw_i16_predictor_big_endian", LZW, picture(9, 5, 1, "int16"), 2, ">")
    flat = picture(13, 7)
    flat[2:5, 3:] = 9
    yield tiff_fixture("packbits_rgb", PACKBITS, flat)
    yield tiff_fixture("packbits_u16_big_endian", PACKBITS, picture(9, 5, 1, "uint16"), byteorder=">")
    yield tiff_fixture("zstd_rgb", ZSTD, picture(13, 7))
    yield tiff_fixture("zstd_flat", ZSTD, np.full((40, 40, 3), 243, np.uint8))
    yield tiff_fixture("zstd_u16_predictor", ZSTD, picture(9, 5, 3, "uint16"), 2)
    yield tiff_fixture("lzma_rgb", LZMA, picture(13, 7))
    yield tiff_fixture("lzma_u32_predictor_big_endian", LZMA, picture(9, 5, 1, "uint32"), 2, ">")


def picture_fixtures():
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


def main() -> int:
    fixtures = [*jpeg_fixtures(), *jpeg2000_fixtures(), *byte_fixtures(), *picture_fixtures()]
    head = (
        "// Written by tools/make_codec_fixtures.py, which says who encoded and decoded each row.\n"
        "// clang-format off\n"
    )
    OUTPUT.write_text(head + "\n".join(fixture.row() for fixture in fixtures) + "\n")
    SEEDS.mkdir(parents=True, exist_ok=True)
    for fixture in fixtures:
        if (seed := fixture.seed()) is not None:
            (SEEDS / fixture.name).write_bytes(seed)
    print(f"{len(fixtures)} fixtures, {OUTPUT.stat().st_size} bytes: {OUTPUT}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
