"""YCbCr that no codec converts, against libtiff (in imagecodecs), which OpenSlide and Pillow read with."""

import zlib

import imagecodecs
import microtome as mt
import numpy as np
import pytest
from slidemaker.tiff_writer import Directory, tiff_bytes

W, H = 53, 37


def units(ycc, across, down):
    """Rows of pixels as TIFF's data units: the luma of `across` × `down` pixels, their mean Cb and Cr."""
    h, w, _ = ycc.shape
    padded = np.pad(ycc, ((0, -h % down), (0, -w % across), (0, 0)), mode="edge")
    blocks = padded.reshape(padded.shape[0] // down, down, padded.shape[1] // across, across, 3).swapaxes(
        1, 2
    )
    luma = blocks[..., 0].reshape(*blocks.shape[:2], -1)
    chroma = blocks[..., 1:].mean(axis=(2, 3)).round().astype(np.uint8)
    return np.concatenate([luma, chroma], axis=2).astype(np.uint8).tobytes()


def file(subsampling=None, *, rows_per_strip=16, compress=False, tile=None, more=None, seed=1):
    """(content, subsampling) of a picture of noise in strips, or in tiles of `tile` (h, w)."""
    across, down = subsampling or (2, 2)
    ycc = np.random.default_rng(seed).integers(0, 256, (H, W, 3), np.uint8)
    if tile:
        th, tw = tile
        padded = np.pad(ycc, ((0, -H % th), (0, -W % tw), (0, 0)))
        parts = [
            padded[y : y + th, x : x + tw]
            for y in range(0, len(padded), th)
            for x in range(0, padded.shape[1], tw)
        ]
        layout = {322: tw, 323: th}
    else:
        parts = [ycc[y : y + rows_per_strip] for y in range(0, H, rows_per_strip)]
        layout = {278: rows_per_strip}
    stored = [units(part, across, down) for part in parts]
    tags = {
        256: W,
        257: H,
        258: [8, 8, 8],
        259: 8 if compress else 1,
        262: 6,
        277: 3,
        **layout,
        **(more or {}),
    }
    if subsampling:
        tags[530] = list(subsampling)
    segments = [zlib.compress(part) for part in stored] if compress else stored
    return tiff_bytes([Directory(tags, segments, tiled=tile is not None)])


def check(content):
    theirs = imagecodecs.tiff_decode(content, asrgb=True)[..., :3]
    with mt.open(content) as slide:
        ours = slide.read_level(0)
        assert slide.photometric == "RGB"
        np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_array_equal(slide.read((11, 7), (29, 23)), theirs[7:30, 11:40])


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("subsampling", [(1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (4, 2), (4, 4), None])
def test_strips(subsampling, compress):
    check(file(subsampling, compress=compress))


@pytest.mark.parametrize("subsampling", [(1, 1), (2, 1), (2, 2), (4, 2)])
def test_tiles(subsampling):
    check(file(subsampling, tile=(16, 32)))


@pytest.mark.parametrize(
    "reference",
    [
        [16, 235, 128, 240, 128, 240],
        [0, 255, 128, 255, 128, 255],
        [15, 235, 128, 240, 128, 240],
        [30, 200, 120, 220, 140, 250],
    ],
)
def test_reference_black_and_white(reference):
    check(file((2, 1), more={532: tuple(part for value in reference for part in (value, 1))}))


def test_coefficients():
    luma = (2126, 10000, 7152, 10000, 722, 10000)  # of BT.709
    content = file((1, 1), more={529: luma})
    check(content)
    assert not np.array_equal(mt.open(content).read_level(0), mt.open(file((1, 1))).read_level(0))


def test_predictor_and_planar_without_subsampling():
    ycc = np.random.default_rng(2).integers(0, 256, (H, W, 3), np.uint8)
    tags = {
        256: W,
        257: H,
        258: [8, 8, 8],
        262: 6,
        277: 3,
        278: H,
        530: [1, 1],
    }

    def strip(*segments, **more):
        names = {"compression": 259, "predictor": 317, "planar": 284}
        return tiff_bytes([Directory(tags | {names[k]: v for k, v in more.items()}, segments, tiled=False)])

    plain = strip(ycc.tobytes(), compression=1)
    expected = imagecodecs.tiff_decode(plain, asrgb=True)[..., :3]
    differences = np.diff(ycc, axis=1, prepend=np.uint8(0))
    predicted = strip(zlib.compress(differences.tobytes()), compression=8, predictor=2)
    planar = strip(*(np.ascontiguousarray(ycc[..., c]).tobytes() for c in range(3)), compression=1, planar=2)
    for content in (plain, predicted, planar):
        np.testing.assert_array_equal(mt.open(content).read_level(0), expected)


def test_what_is_left_says_why():
    with pytest.raises(mt.CorruptSlideError, match=r"YCbCrSubSampling \(tag 530\), expected two factors"):
        mt.open(file(None, more={530: 2}))
    with pytest.raises(mt.CorruptSlideError, match="YCbCrCoefficients .* of 2 values, expected 3"):
        mt.open(file((1, 1), more={529: (1, 3, 1, 3)}))
    with pytest.raises(mt.UnsupportedError, match="YCbCrSubSampling 8, 1, expected 1, 2 or 4"):
        mt.open(file(None, more={530: [8, 1]})).read_level(0)
