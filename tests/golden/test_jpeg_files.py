"""Every JPEG file of ../shared/slides, as a TIFF strip: what libjpeg-turbo (imagecodecs) makes of it, or refused."""

import os
import struct
from pathlib import Path

import imagecodecs
import microtome as mt
import numpy as np
import pytest
import tifffile
from pages import hwc

ROOT = Path(os.environ.get("MICROTOME_SLIDES") or Path(__file__).parents[3] / "shared" / "slides") / "jpeg"
FILES = sorted(path for path in ROOT.glob("*/*") if path.is_file())

# What the library decodes and we do not: name → what we say. Its warnings are our errors; this machine's version has no
# lossless JPEG.
REFUSED = {
    "pillow/truncated_app14.jpg": "1 extraneous bytes before marker 0xdb",
    "pillow/truncated_jpeg.jpg": "no end-of-image marker",
    "twelvemonkeys/f-18.jpg": "SOF type 0xc3",
    "twelvemonkeys/gradient_ls.jpg": "samples of uint16",
    "twelvemonkeys/testimg_rgb.jpg": "SOF type 0xc3",
    "wuffs/peacock.default.truncated.jpeg": "premature end of data segment",
}


def frame(stream):
    """(marker, bits, height, width, components, Adobe's transform or None) of the first frame; None: no JPEG."""
    at, transform = 2, None
    while stream[:2] == b"\xff\xd8" and at + 4 <= len(stream):
        if stream[at] != 0xFF:
            at += 1
            continue
        marker = stream[at + 1]
        if marker in (0x00, 0xFF) or 0xD0 <= marker <= 0xD9:
            at += 1
            continue
        (length,) = struct.unpack(">H", stream[at + 2 : at + 4])
        body = stream[at + 4 : at + 2 + length]
        if marker == 0xEE and body[:5] == b"Adobe" and len(body) >= 12:
            transform = body[11]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) and len(body) >= 6:
            bits, height, width, components = struct.unpack(">BHHB", body[:6])
            return marker, bits, height, width, components, transform
        at += 2 + length
    return None


def wrap(path, stream, found):
    _, bits, height, width, components, transform = found
    rgb = transform == 0
    tifffile.imwrite(
        path,
        iter([stream]),
        shape=(height, width, components) if components > 1 else (height, width),
        dtype="uint8" if bits <= 8 else "uint16",
        bitspersample=bits if bits != 8 else None,
        compression=7,
        photometric={3: "rgb" if rgb else "ycbcr", 4: "separated"}.get(components, "minisblack"),
        planarconfig="contig" if components > 1 else None,
        rowsperstrip=height,
        metadata=None,
    )


@pytest.mark.skipif(not FILES, reason=f"no files in {ROOT}; set MICROTOME_SLIDES")
def test_equal_to_libjpeg_turbo(tmp_path, record_property):
    compared, refused, wrong = 0, 0, []
    for path in FILES:
        name = f"{path.parent.name}/{path.name}"
        stream = path.read_bytes()
        found = frame(stream)
        if found is None or 0 in found[2:5]:
            continue
        wrap(tmp_path / "a.tif", stream, found)
        try:
            if found[-1] == 2:  # tifffile follows the stream's marker, which TIFF's photometric overrules
                theirs = imagecodecs.jpeg8_decode(stream, colorspace="CMYK", outcolorspace="CMYK")
            else:
                with tifffile.TiffFile(tmp_path / "a.tif") as file:
                    theirs = hwc(file.pages[0].asarray(), file.pages[0])
        except Exception:  # damaged, or of a kind that the library does not know
            theirs = None
        try:
            with mt.open(tmp_path / "a.tif") as slide:
                ours = slide.read_level(0)
        except mt.Error as error:
            refused += 1
            if theirs is not None and REFUSED.get(name, "nothing") not in str(error):
                wrong.append(f"{name}: {error}")
            continue
        if theirs is None:
            wrong.append(f"{name}: the library refuses it")
            continue
        compared += 1
        if name in REFUSED or not np.array_equal(ours, theirs):
            wrong.append(f"{name}: {ours.shape}, {'is not refused' if name in REFUSED else 'differs'}")
    print(f"{compared} of {len(FILES)} files compared, {refused} refused")
    record_property("files compared", compared)
    assert not wrong, "\n".join(wrong)
    assert compared >= 10
