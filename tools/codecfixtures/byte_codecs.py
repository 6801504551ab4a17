"""Codecs of bytes: encoded by tifffile, expected pixels the array that went in."""

from __future__ import annotations

import io

import imagecodecs
import numpy as np
import tifffile
from slidemaker.tiff_writer import Directory, tiff_bytes

from .fixture import DEFLATE, DEFLATE_OLD, GREY, LZMA, LZW, NONE, PACKBITS, RGB, YCBCR, ZSTD, Fixture, picture


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


def packed_fixture(
    name: str, encode, compression: int, array: np.ndarray, bits: int, lsb_first: bool = False
) -> Fixture:
    """Samples of `bits` bits, which imagecodecs packs; each row begins with a byte of its own."""
    rows = [imagecodecs.packints_encode(row.ravel(), bits) for row in array]
    for row, expected in zip(rows, array, strict=True):
        decoded = imagecodecs.packints_decode(row, array.dtype, bits, runlen=expected.size)
        assert np.array_equal(decoded.ravel(), expected.ravel()), name
    packed = encode(b"".join(rows))
    if lsb_first:
        packed = imagecodecs.bitorder_encode(packed)
    color = RGB if array.shape[2] == 3 else GREY
    return Fixture(name, compression, color, packed, array, bits=bits, lsb_first=lsb_first)


def stored_fixtures():
    """Samples that memory does not hold as they are stored."""
    for bits, samples, dtype in (
        (1, 1, "uint8"),
        (2, 3, "uint8"),
        (4, 1, "uint8"),
        (5, 3, "uint8"),
        (10, 1, "uint16"),
    ):
        image = picture(13, 7, samples, dtype) >> (8 * np.dtype(dtype).itemsize - bits)
        yield packed_fixture(f"raw_{bits}_bits", bytes, NONE, image, bits)
    image = picture(13, 7, 3, "uint16") >> 4
    yield packed_fixture("deflate_12_bits", imagecodecs.zlib_encode, DEFLATE, image, 12)
    yield packed_fixture("lzw_14_bits", imagecodecs.lzw_encode, LZW, image << 2, 14)
    yield packed_fixture("zstd_18_bits", imagecodecs.zstd_encode, ZSTD, picture(9, 7, 1, "uint32") >> 14, 18)
    bilevel = picture(13, 7, 1) >> 7
    packbits = imagecodecs.packbits_encode
    yield packed_fixture("packbits_1_bit_fill_order_2", packbits, PACKBITS, bilevel, 1, True)
    for dtype, compression in (("float16", DEFLATE), ("float32", LZW), ("float64", ZSTD), ("float32", LZMA)):
        for samples, byteorder in ((1, ">"), (3, "<")):
            image = picture(9, 7, samples, dtype)
            name = f"predicted_{dtype}_{compression}_{samples}"
            yield tiff_fixture(name, compression, image, 3, byteorder)


def ycbcr_fixture(name: str, compression: int, across: int, down: int) -> Fixture:
    """Data units of noise; the expected pixels are libtiff's."""
    width, height = 13, 7
    size = -(-width // across) * -(-height // down) * (across * down + 2)
    units = np.random.default_rng(11).integers(0, 256, size, np.uint8).tobytes()
    packed = imagecodecs.zlib_encode(units) if compression == DEFLATE else units
    tags = {256: width, 257: height, 258: [8, 8, 8], 259: compression, 262: YCBCR, 277: 3, 278: height}
    content = tiff_bytes([Directory(tags | {530: [across, down]}, [packed], tiled=False)])
    pixels = imagecodecs.tiff_decode(content, asrgb=True)[..., :3]
    return Fixture(name, compression, YCBCR, packed, np.ascontiguousarray(pixels), subsampling=(across, down))


def signed_fixture(name: str, bits: int, dtype: str) -> Fixture:
    """Two's complement, packed by imagecodecs as if there were no signs."""
    values = np.random.default_rng(12).integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (7, 13, 1), dtype)
    unsigned = values.astype(dtype.replace("int", "uint")) & (2**bits - 1)
    packed = b"".join(imagecodecs.packints_encode(row.ravel(), bits) for row in unsigned)
    return Fixture(name, NONE, GREY, packed, values, bits=bits)


def float24_fixture(name: str, byteorder: str) -> Fixture:
    """Any 24 bits but those of no number, as imagecodecs understands them."""
    stored = np.random.default_rng(13).integers(0, 256, (7, 13, 1, 3), np.uint8)
    stored[..., 2 if byteorder == "<" else 0] &= 0xBF
    packed = stored.tobytes()
    values = imagecodecs.float24_decode(packed, byteorder=byteorder).reshape(7, 13, 1)
    return Fixture(name, NONE, GREY, packed, values, bits=24, big_endian=byteorder == ">")


def odd_fixtures():
    """What tifffile does not write."""
    for compression in (NONE, DEFLATE):
        for across, down in ((1, 1), (2, 1), (2, 2), (4, 2)):
            yield ycbcr_fixture(f"ycbcr_{across}{down}_{compression}", compression, across, down)
    yield signed_fixture("raw_signed_5_bits", 5, "int8")
    yield signed_fixture("raw_signed_12_bits", 12, "int16")
    yield signed_fixture("raw_signed_20_bits", 20, "int32")
    yield float24_fixture("raw_float24", "<")
    yield float24_fixture("raw_float24_big_endian", ">")


def fixtures():
    yield from plain_fixtures()
    yield from stored_fixtures()
    yield from odd_fixtures()


def plain_fixtures():
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
