"""Everything that tifffile can write: codec × sample type × predictor × byte order × tiles or strips × contiguous or
planar samples. Lossless codecs must give what was written, lossy ones what tifffile reads.

The last test compares what all of them found with the table in docs/formats.md.
"""

from __future__ import annotations

import collections
import io
import itertools

import documented
import microtome as mt
import numpy as np
import pytest
import tifffile
from pages import difference, hwc

W, H = 45, 37  # no multiples of the tile, nor of the strip
TILE, ROWS_PER_STRIP = (16, 32), 10
TYPES = [
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "float32",
    "float64",
]
PREDICTORS = {1: "none", 2: "horizontal", 3: "floating-point"}

# The name in the table → arguments of tifffile's, the largest difference to tifffile's pixels, and whether what was
# written comes back.
BYTE_CODECS = {
    "none": {},
    "PackBits": {"compression": "packbits"},
    "LZW": {"compression": "lzw"},
    "deflate": {"compression": "zlib"},
    "deflate (32946)": {"compression": "deflate"},
    "LZMA": {"compression": "lzma", "compressionargs": {"level": 0}},
    "Zstandard": {"compression": "zstd"},
}
OTHERS = {
    "JPEG": ({"compression": "jpeg"}, 0, False),
    "JPEG 2000, reversible": (
        {"compression": "jpeg2000", "compressionargs": {"reversible": True, "level": 0}},
        0,
        True,
    ),
    "JPEG 2000, irreversible": ({"compression": "jpeg2000", "compressionargs": {"level": 50}}, 1, False),
    "WebP, lossless": ({"compression": "webp", "compressionargs": {"lossless": True}}, 0, True),
    "WebP, lossy": ({"compression": "webp", "compressionargs": {"level": 80}}, 0, False),
    "JPEG XL, lossless": (
        {"compression": "jpegxl", "compressionargs": {"lossless": True, "effort": 7}},
        0,
        True,
    ),
    "JPEG XL, lossy": ({"compression": "jpegxl", "compressionargs": {"distance": 1.0}}, 2, False),
    "LERC": ({"compression": "lerc"}, 0, True),
    "LERC and deflate": ({"compression": "lerc", "compressionargs": {"compression": "deflate"}}, 0, True),
    "LERC and Zstandard": ({"compression": "lerc", "compressionargs": {"compression": "zstd"}}, 0, True),
}

# What tifffile writes and Microtome refuses → what the message holds.
REFUSED = {("JPEG", "uint16"): "12-bit JPEG is not supported"}

# What was equal, by codec, predictor and sample type: to what was written, or else to tifffile's pixels alone; and the
# files of each codec.
EQUAL = collections.defaultdict(lambda: collections.defaultdict(dict))
FILES = collections.Counter()


def picture(dtype, channels):
    y, x = np.mgrid[0:H, 0:W] / W
    image = np.stack([np.sin(3 * x + c) * np.cos(4 * y) for c in range(channels)], axis=-1) / 2
    image += np.random.default_rng(1).normal(0, 0.02, image.shape)
    if np.dtype(dtype).kind == "f":
        return image.astype(dtype)
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    return np.clip(low / 2 + high / 2 + image * (float(high) - low), low, high / 2 * 1.9).astype(dtype)


def write(image, planar, tiled, byteorder, arguments):
    """The file's bytes, or None where tifffile cannot write it."""
    channels = image.shape[2]
    stored = (
        np.ascontiguousarray(np.moveaxis(image, 2, 0)) if planar else image if channels > 1 else image[..., 0]
    )
    file = io.BytesIO()
    try:
        tifffile.imwrite(
            file,
            stored,
            byteorder=byteorder,
            photometric="rgb" if channels == 3 else "minisblack",
            planarconfig="separate" if planar else "contig" if channels > 1 else None,
            tile=TILE if tiled else None,
            rowsperstrip=None if tiled else ROWS_PER_STRIP,
            metadata=None,
            **arguments,
        )
        return file.getvalue()
    except Exception:  # of whatever library it uses
        return None


