"""level=, mpp=, downsample= and power=: which level is read."""

import microtome as mt
import numpy as np
import pytest
from reference import random_levels, reference_levels, write_pyramid


@pytest.mark.parametrize(
    ("resolution", "level"),
    [
        ({}, 0),
        ({"level": 1}, 1),
        ({"level": np.int64(2)}, 2),
        ({"mpp": 0.25}, 0),
        ({"mpp": 0.4951}, 1),
        ({"mpp": 0.5049}, 1),
        ({"mpp": 1}, 2),
        ({"downsample": 1}, 0),
        ({"downsample": 1.9802}, 1),
        ({"downsample": np.float32(4.03)}, 2),
    ],
)
def test_what_each_means(resolution, level, slide, pyramid):
    found = slide.read((64, 32), (50, 40), **resolution)
    scale = 2**level
    x, y = 64 // scale, 32 // scale
    np.testing.assert_array_equal(found, pyramid.levels[level][y : y + 40, x : x + 50])
    (batch,) = mt.Loader(slide, [(64, 32)], (50, 40), **resolution)
    np.testing.assert_array_equal(batch.pixels[0], found)


def test_power(made_slide):
    slide = mt.open(made_slide("aperio-jpeg-rgb"))
    levels = reference_levels(made_slide("aperio-jpeg-rgb"))
    assert len(levels) == 2
    for index, level in enumerate(levels):
        power = slide.objective_power / slide.levels[index].downsample[0]
        np.testing.assert_array_equal(slide.read((0, 0), (40, 40), power=power), level[:40, :40])


def test_between_levels_says_what_there_is(slide):
    for name, value in [("mpp", 0.4949), ("downsample", 2.03)]:
        with pytest.raises(mt.UnsupportedError) as raised:
            slide.read((0, 0), (10, 10), **{name: value})
        for part in (f"{name}={value}", "resampling", "nearest is level 1", "within 1 %", "slide.tif"):
            assert part in str(raised.value)


def test_what_the_slide_does_not_say(slide, tmp_path):
    with pytest.raises(mt.UnsupportedError, match="objective power"):
        slide.read((0, 0), (10, 10), power=20)
    path = tmp_path / "plain.tif"
    write_pyramid(path, random_levels((300, 200), 1), mpp=None)
    with pytest.raises(mt.UnsupportedError, match="µm"):
        mt.open(path).read((0, 0), (10, 10), mpp=0.5)


def test_only_one_may_be_given(slide):
    with pytest.raises(ValueError, match=r"level=0 and mpp=0.25"):
        slide.read((0, 0), (10, 10), level=0, mpp=0.25)
    with pytest.raises(ValueError, match=r"downsample=1 and power=20"):
        mt.Loader(slide, [0, 0], (10, 10), downsample=1, power=20)


@pytest.mark.parametrize("level", [3, -1, 2**40])
def test_levels_out_of_range(level, slide):
    for call in (
        lambda: slide.read((0, 0), (10, 10), level=level),
        lambda: slide.read_level(level),
        lambda: mt.Loader(slide, [0, 0], (10, 10), level=level),
        lambda: mt.grid(slide, (10, 10), level=level),
    ):
        with pytest.raises(IndexError, match=f"level {level}: the slide has levels 0…2"):
            call()


def test_a_slide_of_one_level(made_slide):
    with pytest.raises(IndexError, match="level 1: the slide has level 0 only"):
        mt.open(made_slide("generic-one-pixel")).read_level(1)


@pytest.mark.parametrize(
    ("resolution", "error", "text"),
    [
        ({"level": 1.0}, TypeError, "level = 1.0 is of type float"),
        ({"level": True}, TypeError, "level = True is a bool"),
        ({"level": "0"}, TypeError, "level = '0'"),
        ({"mpp": 0}, ValueError, "mpp = 0"),
        ({"mpp": -0.5}, ValueError, "mpp = -0.5"),
        ({"mpp": float("nan")}, ValueError, "mpp = nan"),
        ({"downsample": float("inf")}, ValueError, "downsample = inf"),
        ({"downsample": "4"}, TypeError, "downsample = '4'"),
        ({"power": (20, 20)}, TypeError, r"power = \(20, 20\)"),
    ],
)
def test_bad_values(resolution, error, text, slide):
    with pytest.raises(error, match=text):
        slide.read((0, 0), (10, 10), **resolution)


def test_read_level_wants_a_level(slide):
    with pytest.raises(TypeError, match="level = None"):
        slide.read_level(None)
