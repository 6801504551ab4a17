"""Every codec on tiled TIFFs that tifffile writes: the pixels that went in, or what tifffile finds in the file."""

import microtome as mt
import numpy as np
import pytest
import tifffile

SIZE = (100, 70)  # w, h: neither a multiple of the tile
TILE = (32, 48)  # h, w

BYTE_CODECS = ["none", "packbits", "lzw", "zlib", "zstd", "lzma"]
INTEGERS = ["uint8", "uint16", "uint32", "int8", "int16", "int32"]
FLOATS = ["float16", "float32", "float64"]


def picture(dtype, channels, seed=0):
    """(H, W, C) array that compresses a little: a gradient, a flat square and noise."""
    w, h = SIZE
    y, x = np.mgrid[0:h, 0:w] / max(SIZE)
    planes = [np.sin(3 * x + c) * np.cos(4 * y) for c in range(channels)]
    image = np.stack(planes, axis=-1) / 2
    image += np.random.default_rng(seed).normal(0, 0.02, image.shape)
    image[20:50, 30:60] = 0.25
    if np.dtype(dtype).kind == "f":
        return image.astype(dtype)
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    return np.clip(low / 2 + high / 2 + image * (float(high) - low), low, high).astype(dtype)


def write(path, image, compression, *, planar=False, tile=TILE, **options):
    """Writes `image` as a page in tiles, or in strips where `tile` is None; `planar` keeps its channels apart."""
    channels = image.shape[2]
    stored = np.moveaxis(image, 2, 0) if planar else image if channels > 1 else image[..., 0]
    tifffile.imwrite(
        path,
        np.ascontiguousarray(stored),
        compression=None if compression == "none" else compression,
        photometric="rgb" if channels in (3, 4) else "minisblack",
        planarconfig="separate" if planar else "contig" if channels > 1 else None,
        extrasamples=["unassalpha"]
        if channels == 4
        else ["unspecified"] * (channels - 1) * (channels not in (1, 3)),
        tile=tile,
        metadata=None,
        **options,
    )


def check(path, image, exact=True, within=0):
    """Level 0, whole and in part, is within `within` of what tifffile reads; and where `exact`, what was written."""
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        theirs = (
            np.moveaxis(page.asarray(), 0, 2)
            if page.planarconfig == 2
            else page.asarray().reshape(image.shape)
        )
    with mt.open(path) as slide:
        assert slide.dtype == image.dtype.newbyteorder("=")
        ours = slide.read_level(0)
        part = slide.read((41, 23), (37, 29))
    if theirs.dtype != bool:  # as tifffile has it where a sample is one bit; uint8 here
        assert ours.dtype == theirs.dtype.newbyteorder("=")
    assert np.abs(ours.astype(np.float64) - theirs.astype(np.float64)).max() <= within
    if exact:
        np.testing.assert_array_equal(ours, image)
    np.testing.assert_array_equal(part, ours[23 : 23 + 29, 41 : 41 + 37])


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("dtype", INTEGERS + FLOATS)
@pytest.mark.parametrize("codec", BYTE_CODECS)
def test_byte_codecs(tmp_path, codec, dtype, byteorder):
    for channels in (1, 2, 3, 4, 5):
        image = picture(dtype, channels)
        write(tmp_path / "a.tif", image, codec, byteorder=byteorder)
        check(tmp_path / "a.tif", image)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("codec", [codec for codec in BYTE_CODECS if codec != "none"])
def test_horizontal_predictor(tmp_path, codec, dtype, byteorder):
    for channels in (1, 2, 3, 4, 5):
        image = picture(dtype, channels)
        write(tmp_path / "a.tif", image, codec, byteorder=byteorder, predictor=2)
        check(tmp_path / "a.tif", image)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("codec", [codec for codec in BYTE_CODECS if codec != "none"])
def test_floating_point_predictor(tmp_path, codec, dtype, byteorder):
    for channels in (1, 2, 3, 4, 5):
        image = picture(dtype, channels)
        write(tmp_path / "a.tif", image, codec, byteorder=byteorder, predictor=3)
        check(tmp_path / "a.tif", image)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("bits", [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 17, 20, 31])
