"""A tile, who says what is in it, and how it is written down."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import numpy as np

JPEG, LZW, DEFLATE, DEFLATE_OLD, NONE = 7, 5, 8, 32946, 1
PACKBITS, LZMA, ZSTD, WEBP, JPEGXL, LERC = 32773, 34925, 50000, 50001, 50002, 34887
APERIO_YCBCR, APERIO_RGB, JPEG2000 = 33003, 33005, 34712
WHITE_IS_ZERO, GREY, RGB, YCBCR = 0, 1, 2, 6
# As kCompressions of fuzz/codec.cc.
SEED_COMPRESSIONS = [JPEG, JPEG2000, APERIO_YCBCR, APERIO_RGB, NONE, DEFLATE, DEFLATE_OLD, LZW]
SEED_COMPRESSIONS += [PACKBITS, ZSTD, LZMA, WEBP, JPEGXL, LERC]
TYPES = {"uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64", "float32": "f32", "int16": "i16"}
TYPES |= {"int32": "i32", "int8": "i8", "float16": "f16", "float64": "f64"}


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
    bits: int = 0  # as stored, where samples are packed
    lsb_first: bool = False
    subsampling: tuple[int, int] = (1, 1)  # of YCbCr whose codec knows nothing of it

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
        flags = (
            8 * (self.predictor == 2)
            + 16 * self.big_endian
            + 32 * self.lsb_first
            + 64 * (self.predictor == 3)
        )
        missing_bits = 8 * self.pixels.dtype.itemsize - self.bits if self.bits else 0
        header = [
            compression,
            color + 4 * types.index(kind),
            samples - 1 + flags,
            width - 1,
            height - 1,
            *(factor.bit_length() - 1 for factor in self.subsampling),
            1 + 4 * missing_bits,
        ]
        return bytes([*header, len(tables)]) + tables + packed

    def row(self) -> str:
        height, width, samples = self.pixels.shape
        native = np.ascontiguousarray(self.pixels.astype(self.pixels.dtype.newbyteorder("<")))
        kind = TYPES[native.dtype.newbyteorder("=").name]
        texts = [base64.b64encode(data).decode() for data in (self.tables, self.packed, native.tobytes())]
        wrapped = [[text[i : i + 104] for i in range(0, len(text) or 1, 104)] for text in texts]
        data = ",\n ".join("\n  ".join(f'"{line}"' for line in lines) for lines in wrapped)
        sampling = "" if self.subsampling == (1, 1) else ", {}, {}".format(*self.subsampling)
        return (
            f'{{"{self.name}", Compression{{{self.compression}}}, Color{{{self.color}}}, '
            f"Predictor{{{self.predictor}}}, SampleType::{kind}, {samples}, {self.bits}, "
            f"{str(self.big_endian).lower()}, {str(self.lsb_first).lower()}, "
            f"{{{width}, {height}}}, {self.tolerance},\n {data}{sampling}}},"
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
