"""Codecs of bytes: encoded by tifffile, expected pixels the array that went in."""

from __future__ import annotations

import io

import numpy as np
import tifffile

from .fixture import DEFLATE, DEFLATE_OLD, GREY, LZMA, LZW, NONE, PACKBITS, RGB, ZSTD, Fixture, picture


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


def fixtures():
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
