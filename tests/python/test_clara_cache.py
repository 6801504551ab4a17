"""microtome.clara.cache and CuImage.cache. Expected numbers are cuCIM 26.10's own."""

import microtome as mt
import numpy as np
import pytest
from microtome import CuImage
from microtome.clara.cache import CacheType, ImageCache, preferred_memory_capacity

MIB = 1 << 20


@pytest.fixture(autouse=True)
def no_cache_before_and_after():
    CuImage.cache("nocache")
    yield
    CuImage.cache("nocache")


def test_nocache():
    cache = CuImage.cache()
    assert isinstance(cache, ImageCache) and cache.type is CacheType.NoCache
    assert (cache.size, cache.memory_size, cache.capacity, cache.memory_capacity, cache.free_memory) == (
        0,
    ) * 5
    assert (cache.hit_count, cache.miss_count, cache.record()) == (0, 0, False)
    assert cache.config == {
        "type": "nocache",
        "memory_capacity": 1024,
        "capacity": 5461,
        "mutex_pool_capacity": 100003,
        "list_padding": 10000,
        "extra_shared_memory_size": 100,
        "record_stat": False,
    }
    cache.reserve(2048)
    assert cache.memory_capacity == 0 and mt.cache.info()["capacity_bytes"] == 0


def test_per_process():
    cache = CuImage.cache("per_process")
    assert CuImage.cache() is cache and cache.type == CacheType.PerProcess == 1
    assert cache.memory_capacity == cache.free_memory == 1024 * MIB and cache.capacity == 5461
    assert mt.cache.info()["capacity_bytes"] == 1024 * MIB
    cache = CuImage.cache("per_process", memory_capacity=512)
    assert (cache.memory_capacity, cache.capacity) == (512 * MIB, 2730)
    assert mt.cache.info()["capacity_bytes"] == 512 * MIB
    assert CuImage.cache(CacheType.PerProcess, memory_capacity=0).capacity == 0


def test_every_setting_is_shown():
    settings = {
        "memory_capacity": 512,
        "capacity": 100,
        "mutex_pool_capacity": 7,
        "list_padding": 3,
        "extra_shared_memory_size": 4,
        "record_stat": True,
    }
    cache = CuImage.cache("per_process", **settings)
    assert cache.config == {"type": "per_process", **settings}
    assert cache.record() is True and cache.capacity == 100
    # 100 tiles of 256 x 256 RGB pixels: the tile cache counts bytes alone.
    assert mt.cache.info()["capacity_bytes"] == 100 * 256 * 256 * 3


def test_reserve_only_grows():
    cache = CuImage.cache("per_process", memory_capacity=512)
    cache.reserve(2048)
    assert (cache.memory_capacity, cache.capacity) == (2048 * MIB, 10922)
    assert cache.config["memory_capacity"] == 2048
    cache.reserve(10, capacity=5)
    assert (cache.memory_capacity, cache.capacity) == (2048 * MIB, 10922)
    cache.reserve(4000, capacity=5)
    assert (cache.memory_capacity, cache.capacity) == (4000 * MIB, 10922)
    assert mt.cache.info()["capacity_bytes"] == 4000 * MIB
    with pytest.raises(TypeError, match="no argument 'size'"):
        cache.reserve(1, size=2)
    with pytest.raises(TypeError, match="memory_capacity: expected an integer, found 'a'"):
        cache.reserve("a")


def test_tiles_are_kept_and_counted(made_slide):
    cache = CuImage.cache("per_process", memory_capacity=64, record_stat=True)
    img = CuImage(made_slide("generic-deflate"))
    first = np.array(img.read_region((0, 0), (256, 128)))
    assert (cache.hit_count, cache.miss_count, cache.size) == (0, 2, 2)
    assert cache.memory_size == 2 * 128 * 128 * 3
    assert cache.free_memory == 64 * MIB - cache.memory_size
    assert np.array_equal(np.asarray(img.read_region((0, 0), (256, 128))), first)
    assert (cache.hit_count, cache.miss_count, cache.size) == (2, 2, 2)
    assert cache.record(True) is True
    assert (cache.hit_count, cache.miss_count) == (0, 0)
    cache.reserve(128)
    assert cache.size == 2  # what is cached stays
    assert cache.record(False) is False and cache.record() is False
    img.read_region((0, 0), (256, 128))
    assert (cache.hit_count, cache.miss_count) == (0, 0)  # nothing is recorded


def test_a_new_cache_is_empty(made_slide):
    old = CuImage.cache("per_process", memory_capacity=64, record_stat=True)
    CuImage(made_slide("generic-deflate")).read_region((0, 0), (256, 128))
    assert old.size == 2
    new = CuImage.cache("per_process", memory_capacity=64)
    assert (new.size, new.memory_size, mt.cache.info()["tiles"]) == (0, 0, 0)
    assert (old.size, old.hit_count, old.memory_capacity) == (0, 0, 64 * MIB)
    CuImage.cache("nocache")
    CuImage(made_slide("generic-deflate")).read_region((0, 0), (256, 128))
    assert mt.cache.info()["tiles"] == 0


