"""One slide has one set of pixels: a batch, a single read and a crop of the whole level are the same.

Whatever the codec, the number of workers, the order and the cache.
"""

from __future__ import annotations

import microtome as mt
import numpy as np
import pytest

CODECS = [
    "aperio-jpeg-rgb",
    "aperio-jpeg-420",
    "aperio-jpeg-422",
    "aperio-j2k-33003",
    "aperio-j2k-33005",
    "generic-deflate",
    "generic-deflate-predictor",
    "generic-lzw",
    "generic-lzw-predictor",
    "generic-none",
    "generic-jpeg-grey",
    "generic-bigendian-uint16",
    "generic-rgba",
    "generic-j2k-34712",
]
# cuCIM shows grey and RGBA images in forms of its own; test_cuimage_read.py has the rules.
RGB = [
    name for name in CODECS if name not in ("generic-jpeg-grey", "generic-bigendian-uint16", "generic-rgba")
]
PATCH = (61, 47)  # no multiple of any tile


def crop(level: np.ndarray, x: int, y: int, size: tuple[int, int], fill: int) -> np.ndarray:
    """What a read at (x, y) must give: the level's pixels inside it, `fill` outside."""
    out = np.full((size[1], size[0], level.shape[2]), fill, level.dtype)
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + size[0], level.shape[1]), min(y + size[1], level.shape[0])
    if x1 > x0 and y1 > y0:
        out[y0 - y : y1 - y, x0 - x : x1 - x] = level[y0:y1, x0:x1]
    return out


@pytest.fixture(params=[0, 64 << 20], ids=["no-cache", "cache"])
def cache(request):
    before = mt.cache.info()["capacity_bytes"]
    mt.cache.configure(capacity_bytes=request.param)
    yield request.param
    mt.cache.configure(capacity_bytes=before)


def locations_for(slide: mt.Slide) -> np.ndarray:
    width, height = slide.size
    random = np.random.default_rng(7)
    inside = np.stack([random.integers(0, width, 20), random.integers(0, height, 20)], axis=1)
    edges = [(-30, -20), (width - 10, height - 10), (-1000, 5), (width + 7, 3), (0, 0), (0, 0)]
    return np.concatenate([inside, edges])


@pytest.mark.parametrize("name", CODECS)
def test_batch_equals_read_equals_crop(name, made_slide, cache):
    slide = mt.open(made_slide(name))
    whole = slide.read_level(0)
    assert whole.std() > 0
    locations = locations_for(slide)
    expected = np.stack([crop(whole, int(x), int(y), PATCH, 255) for x, y in locations])

    for workers in (1, 2, 8):
        assert np.array_equal(slide.read_level(0, workers=workers), whole)
        for (x, y), pixels in zip(locations, expected, strict=True):
            assert np.array_equal(slide.read((x, y), PATCH, workers=workers), pixels), (workers, x, y)
        for shuffle in (False, True):
            batches = list(
                mt.Loader(slide, locations, PATCH, batch_size=4, shuffle=shuffle, seed=3, workers=workers)
            )
            indices = np.concatenate([batch.indices for batch in batches])
            assert sorted(indices) == list(range(len(locations)))
            assert (list(indices) == list(range(len(locations)))) is not shuffle
            for batch in batches:  # all of them held at once: a batch owns its pixels
                assert np.array_equal(batch.pixels, expected[batch.indices]), (
                    workers,
                    shuffle,
                    batch.indices,
                )
                assert np.array_equal(batch.locations, locations[batch.indices])


@pytest.mark.parametrize("name", RGB)
def test_cuimage_batches_equal_the_native_reads(name, made_slide):
    path = made_slide(name)
    slide = mt.open(path)
    image = mt.CuImage(str(path))
    fill = 255 if slide.format == "aperio" else 0
    locations = locations_for(slide)
    expected = np.stack([slide.read(tuple(xy), PATCH, fill=fill) for xy in locations])
    for workers in (0, 1, 2, 8):
        batches = list(image.read_region(locations, PATCH, batch_size=4, num_workers=workers))
        assert np.array_equal(np.concatenate([np.asarray(batch) for batch in batches]), expected), workers


@pytest.mark.parametrize("name", CODECS)
def test_every_level_starts_where_the_grid_says(name, made_slide):
    """A grid of patches on each level, put together, is that level."""
    slide = mt.open(made_slide(name))
    for level in slide.levels:
        whole = slide.read_level(level.index)
        joined = np.zeros_like(whole)
        for batch in mt.Loader(
            slide, mt.grid(slide, PATCH, level=level.index), PATCH, level=level.index, batch_size=16
        ):
            for pixels, index in zip(batch.pixels, batch.indices, strict=True):
                columns = -(-level.size[0] // PATCH[0])
                x, y = int(index % columns) * PATCH[0], int(index // columns) * PATCH[1]
                target = joined[y : y + PATCH[1], x : x + PATCH[0]]
                target[:] = pixels[: target.shape[0], : target.shape[1]]
        assert np.array_equal(joined, whole), level


def test_a_half_offset_grid_decodes_each_tile_once(made_slide):
    slide = mt.open(made_slide("aperio-jpeg-420"))
    tile = slide.levels[0].tile_size
    width, height = slide.size
    locations = [
        (x, y) for y in range(tile[1] // 2, height, tile[1]) for x in range(tile[0] // 2, width, tile[0])
    ]
    tiles = -(-width // tile[0]) * -(-height // tile[1])
    for batch_size, workers in ((3, 1), (3, 2), (64, 2)):
        before = mt.info()["counters"]["decoded"]
        touched = sum(
            len(batch) for batch in mt.Loader(slide, locations, tile, batch_size=batch_size, workers=workers)
        )
        assert touched == len(locations)
        # Tiles left of and above the first patch are not needed; none is decoded twice.
        assert mt.info()["counters"]["decoded"] - before <= tiles, (batch_size, workers)
