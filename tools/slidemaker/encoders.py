"""Tiles of pixels to bytes, one function per way of encoding that the made slides use."""

import io
import shutil
import subprocess
import tempfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import imagecodecs
import numpy as np

NONE, LZW, JPEG, DEFLATE, DEFLATE_OLD = 1, 5, 7, 8, 32946
APERIO_J2K_YCBCR, APERIO_J2K_RGB, JPEG2000 = 33003, 33005, 34712


def jpeg(pixels, quality, subsampling="444", *, rgb=False):
    """A whole JPEG stream. `rgb` keeps the components red, green and blue; otherwise they become YCbCr."""
    if pixels.ndim == 2:
        return imagecodecs.jpeg8_encode(pixels, level=quality)
    out = "RGB" if rgb else "YCBCR"
    return imagecodecs.jpeg8_encode(
        pixels, level=quality, colorspace="RGB", outcolorspace=out, subsampling="444" if rgb else subsampling
    )


def jpeg_by_pillow(pixels, quality, **options):
    """A whole YCbCr JPEG stream with what only Pillow's writer offers: restart markers, progressive scans."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling="4:2:0", **options)
    return buffer.getvalue()


def split_tables(stream):
    """(tables, abbreviated stream): what TIFF keeps in JPEGTables, and the rest (Adobe Technical Note 2).

    JFIF and Adobe markers are left out, as slide writers do: TIFF's own tags say what the colours are.
    """
    at, tables, rest = 2, b"", b""
    while True:
        marker, length = stream[at + 1], int.from_bytes(stream[at + 2 : at + 4], "big")
        segment = stream[at : at + 2 + length]
        if marker in (0xDB, 0xC4):
            tables += segment
        elif marker == 0xDA:
            return b"\xff\xd8" + tables + b"\xff\xd9", b"\xff\xd8" + rest + stream[at:]
        elif marker not in (0xE0, 0xEE):
            rest += segment
        at += 2 + length


def abbreviate(streams):
    """(shared tables, abbreviated streams) of JPEG streams that were all made with the same settings."""
    pairs = [split_tables(stream) for stream in streams]
    tables = {pair[0] for pair in pairs}
    if len(tables) != 1:
        raise ValueError(
            f"{len(tables)} different sets of JPEG tables among {len(pairs)} tiles; expected one"
        )
    return tables.pop(), [pair[1] for pair in pairs]


def jpeg2000_rgb(pixels, psnr):
    """A bare codestream of RGB: irreversible 9/7 with the multi-component transform, or reversible if psnr is None."""
    return imagecodecs.jpeg2k_encode(
        pixels, level=psnr or 0, codecformat="J2K", reversible=psnr is None, mct=True, resolutions=6
    )


def to_ycbcr(pixels):
    """(y, cb, cr) planes as float64: ITU-R BT.601, full range."""
    r, g, b = (pixels[..., channel].astype(np.float64) for channel in range(3))
    y = 0.299 * r + 0.587 * g + 0.114 * b
    return y, 128 + (b - y) / 1.772, 128 + (r - y) / 1.402


def rounded(plane):
    return np.clip(np.floor(plane + 0.5), 0, 255).astype(np.uint8)


def jpeg2000_ycbcr422(tiles, psnr):
    """Bare codestreams of YCbCr with chroma of half width inside, as Aperio's 33003 has them.

    imagecodecs cannot encode components of different sizes; OpenJPEG's command can (Debian: libopenjp2-tools). It
    takes a folder of raw files of one size at a time, so that a slide costs few processes.
    """
    program = shutil.which("opj_compress")
    if program is None:
        raise RuntimeError("opj_compress is missing; Debian has it in libopenjp2-tools")
    height, width = tiles[0].shape[:2]
    layout = f"{width},{height},3,8,u@1x1:2x1:2x1"

    def encode(chunk):
        with tempfile.TemporaryDirectory() as folder:
            for index, pixels in enumerate(chunk):
                y, cb, cr = to_ycbcr(pixels)
                half = [(plane[:, 0::2] + plane[:, 1::2]) / 2 for plane in (cb, cr)]
                raw = b"".join(rounded(plane).tobytes() for plane in (y, *half))
                Path(folder, f"{index:04}.raw").write_bytes(raw)
            command = [
                program,
                "-ImgDir",
                folder,
                "-OutFor",
                "j2k",
                "-F",
                layout,
                "-I",
                "-mct",
                "0",
                "-q",
                f"{psnr:.2f}",
            ]
            done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
            results = [Path(folder, f"{index:04}.j2k") for index in range(len(chunk))]
            if done.returncode != 0 or not all(result.exists() for result in results):
                raise RuntimeError(
                    f"opj_compress ended with {done.returncode}: {done.stderr.strip() or done.stdout[-500:]}"
                )
            return [result.read_bytes() for result in results]

    with ThreadPoolExecutor(2) as pool:
        chunks = [tiles[start : start + 32] for start in range(0, len(tiles), 32)]
        return [stream for part in pool.map(encode, chunks) for stream in part]


def horizontal_predictor(pixels):
    """TIFF predictor 2: each sample less the one of the same channel to its left, modulo its type's range."""
    result = pixels.copy()
    result[:, 1:] -= pixels[:, :-1]
    return result


def raw(pixels, compression, *, predictor=False, big_endian=False):
    """Samples as TIFF stores them, through a byte codec: none, LZW or deflate."""
    pixels = horizontal_predictor(pixels) if predictor else pixels
    data = pixels.astype(pixels.dtype.newbyteorder(">" if big_endian else "<")).tobytes()
    if compression == LZW:
        return imagecodecs.lzw_encode(data)
    return zlib.compress(data, 6) if compression in (DEFLATE, DEFLATE_OLD) else data