def check(name, dtype, predictor, arguments, within, exact):
    """Every layout of one codec, sample type and predictor; notes what was equal."""
    for planar, tiled, byteorder, channels in itertools.product((False, True), (False, True), "<>", (1, 3)):
        if planar and channels == 1:
            continue
        image = picture(dtype, channels)
        content = write(image, planar, tiled, byteorder, arguments)
        if content is None:
            continue
        what = f"{name} {dtype} predictor {predictor} {byteorder} planar={planar} tiled={tiled} ×{channels}"
        with tifffile.TiffFile(io.BytesIO(content)) as file:
            page = file.pages[0]
            assert page.is_tiled == tiled and page.predictor == predictor, what
            try:
                theirs = hwc(page.asarray(), page)
            except Exception:  # it wrote what it cannot read
                continue
        with mt.open(content) as slide:
            if (name, dtype) in REFUSED:
                with pytest.raises(mt.UnsupportedError, match=REFUSED[name, dtype]):
                    slide.read_level(0)
                continue
            ours = slide.read_level(0)
        assert ours.dtype == theirs.dtype and ours.shape == theirs.shape, what
        assert difference(ours, theirs) <= within, what
        # tifffile hands some encoders big-endian arrays as if they were of the machine's order.
        same = bool(np.array_equal(ours, image)) or byteorder == ">"
        assert same or not exact or not np.array_equal(theirs, image), what
        EQUAL[name][predictor][dtype] = EQUAL[name][predictor].get(dtype, exact) and same
        FILES[name] += 1


@pytest.mark.parametrize("predictor", PREDICTORS)
@pytest.mark.parametrize("name", BYTE_CODECS)
def test_byte_codecs(name, predictor):
    if name == "none" and predictor != 1:
        return  # nothing to predict
    for dtype in TYPES:
        if predictor == 3 and not dtype.startswith("float"):
            continue  # tifffile writes this for integers of 64 bits; there is no such predictor
        arguments = dict(BYTE_CODECS[name])
        if predictor != 1:
            arguments["predictor"] = predictor
        check(name, dtype, predictor, arguments, 0, True)
    assert EQUAL[name][predictor] and all(EQUAL[name][predictor].values())


@pytest.mark.parametrize("name", OTHERS)
def test_other_codecs(name):
    arguments, within, exact = OTHERS[name]
    for dtype in TYPES:
        # The encoder of JPEG XL drops the smallest values of float16.
        check(name, dtype, 1, arguments, within, exact and (name, dtype) != ("JPEG XL, lossless", "float16"))
    assert EQUAL[name][1]["uint8" if "LERC" not in name else "float32"] == exact


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"compression": "png"}, "compression 34933 tiles are not supported"),
        ({"compression": "jpegxr"}, "JPEG XR tiles are not supported"),
    ],
)
def test_what_is_left_is_refused_by_name(arguments, reason):
    content = write(picture("uint8", 3), False, True, "<", arguments)
    with pytest.raises(mt.UnsupportedError, match=reason):
        mt.open(content).read_level(0)


def rows():
    """One for the sample types of a codec that have the same predictors and the same result."""
    for name in [*BYTE_CODECS, *OTHERS]:
        grouped = collections.defaultdict(list)
        for dtype in TYPES:
            found = {
                PREDICTORS[p]: types[dtype] for p, types in sorted(EQUAL[name].items()) if dtype in types
            }
            if found:
                grouped[tuple(found), all(found.values())].append(dtype)
        within = OTHERS[name][1] if name in OTHERS else 0
        for (predictors, exact), types in grouped.items():
            result = (
                "what was written" if exact else "tifffile's pixels" + (f", within {within}" * (within > 0))
            )
            yield name, ", ".join(types), ", ".join(predictors), result


def test_the_table_is_up_to_date(request):
    alone = len(request.session.items) < len(PREDICTORS) * len(BYTE_CODECS) + len(OTHERS)
    if alone and set(FILES) != {*BYTE_CODECS, *OTHERS}:
        pytest.skip("not all codecs were asked for")
    text = (
        f"{sum(FILES.values())} files that tifffile writes, of 1 and 3 channels, in both byte orders, tiles and "
        "strips, contiguous and planar, as far as it can write them.\n\n"
        + documented.table(("coding", "samples", "predictors", "equal to"), rows())
    )
    print(text)
    documented.check("written", text)