def test_slides_do_not_share_tiles(made_slide):
    """cuCIM's cache mixes up tiles of different files."""
    one, other = CuImage(made_slide("generic-deflate")), CuImage(made_slide("generic-jpeg-420"))
    expected = [np.array(img.read_region()) for img in (one, other)]
    assert not np.array_equal(*expected)
    CuImage.cache("per_process", memory_capacity=64)
    for _ in range(2):
        for img, pixels in zip((one, other), expected, strict=True):
            assert np.array_equal(np.asarray(img.read_region()), pixels)


def test_iterators_survive_a_new_cache(made_slide):
    CuImage.cache("per_process", memory_capacity=64)
    img = CuImage(made_slide("generic-deflate"))
    locations = [(x, 0) for x in range(0, 500, 20)]
    expected = np.stack([np.asarray(img.read_region(location, (40, 30))) for location in locations])
    found = img.read_region(locations, (40, 30), batch_size=3, num_workers=2)
    pixels = [np.asarray(next(found))]
    CuImage.cache("nocache")
    pixels += [np.asarray(batch) for batch in found]
    assert np.array_equal(np.concatenate(pixels), expected)


def test_the_native_settings_show():
    mt.cache.configure(capacity_bytes=48 * MIB)
    cache = CuImage.cache()
    assert (cache.type, cache.memory_capacity) == (CacheType.PerProcess, 48 * MIB)
    assert CuImage.cache() is cache
    mt.cache.configure(capacity_bytes=0)
    assert CuImage.cache().type is CacheType.NoCache


def test_refusals():
    with pytest.raises(ValueError, match="'shared_memory' is not offered: use 'per_process'"):
        CuImage.cache("shared_memory")
    with pytest.raises(ValueError, match="The first argument should be one of .*found 'no_cache'"):
        CuImage.cache("no_cache")
    with pytest.raises(ValueError, match="found 3"):
        CuImage.cache(3)
    for kind in (TypeError, ValueError):
        with pytest.raises(kind, match="no argument 'memory'; expected memory_capacity"):
            CuImage.cache("per_process", memory=3)
        with pytest.raises(kind, match="memory_capacity: settings belong to a new cache"):
            CuImage.cache(memory_capacity=3)
    with pytest.raises(ValueError, match="memory_capacity: expected an integer from 0 to .*, found -3"):
        CuImage.cache("per_process", memory_capacity=-3)
    with pytest.raises(TypeError, match="capacity: expected an integer, found 1.5"):
        CuImage.cache("per_process", capacity=1.5)
    assert CuImage.cache().type is CacheType.NoCache  # a refusal changes nothing


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"image_size": (1 << 20, 1 << 20), "tile_size": (256, 256)}, 1536),
        ({"image_size": (1 << 20, 1 << 20), "tile_size": (256, 256), "patch_size": (512, 512)}, 2304),
        (
            {
                "image_size": (1 << 20, 1 << 20),
                "tile_size": (256, 256),
                "patch_size": (256, 256),
                "bytes_per_pixel": 3,
            },
            1536,
        ),
        ({"image_size": [10000, 300], "bytes_per_pixel": 4}, 20),
        ({"image_size": (0, 300)}, 0),
        ({"image_size": (100000, 70000), "tile_size": (240, 240), "patch_size": (300, 100)}, 138),
        ({"image_size": (2220, 2967), "tile_size": (240, 240)}, 5),
        ({"image_size": (2220, 2967), "tile_size": (240, 240), "patch_size": (512, 512)}, 7),
    ],
)
def test_preferred_memory_capacity(options, expected):
    assert preferred_memory_capacity(**options) == expected


def test_preferred_memory_capacity_of_an_image(made_slide):
    img = CuImage(made_slide("aperio-jpeg-rgb"))
    own = {"image_size": img.size("XY"), "tile_size": (240, 240)}
    assert preferred_memory_capacity(img) == preferred_memory_capacity(**own)
    assert preferred_memory_capacity(img, patch_size=(512, 512)) == preferred_memory_capacity(
        **own, patch_size=(512, 512)
    )
    assert preferred_memory_capacity(
        img, image_size=(10**5, 10**5), tile_size=(9, 9)
    ) == preferred_memory_capacity(img)
    for size in (None, (100,), (1, 2, 3)):
        with pytest.raises(ValueError, match="Please specify 'image_size' parameter"):
            preferred_memory_capacity(image_size=size)
    with pytest.raises(ValueError, match="tile_size"):
        preferred_memory_capacity(image_size=(1, 1), tile_size=(0, 3))
