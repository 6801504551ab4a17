"""JPEG 2000: encoded by imagecodecs or opj_compress. Expected: what went in, or (lossy) what imagecodecs decodes,
or for YCbCr exact fractions of BT.601 from the planes that went in."""

from __future__ import annotations

import subprocess
import tempfile
from fractions import Fraction
from pathlib import Path

import imagecodecs
import numpy as np

from .fixture import APERIO_RGB, APERIO_YCBCR, GREY, JPEG2000, RGB, YCBCR, Fixture, picture


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
        raw.write_bytes(b"".join(plane.astype(plane.dtype.newbyteorder(">")).tobytes() for plane in planes))
        bits, sign = 8 * planes[0].itemsize, "s" if planes[0].dtype.kind == "i" else "u"
        form = f"{width},{height},{len(planes)},{bits},{sign}@1x1" + f":{dx}x{dy}" * (len(planes) - 1)
        command = ["opj_compress", "-i", raw, "-o", out, "-F", form, "-n", "3", "-mct", "0", *options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return out.read_bytes()


def box(name: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + name + content


def jp2(codestream: bytes, width: int, height: int, components: int, boxes: bytes) -> bytes:
    """A JP2 file (ITU-T T.800 annex I) of 8-bit components with `boxes` in its header."""
    sizes = height.to_bytes(4, "big") + width.to_bytes(4, "big") + components.to_bytes(2, "big")
    header = box(b"ihdr", sizes + bytes([7, 7, 0, 0])) + box(b"colr", bytes([1, 0, 0, 0, 0, 0, 16])) + boxes
    signature = box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
    return signature + box(b"jp2h", header) + box(b"jp2c", codestream)


def channel_fixtures():
    """Files whose boxes say what the channels are."""
    width, height = 15, 11
    random = np.random.default_rng(4)
    colors = random.integers(0, 256, (6, 3), np.uint8)
    index = random.integers(0, 6, (height, width), np.uint8)
    palette = box(b"pclr", (6).to_bytes(2, "big") + bytes([3, 7, 7, 7]) + colors.tobytes())
    mapping = box(b"cmap", b"".join(bytes([0, 0, 1, column]) for column in range(3)))
    stream = jp2(opj_compress([index], 1, 1, width, height), width, height, 1, palette + mapping)
    assert np.array_equal(imagecodecs.jpeg2k_decode(stream), colors[index])
    yield Fixture("jpeg2000_palette", JPEG2000, RGB, stream, colors[index])

    image = picture(width, height, 4)
    stored = [image[..., channel] for channel in (2, 1, 0, 3)]  # blue, green, red, alpha
    numbers = [(4,), (0, 0, 3), (1, 0, 2), (2, 0, 1), (3, 1, 0)]
    channels = box(b"cdef", b"".join(n.to_bytes(2, "big") for number in numbers for n in number))
    stream = jp2(opj_compress(stored, 1, 1, width, height), width, height, 4, channels)
    assert np.array_equal(imagecodecs.jpeg2k_decode(stream), image)
    yield Fixture("jpeg2000_channels_in_another_order", JPEG2000, RGB, stream, image)


def structure_fixtures():
    """What a codestream can do besides being one tile of one layer."""
    width, height = 24, 20
    image = picture(width, height)
    planes = [image[..., channel] for channel in range(3)]
    options = {
        "tiles_in_a_tile": ("-t", "16,16", "-T", "0,0"),
        "tile_parts": ("-t", "12,12", "-TP", "R", "-PLT", "-TLM"),
        "precincts": ("-c", "[16,16],[8,8]", "-SOP", "-EPH"),
        "layers": ("-r", "20,5,1"),
        "rlcp": ("-p", "RLCP", "-r", "4,1"),
        "rpcl": ("-p", "RPCL", "-c", "[16,16]"),
        "pcrl": ("-p", "PCRL", "-c", "[16,16]"),
        "cprl": ("-p", "CPRL", "-c", "[16,16]"),
        "poc": ("-r", "4,1", "-POC", "T0=0,0,2,2,3,RLCP/T0=2,0,2,3,3,CPRL"),
        "code_block_modes": ("-M", "63"),
        "region_of_interest": ("-ROI", "c=0,U=4"),
    }
    for name, words in options.items():
        stream = opj_compress(planes, 1, 1, width, height, "-b", "16,16", *words)
        decoded = imagecodecs.jpeg2k_decode(stream)
        assert np.array_equal(decoded, image), name
        yield Fixture(f"jpeg2000_{name}", JPEG2000, RGB, stream, image)
    image = picture(15, 11, 1, "int16")
    stream = opj_compress([image[..., 0]], 1, 1, 15, 11)
    yield Fixture("jpeg2000_i16", JPEG2000, GREY, stream, image)
    stream = imagecodecs.jpeg2k_encode(picture(15, 11, 1, "uint16")[..., 0] >> 4, level=0, bitspersample=12)
    yield Fixture("jpeg2000_12_bits_in_u16", JPEG2000, GREY, stream, picture(15, 11, 1, "uint16") >> 4)


def fixtures():
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
    yield from channel_fixtures()
    yield from structure_fixtures()