def test_packed_samples(tmp_path, bits, byteorder):
    dtype = "uint8" if bits <= 8 else "uint16" if bits <= 16 else "uint32"
    for channels in (1, 3, 4):
        image = picture(dtype, channels) >> (8 * np.dtype(dtype).itemsize - bits)
        written = image.astype(bool) if bits == 1 else image
        write(tmp_path / "a.tif", written, "none", byteorder=byteorder, bitspersample=bits)
        # tifffile packs arrays of the other byte order as if they were of this one, and bits of several channels in
        # another order than it unpacks them.
        check(tmp_path / "a.tif", image, exact=channels == 1 if bits == 1 else byteorder == "<" or bits <= 8)


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("arguments", [{"lossless": True}, {"level": 80}], ids=["lossless", "lossy"])
def test_webp(tmp_path, channels, arguments):
    image = picture("uint8", channels)
    write(tmp_path / "a.tif", image, "webp", compressionargs=arguments)
    check(tmp_path / "a.tif", image, exact="lossless" in arguments)


def test_webp_leaves_out_an_opaque_alpha(tmp_path):
    image = picture("uint8", 4)
    image[..., 3] = 255
    write(tmp_path / "a.tif", image, "webp", compressionargs={"lossless": True})
    check(tmp_path / "a.tif", image)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16", "float32"])
def test_jpegxl(tmp_path, dtype, channels):
    image = picture(dtype, channels)
    # With less effort libjxl 0.12 fails to encode some floating-point tiles.
    write(tmp_path / "a.tif", image, "jpegxl", compressionargs={"lossless": True, "effort": 7})
    check(tmp_path / "a.tif", image, exact=dtype != "float16")  # whose smallest values the encoder drops


@pytest.mark.parametrize("code", ["JPEGXL", "JPEGXL_DNG"])
@pytest.mark.parametrize("channels", [1, 3])
def test_lossy_jpegxl_is_within_2_of_another_version(tmp_path, channels, code):
    image = picture("uint8", channels)
    write(tmp_path / "a.tif", image, code, compressionargs={"distance": 1.0})
    check(tmp_path / "a.tif", image, exact=False, within=2)


@pytest.mark.parametrize("packing", [None, "deflate", "zstd"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("dtype", [*INTEGERS, "float32", "float64"])
def test_lerc(tmp_path, dtype, channels, packing):
    image = picture(dtype, channels)
    write(tmp_path / "a.tif", image, "lerc", compressionargs={"compression": packing})
    check(tmp_path / "a.tif", image)


def test_lossy_lerc(tmp_path):
    image = picture("float32", 3)
    write(tmp_path / "a.tif", image, "lerc", compressionargs={"level": 0.01})
    check(tmp_path / "a.tif", image, exact=False)


@pytest.mark.parametrize("tile", [TILE, None], ids=["tiles", "strips"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32", "float64"])
@pytest.mark.parametrize("codec", [*BYTE_CODECS, "lerc"])
def test_planar_samples(tmp_path, codec, dtype, tile):
    for channels, byteorder in ((3, "<"), (5, ">")):
        image = picture(dtype, channels)
        order = "<" if codec == "lerc" else byteorder
        write(tmp_path / "a.tif", image, codec, planar=True, tile=tile, byteorder=order, rowsperstrip=16)
        check(tmp_path / "a.tif", image)


@pytest.mark.parametrize("codec", ["packbits", "lzw", "zlib", "zstd", "lzma"])
@pytest.mark.parametrize(("dtype", "predictor"), [("uint8", 2), ("uint16", 2), ("float32", 3)])
def test_planar_samples_with_predictor(tmp_path, codec, dtype, predictor):
    image = picture(dtype, 3)
    write(tmp_path / "a.tif", image, codec, planar=True, predictor=predictor)
    check(tmp_path / "a.tif", image)


@pytest.mark.parametrize("codec", ["jpeg", "jpeg2000", "jpegxl"])
def test_planar_samples_of_lossy_codecs(tmp_path, codec):
    write(tmp_path / "a.tif", picture("uint8", 3), codec, planar=True)
    check(tmp_path / "a.tif", picture("uint8", 3), exact=False, within=0 if codec == "jpeg" else 1)
