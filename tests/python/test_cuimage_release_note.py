"""The examples of cuCIM 21.12.01's release note, as written there but for the import and what they print."""

from pathlib import Path

import microtome as mt
import numpy as np
import pytest

REAL = ["1065626.svs", "CMU-1-Small-Region.svs", "CMU-1-JP2K-Region.svs"]
MADE = ["aperio-jpeg-420", "aperio-j2k-33003", "aperio-j2k-33005", "generic-jpeg-420", "generic-deflate"]


@pytest.fixture(params=REAL + MADE)
def image_tif(request, made_slide):
    if request.param in MADE:
        return str(made_slide(request.param))
    path = Path(request.getfixturevalue("real_slides")) / "aperio" / request.param
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return str(path)


def test_whole_level_with_workers(image_tif):
    from microtome import CuImage

    img = CuImage(image_tif)
    level = img.resolutions["level_count"] - 1
    region = img.read_region(level=level, num_workers=8)
    width, height = img.resolutions["level_dimensions"][level]
    assert np.asarray(region).shape == (height, width, 3)
    assert np.array_equal(np.asarray(region), mt.open(image_tif).read_level(level))


@pytest.mark.parametrize("as_array", [False, True])
def test_batches(image_tif, as_array):
    from microtome import CuImage

    cache = CuImage.cache("per_process", memory_capacity=1024)
    img = CuImage(image_tif)
    locations = [[0, 0], [100, 0], [200, 0], [300, 0], [0, 200], [100, 200], [200, 200], [300, 200]]
    if as_array:
        locations = np.array(locations)
    region = img.read_region(locations, (224, 224), batch_size=4, num_workers=8)
    shapes = []
    for batch in region:
        patches = np.asarray(batch)
        shapes.append(patches.shape)
        for item in patches:
            shapes.append(item.shape)
    assert shapes == [(4, 224, 224, 3), *[(224, 224, 3)] * 4] * 2
    assert cache.size > 0
    CuImage.cache("nocache")
    slide = mt.open(image_tif)
    batches = img.read_region(locations, (224, 224), batch_size=4, num_workers=8)
    found = np.concatenate([np.asarray(batch) for batch in batches])
    fill = 255 if slide.format == "aperio" else 0
    for location, patch in zip(locations, found, strict=True):
        assert np.array_equal(patch, slide.read(location, (224, 224), fill=fill))


def test_batches_on_the_gpu(image_tif):
    from microtome import CuImage

    img = CuImage(image_tif)
    with pytest.raises(RuntimeError, match="cuda"):
        img.read_region([[0, 0], [100, 0]], (224, 224), batch_size=4, device="cuda")
    assert np.asarray(img.read_region([0, 0], (224, 224))).shape == (224, 224, 3)
