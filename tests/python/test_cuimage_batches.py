"""CuImage.read_region of many regions: CuImageIterator and its batches."""

import gc
import os
import threading

import numpy as np
import pytest
from microtome import CuImage, _core
from microtome.cuimage import CuImageIterator

SIZE = (40, 30)
LOCATIONS = [(x, y) for y in (0, 97, 391, -12) for x in (0, 111, 333, 590)]

# cuslide's orders of ten locations, from its own engine compiled with GCC 12.
ORDERS = {
    0: [2, 7, 1, 6, 8, 0, 4, 9, 5, 3],
    1: [2, 7, 1, 6, 8, 0, 4, 9, 5, 3],
    42: [1, 6, 3, 9, 5, 0, 7, 2, 4, 8],
    12345: [8, 9, 7, 2, 5, 4, 1, 3, 6, 0],
}


@pytest.fixture
def img(made_slide):
    return CuImage(made_slide("generic-jpeg-420"))


@pytest.fixture
def expected(img):
    """One read for each location: what batches must hold."""
    return np.stack([np.asarray(img.read_region(location, SIZE)) for location in LOCATIONS])


def pixels_of(batches):
    return np.concatenate([np.asarray(batch) for batch in batches])


# What comes back


def test_one_location_and_one_batch_is_an_image(img):
    assert isinstance(img.read_region((0, 0), SIZE), CuImage)
    assert isinstance(img.read_region([], SIZE), CuImage)


def test_many_locations_are_an_iterator_of_images(img, expected):
    found = img.read_region(LOCATIONS, SIZE, num_workers=2)
    assert isinstance(found, CuImageIterator) and len(found) == len(LOCATIONS)
    images = list(found)
    assert all(isinstance(image, CuImage) and image.dims == "YXC" for image in images)
    assert images[0].shape == [30, 40, 3]
    assert np.array_equal(np.stack([np.asarray(image) for image in images]), expected)
    assert [image.locations.tolist() for image in images] == [[list(location)] for location in LOCATIONS]


def test_batches_are_nyxc(img, expected):
    found = img.read_region(LOCATIONS, SIZE, batch_size=5, num_workers=2)
    assert len(found) == 4
    batches = list(found)
    assert [batch.shape for batch in batches] == [[5, 30, 40, 3]] * 3 + [[1, 30, 40, 3]]
    batch = batches[0]
    assert batch.dims == "NYXC" and batch.ndim == 4
    assert batch.size("XYN") == [40, 30, 5]
    assert batch.channel_names == ["R", "G", "B"]
    assert batch.raw_metadata == "" and set(batch.metadata) == {"cucim"}
    assert batch.resolutions == {
        "level_count": 1,
        "level_dimensions": ((40, 30),),
        "level_downsamples": (1.0,),
        "level_tile_sizes": ((40, 30),),
    }
    spacing = img.spacing("X")[0]
    assert batch.spacing() == [1.0, spacing, spacing, 1.0]  # cuCIM's are shifted by one axis
    assert batch.spacing_units() == ["batch", "micrometer", "micrometer", "color"]
    assert np.array_equal(pixels_of(batches), expected)


def test_one_location_in_a_batch(img, expected):
    for workers in (0, 1):
        (batch,) = img.read_region(LOCATIONS[0], SIZE, batch_size=4, num_workers=workers)
        assert batch.shape == [1, 30, 40, 3]
        assert np.array_equal(np.asarray(batch)[0], expected[0])


def test_iterator_protocol(img):
    found = img.read_region(LOCATIONS[:3], SIZE, batch_size=2)
    assert iter(found) is found
    assert repr(found) == "<cucim.CuImageIterator index:0>"
    first = next(found)
    assert repr(found) == "<cucim.CuImageIterator index:1>" and len(found) == 2
    assert next(found) is not first
    for _ in range(2):
        with pytest.raises(StopIteration):
            next(found)
    assert repr(found) == "<cucim.CuImageIterator index:2>"


def test_a_region_iterates_over_itself(img):
    region = img.read_region((0, 0), SIZE)
    assert list(region) == [region] and len(iter(region)) == 1
    batch = next(img.read_region(LOCATIONS, SIZE, batch_size=4))
    assert list(batch) == [batch]
    assert list(CuImageIterator(region)) == [region]
    assert list(CuImageIterator(region, ending=True)) == []


# Each parameter


