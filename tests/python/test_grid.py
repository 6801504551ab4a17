"""grid: patches that join, at every level, everywhere or on tissue."""

from fractions import Fraction

import microtome as mt
import numpy as np
import pytest
from reference import random_levels, write_pyramid


def test_row_by_row(slide):
    assert mt.grid(slide, (512, 256)).tolist() == [[x, y] for y in (0, 256, 512) for x in (0, 512)]
    found = mt.grid(slide, (512, 256), level=1)
    assert found.dtype == np.int64
    assert found.shape == (2, 2)
    assert found.tolist() == [[0, 0], [0, 512]]


def test_stride(slide):
    assert mt.grid(slide, (512, 384), (256, 384)).tolist() == [
        [x, y] for y in (0, 384) for x in (0, 256, 512, 768)
    ]


def test_edge(slide):
    assert len(mt.grid(slide, (300, 300))) == 4 * 3
    assert len(mt.grid(slide, (300, 300), edge="pad")) == 4 * 3
    assert len(mt.grid(slide, (300, 300), edge="drop")) == 3 * 2
    assert mt.grid(slide, (1024, 768), edge="drop").tolist() == [[0, 0]]
    assert mt.grid(slide, (1025, 768), edge="drop").shape == (0, 2)


@pytest.mark.parametrize("resolution", [{"level": 1}, {"mpp": 0.5}, {"downsample": 2}])
def test_resolution(resolution, slide):
    assert mt.grid(slide, (256, 256), **resolution).tolist() == [[0, 0], [512, 0], [0, 512], [512, 512]]


@pytest.mark.parametrize("edge", ["pad", "drop"])
@pytest.mark.parametrize("stride", [None, (17, 23)])
def test_patches_join_where_ratios_are_not_whole(edge, stride, tmp_path):
    sizes = [(1001, 803), (333, 268), (77, 61)]
    levels = [random_levels(size, 1, seed=i)[0] for i, size in enumerate(sizes)]
    path = tmp_path / "odd.tif"
    write_pyramid(path, levels, tile=(64, 64))
    slide = mt.open(path)
    assert [level.size for level in slide.levels] == sizes
    size = (31, 29)
    step = stride or size
    for index, level in enumerate(levels):
        w, h = sizes[index]
        count = [
            len(range(0, n if edge == "pad" else n - s + 1, d))
            for n, s, d in zip((w, h), size, step, strict=True)
        ]
        locations = mt.grid(slide, size, stride, level=index, edge=edge)
        assert len(locations) == count[0] * count[1]
        for batch in mt.Loader(slide, locations, size, level=index, fill=0):
            for row, at in enumerate(batch.indices):
                x, y = at % count[0] * step[0], at // count[0] * step[1]
                expected = np.zeros((size[1], size[0], 3), np.uint8)
                inside = level[y : y + size[1], x : x + size[0]]
                expected[: inside.shape[0], : inside.shape[1]] = inside
                np.testing.assert_array_equal(batch.pixels[row], expected)


def share_of_tissue(mask, x, y, size, extent):
    """Tissue in a patch at (x, y) as a fraction of its area, straight from the definition."""
    rows, columns = mask.shape
    total = Fraction(0)
    for i in range(rows):
        top, bottom = Fraction(i * extent[1], rows), Fraction((i + 1) * extent[1], rows)
        high = min(bottom, y + size[1]) - max(top, y)
        for j in range(columns):
            left, right = Fraction(j * extent[0], columns), Fraction((j + 1) * extent[0], columns)
            wide = min(right, x + size[0]) - max(left, x)
            if mask[i, j] and high > 0 and wide > 0:
                total += high * wide
    return total / (size[0] * size[1])


@pytest.mark.parametrize("min_tissue", [None, 0.0, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("mask_shape", [(6, 8), (7, 5), (1, 1)])
def test_tissue(min_tissue, mask_shape, slide):
    mask = np.random.default_rng(mask_shape[0]).random(mask_shape) < 0.6
    size, stride = (150, 100), (110, 90)
    found = mt.grid(slide, size, stride, mask=mask, min_tissue=min_tissue)
    expected = []
    for x, y in mt.grid(slide, size, stride).tolist():
        share = share_of_tissue(mask, x, y, size, slide.size)
        if share > 0 if min_tissue is None else share >= min_tissue:
            expected.append([x, y])
    assert found.tolist() == expected


def test_a_mask_may_be_of_any_scale_and_of_bytes(slide):
    small = np.zeros((3, 4), np.uint8)
    small[1, 2] = 1
    for mask in (small, small * 255, small.astype(bool), np.kron(small, np.ones((64, 64), np.uint8))):
        for level in (0, 1, 2):
            size = (256 >> level, 256 >> level)
            assert mt.grid(slide, size, level=level, mask=mask, min_tissue=1).tolist() == [[512, 256]]
    assert mt.grid(slide, (256, 256), mask=small * 0).shape == (0, 2)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"edge": "wrap"}, ValueError, "edge = 'wrap', expected 'pad' or 'drop'"),
        ({"stride": (0, 5)}, ValueError, r"stride = \(0, 5\)"),
        ({"stride": 5}, TypeError, "stride = 5"),
        ({"min_tissue": 0.5}, ValueError, "without a mask"),
        ({"mask": np.ones((3, 4), bool), "min_tissue": 1.5}, ValueError, "min_tissue = 1.5"),
        ({"mask": np.ones((3, 4), bool), "min_tissue": float("nan")}, ValueError, "min_tissue = nan"),
        ({"mask": np.ones((3, 4), float)}, ValueError, "float64, expected"),
        ({"mask": np.ones((3, 4, 1), bool)}, ValueError, r"shape \(3, 4, 1\)"),
        ({"mask": np.ones((0, 4), bool)}, ValueError, r"shape \(0, 4\)"),
        ({"level": 9}, IndexError, "level 9"),
        ({"overlap": 9}, TypeError, "overlap"),
    ],
)
def test_bad_arguments(options, error, text, slide):
    with pytest.raises(error, match=text):
        mt.grid(slide, (10, 10), **options)
