"""Every JPEG 2000 file of ../shared/slides that another build of OpenJPEG decodes (imagecodecs), as a TIFF strip."""

import os
from pathlib import Path

import imagecodecs
import microtome as mt
import numpy as np
import pytest
import tifffile

ROOT = (
    Path(os.environ.get("MICROTOME_SLIDES") or Path(__file__).parents[3] / "shared" / "slides") / "jpeg2000"
)
FILES = sorted(path for path in ROOT.glob("*/*") if path.suffix not in (".pgx", ".jpg"))
LARGEST = 20_000_000  # bytes of pixels

# Streams that the library decodes all the same; name → what we say.
REFUSED = {
    "htj2k/ds1_ht_06_b11.j2k": "A malformed codeblock",
    "openjpeg-nonregression/file409752.jp2": "Stream does not end with EOC",
    "openjpeg-nonregression/issue726.j2k": "codestream tile 1 of 97 is missing",
    "openjpeg-nonregression/issue818.jp2": "Ignoring ihdr box",
}
# imagecodecs converts their YCbCr, because a box says so or their chroma is subsampled; for us TIFF must say so.
YCBCR = {
    "openjpeg-nonregression/issue411-ycc444.jp2",
    "openjpeg-nonregression/merged.jp2",
    "svs-like/ycbcr_420.j2k",
    "svs-like/ycbcr_422.j2k",
}
# Read here, and not by imagecodecs.
OURS_ALONE = {"conformance/p0_10.j2k"}  # whose components are subsampled, as imagecodecs does not support
NOT_COMPARED = {
    "conformance/file8.jp2": "imagecodecs converts grey by an ICC profile",
    "grok/mono_icc.jp2": "imagecodecs converts grey by an ICC profile",
    "openjpeg-nonregression/text_GBR.jp2": "imagecodecs converts colors by an ICC profile",
    "grok/sycc_420_odd_origin_x_coord.jp2": "imagecodecs fails to convert it",
    "openjpeg-nonregression/issue142.j2k": "imagecodecs converts 10-bit YCbCr, which we do not",
    "openjpeg-nonregression/mem-b2b86b74-2753.jp2": "damaged: imagecodecs and opj_decompress differ too",
}


def wrap(path, stream, shape, dtype, photometric):
    """Writes a TIFF whose only strip, of `shape` (H, W, C), is `stream`."""
    tifffile.imwrite(
        path,
        iter([stream]),
        shape=shape if shape[2] > 1 else shape[:2],
        dtype=dtype,
        compression=34712,
        photometric=photometric if shape[2] in (3, 4) else "minisblack",
        subsampling=(1, 1) if photometric == "ycbcr" else None,
        planarconfig="contig" if shape[2] > 1 else None,
        extrasamples=["unspecified"] * (shape[2] - (3 if shape[2] in (3, 4) else 1)),
        rowsperstrip=shape[0],
        metadata=None,
    )


def is_reversible(stream):
    """Whether all components are 5/3 (ISO/IEC 15444-1, A.6.1 and A.6.2): equal to the last bit then."""
    at = stream.find(b"\xff\x4f\xff\x51") + 2
    found = []
    many = False
    while 2 <= at < len(stream) - 16 and stream[at : at + 2] != b"\xff\x90":  # SOT
        if stream[at : at + 2] == b"\xff\x51":  # SIZ
            many = stream[at + 38] or stream[at + 39] > 256
        elif stream[at : at + 2] == b"\xff\x52":  # COD
            found.append(stream[at + 13])
        elif stream[at : at + 2] == b"\xff\x53":  # COC
            found.append(stream[at + 10 + bool(many)])
        at += 2 + int.from_bytes(stream[at + 2 : at + 4])
    return bool(found) and all(transform == 1 for transform in found)


@pytest.mark.skipif(not FILES, reason=f"no files in {ROOT}; set MICROTOME_SLIDES")
def test_equal_to_openjpeg(tmp_path, record_property):
    compared, reversible, wrong = 0, 0, []
    for path in FILES:
        stream = path.read_bytes()
        name = f"{path.parent.name}/{path.name}"
        try:
            theirs = imagecodecs.jpeg2k_decode(stream)
        except (RuntimeError, ValueError, MemoryError, NotImplementedError):
            theirs = None
        if theirs is not None and theirs.nbytes > LARGEST:
            continue
        shape = (16, 16, 3) if theirs is None else theirs.reshape(*theirs.shape[:2], -1).shape
        dtype = "uint8" if theirs is None else theirs.dtype
        wrap(tmp_path / "a.tif", stream, shape, dtype, "ycbcr" if name in YCBCR else "rgb")
        with mt.open(tmp_path / "a.tif") as slide:
            try:
                ours = slide.read_level(0)
            except mt.Error as error:
                expected = REFUSED.get(name, "nothing")
                if theirs is not None and name not in NOT_COMPARED and expected not in str(error):
                    wrong.append(f"{name}: {error}")
                continue
        if theirs is None:
            if name not in OURS_ALONE:
                wrong.append(f"{name}: is read")
            continue
        if name in NOT_COMPARED:
            continue
        compared += 1
        exact = is_reversible(stream) and name not in YCBCR
        reversible += exact
        theirs = theirs.reshape(shape)
        if name in REFUSED:
            wrong.append(f"{name}: is not refused")
        elif (worst := (np.maximum(ours, theirs) - np.minimum(ours, theirs)).max()) > (not exact):
            wrong.append(f"{name}: {shape} off by {worst}")
    print(f"{compared} of {len(FILES)} files compared, {reversible} of them reversible")
    record_property("files compared", compared)
    assert not wrong, "\n".join(wrong)
    assert compared >= 100 and reversible >= 40
