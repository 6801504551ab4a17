"""Thumbnails: exact area averages, whatever the levels."""

from fractions import Fraction

import microtome as mt
import numpy as np
import pytest
from microtome import _thumbnail
from PIL import Image
from reference import random_levels, reference_levels, write_pyramid


def write(tmp_path, levels, **options):
    path = tmp_path / "thumbnail.tif"
    write_pyramid(path, levels, **options)
    return mt.open(path)


@pytest.mark.parametrize("factor", [2, 3, 5, 8])
def test_integer_factors_are_pillows_reduce(factor, tmp_path):
    levels = random_levels((120 * factor, 75 * factor), 1)
    found = write(tmp_path, levels).thumbnail(120)
    # Pillow divides by multiplying with a truncated reciprocal, which is exact for powers of two only.
    expected = np.asarray(Image.fromarray(levels[0]).reduce(factor))
    np.testing.assert_allclose(found, expected, rtol=0, atol=int(factor in (3, 5)))


def exact_average(pixels, target):
    """The area average in rational arithmetic, straight from its definition."""
    (h, w, channels), (tw, th) = pixels.shape, target
    out = np.zeros((th, tw, channels), np.int64)

    def shares(source, goal, i):
        begin, end = Fraction(i * source, goal), Fraction((i + 1) * source, goal)
        for p in range(int(begin), min(source, -(-(i + 1) * source // goal))):
            yield p, min(end, p + 1) - max(begin, p)

    for i in range(th):
        for j in range(tw):
            for c in range(channels):
                total = sum(
                    int(pixels[y, x, c]) * sy * sx for y, sy in shares(h, th, i) for x, sx in shares(w, tw, j)
                )
                out[i, j, c] = int(total / (Fraction(h, th) * Fraction(w, tw)) + Fraction(1, 2))
    return out


@pytest.mark.parametrize("band_bytes", [1, 5000, 64 << 20])
@pytest.mark.parametrize(("size", "longest"), [((53, 37), 20), ((37, 53), 11), ((53, 37), 52), ((40, 3), 7)])
def test_other_factors_are_exact(size, longest, band_bytes, tmp_path, monkeypatch):
    monkeypatch.setattr(_thumbnail, "BAND_BYTES", band_bytes)
    levels = random_levels(size, 1)
    found = write(tmp_path, levels, tile=(16, 16)).thumbnail(longest)
    assert max(found.shape[:2]) == longest
    np.testing.assert_array_equal(found, exact_average(levels[0], found.shape[1::-1]))


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_other_samples(dtype, tmp_path):
    levels = random_levels((300, 210), 1, channels=1, dtype=dtype)
    found = write(tmp_path, levels).thumbnail(100)
    mean = levels[0].astype(np.float64).reshape(70, 3, 100, 3).mean((1, 3))
    assert found.dtype == dtype
    expected = np.floor(mean + 0.5) if dtype == np.uint16 else mean
    np.testing.assert_allclose(found[..., 0], expected, rtol=1e-6)


def test_the_smallest_level_that_is_large_enough_is_read(slide, pyramid):
    # Levels are unrelated noise, so the pixels tell which one was read.
    np.testing.assert_array_equal(slide.thumbnail(256), pyramid.levels[2])
    reduced = np.asarray(Image.fromarray(pyramid.levels[2]).reduce(2))
    np.testing.assert_array_equal(slide.thumbnail(128), reduced)
    np.testing.assert_array_equal(slide.thumbnail(512), pyramid.levels[1])
    assert slide.thumbnail(257).shape == (193, 257, 3)


def test_it_never_enlarges(slide, pyramid):
    for size in (1024, 1025, 10**9):
        np.testing.assert_array_equal(slide.thumbnail(size), pyramid.levels[0])


@pytest.mark.parametrize("name", ["generic-thin", "generic-one-pixel", "generic-smaller-than-tile"])
@pytest.mark.parametrize("size", [1, 2, 100])
def test_odd_shapes(name, size, made_slide):
    slide = mt.open(made_slide(name))
    found = slide.thumbnail(size)
    assert max(found.shape[:2]) == min(size, max(slide.size))
    assert min(found.shape[:2]) >= 1
    if size == 1:
        level = reference_levels(made_slide(name))[-1].astype(np.float64)
        np.testing.assert_allclose(found[0, 0], level.mean((0, 1)), atol=0.5001)


def test_fill_workers_and_on_error(broken_path, made_slide):
    sparse = mt.open(made_slide("generic-sparse-all"))
    assert (sparse.thumbnail(400, fill=(9, 8, 7)) == (9, 8, 7)).all()
    slide = mt.open(broken_path)
    with pytest.raises(mt.CorruptSlideError):
        slide.thumbnail(1000)
    assert slide.thumbnail(1000, on_error="fill", workers=1).shape == (750, 1000, 3)
    assert len(slide.last_errors) == 1
    with pytest.raises(ValueError, match="workers = 0"):
        slide.thumbnail(1000, workers=0)


@pytest.mark.parametrize(
    ("size", "error"), [(0, ValueError), (-5, ValueError), (1.5, TypeError), ((10, 10), TypeError)]
)
def test_bad_sizes(size, error, slide):
    with pytest.raises(error, match="size"):
        slide.thumbnail(size)