@pytest.mark.parametrize("num_workers", [0, 1, 2, 8])
@pytest.mark.parametrize("batch_size", [0, 1, 2, 7, 16, 100])
def test_workers_and_batch_sizes(img, expected, num_workers, batch_size):
    found = img.read_region(LOCATIONS, SIZE, batch_size=batch_size, num_workers=num_workers)
    batches = list(found)
    assert len(batches) == len(found) == -(-len(LOCATIONS) // max(1, batch_size))
    pixels = [np.asarray(batch).reshape(-1, 30, 40, 3) for batch in batches]
    assert np.array_equal(np.concatenate(pixels), expected)


def test_workers_are_threads(img):
    def threads():
        return len(os.listdir("/proc/self/task"))

    before = threads()
    for num_workers in (1, 2, 3):
        assert len(list(img.read_region(LOCATIONS, SIZE, batch_size=4, num_workers=num_workers))) == 4
    assert threads() <= before + 3


@pytest.mark.parametrize("batch_size", [1, 3, 16, 17])
def test_drop_last(img, batch_size):
    found = img.read_region(LOCATIONS, SIZE, batch_size=batch_size, drop_last=True, num_workers=1)
    batches = list(found)
    assert len(found) == len(batches) == len(LOCATIONS) // batch_size
    assert all(batch.shape[0] == batch_size for batch in batches if batch.ndim == 4)


@pytest.mark.parametrize("prefetch_factor", [0, 1, 2, 100])
def test_prefetch_factor_does_not_change_batches(img, expected, prefetch_factor):
    found = img.read_region(LOCATIONS, SIZE, batch_size=3, num_workers=2, prefetch_factor=prefetch_factor)
    assert np.array_equal(pixels_of(found), expected)


@pytest.mark.parametrize(("num_workers", "prefetch_factor"), [(0, 2), (5, 7), (1, 0)])
def test_workers_and_prefetch_factor_reach_the_core(img, monkeypatch, num_workers, prefetch_factor):
    seen = []

    class Recorder:
        def __init__(self, patches, **options):
            seen.append(options)

        def __len__(self):
            return 0

    monkeypatch.setattr(_core, "Pass", Recorder)
    img.read_region(LOCATIONS, SIZE, batch_size=3, num_workers=num_workers, prefetch_factor=prefetch_factor)
    assert (seen[0]["threads"], seen[0]["prefetch"]) == (num_workers, prefetch_factor)


@pytest.mark.parametrize("seed", ORDERS)
def test_shuffle_is_cuslides_order(img, seed):
    locations = np.array(LOCATIONS[:10])
    for batch_size, num_workers in ((1, 0), (3, 2), (10, 1)):
        batches = list(
            img.read_region(
                locations, SIZE, batch_size=batch_size, shuffle=True, seed=seed, num_workers=num_workers
            )
        )
        assert np.concatenate([batch.indices for batch in batches]).tolist() == ORDERS[seed]
        for batch in batches:
            assert np.array_equal(batch.locations, locations[batch.indices])


def test_shuffled_pixels_belong_to_their_locations(img, expected):
    for batch in img.read_region(LOCATIONS, SIZE, batch_size=5, shuffle=True, seed=9, num_workers=2):
        assert np.array_equal(np.asarray(batch), expected[batch.indices])


def test_seed_alone_does_not_shuffle(img, expected):
    assert np.array_equal(pixels_of(img.read_region(LOCATIONS, SIZE, batch_size=5, seed=42)), expected)


def test_level_and_locations(img):
    level = np.asarray(img.read_region(level=1))
    (batch,) = img.read_region([(0, 0), (20, 40)], (16, 16), level=1, batch_size=2)
    assert np.array_equal(np.asarray(batch)[0], level[:16, :16])
    assert batch.locations.tolist() == [[0, 0], [20, 40]]  # level-0 pixels, as they were given
    with pytest.raises(ValueError, match="Invalid level"):
        img.read_region([(0, 0), (20, 40)], (16, 16), level=3)


FORMS = {
    "pairs": LOCATIONS,
    "flat": [number for location in LOCATIONS for number in location],
    "lists": [list(location) for location in LOCATIONS],
    "mixed": [*LOCATIONS[0], *LOCATIONS[1:]],
    "tuple": tuple(LOCATIONS),
    "generator": lambda: (location for location in LOCATIONS),
    "int64": np.array(LOCATIONS),
    "int32": np.array(LOCATIONS, np.int32),
    "int16": np.array(LOCATIONS, np.int16),
    "flat array": np.array(LOCATIONS).reshape(-1),
    "Fortran": np.asfortranarray(LOCATIONS),
    "columns": np.array(LOCATIONS).T.copy().T,
    "every second": np.repeat(np.array(LOCATIONS), 2, axis=0)[::2],
    "big-endian": np.array(LOCATIONS, ">i8"),
    "list of arrays": [np.array(location) for location in LOCATIONS],
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_locations(img, expected, form):
    locations = FORMS[form]() if callable(FORMS[form]) else FORMS[form]
    assert np.array_equal(pixels_of(img.read_region(locations, SIZE, batch_size=16)), expected)


# Lifetime


def test_batches_in_a_list_stay_intact(img, expected):
    batches = list(img.read_region(LOCATIONS, SIZE, batch_size=3, num_workers=2))
    assert len({id(batch) for batch in batches}) == len(batches)
    arrays = [np.asarray(batch) for batch in batches]
    del batches
    gc.collect()
    list(img.read_region(LOCATIONS[::-1], SIZE, batch_size=3, num_workers=2))  # would reuse freed memory
    assert np.array_equal(np.concatenate(arrays), expected)


def test_an_iterator_outlives_its_image(made_slide, expected):
    found = CuImage(made_slide("generic-jpeg-420")).read_region(LOCATIONS, SIZE, batch_size=3, num_workers=2)
    gc.collect()
    assert np.array_equal(pixels_of(found), expected)


def test_threads_share_an_iterator(img, expected):
    found = img.read_region(LOCATIONS * 8, SIZE, batch_size=2, num_workers=2)
    batches = []

    def take():
        batches.extend(found)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(np.concatenate([batch.indices for batch in batches])) == list(range(8 * len(LOCATIONS)))
    for batch in batches:
        assert np.array_equal(np.asarray(batch), expected[batch.indices % len(LOCATIONS)])


def test_threads_share_an_image(img, expected):
    wrong = []

    def read(workers):
        if not np.array_equal(
            pixels_of(img.read_region(LOCATIONS, SIZE, batch_size=4, num_workers=workers)), expected
        ):
            wrong.append(workers)

    threads = [threading.Thread(target=read, args=(number % 3,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_abandoned_iterators_leave_nothing(img):
    def use(times):
        for number in range(times):
            found = img.read_region(LOCATIONS, SIZE, batch_size=2, num_workers=2)
            for _ in range(number % 3):
                next(found)

    use(20)
    before = len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))
    use(300)
    assert (len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))) == before


def test_fork_with_a_live_iterator(img, expected):
    found = img.read_region(LOCATIONS, SIZE, batch_size=4, num_workers=2)
    first = np.asarray(next(found))
    child = os.fork()
    if child == 0:
        try:
            fresh = pixels_of(img.read_region(LOCATIONS, SIZE, batch_size=4, num_workers=2))
            rest = pixels_of(found)
            os._exit(0 if np.array_equal(fresh, expected) and np.array_equal(rest, expected[4:]) else 1)
        except BaseException:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert np.array_equal(np.concatenate([first, pixels_of(found)]), expected)


# One slide, one set of pixels


@pytest.mark.parametrize(
    "name", ["aperio-j2k-33003", "aperio-jpeg-420", "generic-lzw-predictor", "generic-rgba"]
)
@pytest.mark.parametrize("kind", ["nocache", "per_process"])
def test_batch_is_single_read_is_crop_of_the_level(made_slide, name, kind):
    img = CuImage(made_slide(name))
    CuImage.cache(kind, memory_capacity=64)
    try:
        whole = img.read_region()
        inside = [(x, y) for x, y in LOCATIONS if x >= 0 and y >= 0 and x + 40 <= 600 and y + 30 <= 430]
        assert len(inside) >= 6
        for num_workers in (0, 2):
            for shuffle in (False, True):
                for batch in img.read_region(
                    inside, SIZE, batch_size=4, num_workers=num_workers, shuffle=shuffle
                ):
                    for location, pixels in zip(batch.locations, np.asarray(batch), strict=True):
                        assert np.array_equal(pixels, np.asarray(whole.read_region(location, SIZE)))
                        assert np.array_equal(pixels, np.asarray(img.read_region(location, SIZE)))
    finally:
        CuImage.cache("nocache")
