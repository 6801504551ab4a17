"""Loaders: order, batches, several slides, errors, life."""

import gc
import itertools
import pickle
import subprocess
import sys
import threading
import time

import microtome as mt
import numpy as np
import pytest
from reference import crop, random_levels, write_pyramid

SIZE = (60, 50)


def points(count, seed=3):
    return np.random.default_rng(seed).integers((-40, -40), (1040, 800), (count, 2))


def order_of(loader):
    return np.concatenate([batch.indices for batch in loader]).tolist()


@pytest.mark.parametrize("workers", [None, 1, 2, 8])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("prefetch", [0, 1, 5])
def test_every_row_is_its_patch(workers, shuffle, prefetch, slide, pyramid):
    locations = points(23)
    loader = mt.Loader(
        slide, locations, SIZE, batch_size=5, shuffle=shuffle, workers=workers, prefetch=prefetch
    )
    batches = list(loader)
    assert len(loader) == len(batches) == 5
    assert [len(batch) for batch in batches] == [5, 5, 5, 5, 3]
    assert [batch.number for batch in batches] == [0, 1, 2, 3, 4]
    seen = []
    for batch in batches:  # after all were delivered: each owns its pixels
        assert batch.pixels.shape == (len(batch), 50, 60, 3)
        for row, index in enumerate(batch.indices):
            assert batch.locations[row].tolist() == locations[index].tolist()
            np.testing.assert_array_equal(batch.pixels[row], crop(pyramid.levels[0], *locations[index], SIZE))
            seen.append(index)
        assert batch.slides.tolist() == [0] * len(batch)
        assert batch.errors == ()
    assert sorted(seen) == list(range(23))
    assert (seen == sorted(seen)) != shuffle


def test_arrays_of_a_batch(slide):
    batch = next(iter(mt.Loader(slide, points(4), SIZE, batch_size=3)))
    assert (batch.indices.dtype, batch.slides.dtype, batch.locations.dtype) == (np.int64,) * 3
    assert (batch.indices.shape, batch.slides.shape, batch.locations.shape) == ((3,), (3,), (3, 2))


def test_batch_size_is_64_unless_told(slide):
    assert [len(batch) for batch in mt.Loader(slide, points(130), (2, 2))] == [64, 64, 2]


@pytest.mark.parametrize(("count", "batches"), [(0, 0), (3, 0), (4, 1), (11, 2), (12, 3)])
def test_drop_last(count, batches, slide):
    loader = mt.Loader(slide, points(count), SIZE, batch_size=4, drop_last=True)
    assert len(loader) == batches
    assert [len(batch) for batch in loader] == [4] * batches


def test_order_is_a_function_of_seed_and_epoch(slide):
    def loader(seed, **options):
        return mt.Loader(slide, points(40), (2, 2), batch_size=7, shuffle=True, seed=seed, **options)

    first = loader(5)
    epochs = [order_of(first) for _ in range(3)]
    assert first.epoch == 3
    assert len({tuple(order) for order in epochs}) == 3
    again = loader(5, workers=1)
    again.set_epoch(2)
    assert order_of(again) == epochs[2]
    assert order_of(again) != epochs[2]  # that was epoch 3
    again.set_epoch(np.int64(0))
    assert order_of(again) == epochs[0]
    assert order_of(loader(6)) != epochs[0]
    assert order_of(loader(2**64 - 1)) != epochs[0]
    unshuffled = mt.Loader(slide, points(40), (2, 2), seed=5)
    assert order_of(unshuffled) == order_of(unshuffled) == list(range(40))


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("count", [0, 1, 10, 11])
def test_ranks_share_an_epoch(shuffle, count, slide):
    def loader(**options):
        return mt.Loader(slide, points(count), (2, 2), batch_size=3, shuffle=shuffle, **options)

    ranks = [loader(rank=rank, world_size=3) for rank in range(3)]
    orders = []
    for rank in ranks:
        batches = list(rank)
        assert len(batches) == len(rank)
        orders.append([i for batch in batches for i in batch.indices])
    whole = [i for batch in loader() for i in batch.indices]
    assert sorted(itertools.chain(*orders)) == list(range(count))
    assert [orders[i % 3][i // 3] for i in range(count)] == whole


def test_several_slides(slide, pyramid, tmp_path):
    path = tmp_path / "other.tif"
    levels = random_levels((400, 300), 2, seed=9)
    write_pyramid(path, levels, mpp=0.5)
    other = mt.open(path)
    patches = [(1, 0, 0), (0, 200, 100), (1, 350, 290), (0, -5, -5)]
    (batch,) = mt.Loader([slide, other], patches, SIZE, batch_size=8)
    assert batch.slides.tolist() == [1, 0, 1, 0]
    assert batch.locations.tolist() == [[0, 0], [200, 100], [350, 290], [-5, -5]]
    for row, (number, x, y) in enumerate(patches):
        expected = crop((pyramid.levels, levels)[number][0], x, y, SIZE)
        np.testing.assert_array_equal(batch.pixels[row], expected)
    # The same mpp is level 1 of the one and level 0 of the other.
    (batch,) = mt.Loader((slide, other), np.array([[0, 20, 40], [1, 20, 40]]), SIZE, mpp=0.5)
    np.testing.assert_array_equal(batch.pixels[0], crop(pyramid.levels[1], 10, 20, SIZE))
    np.testing.assert_array_equal(batch.pixels[1], crop(levels[0], 20, 40, SIZE))


def test_slides_that_do_not_go_together(slide, made_slide):
    with pytest.raises(ValueError, match=r"slides\[1\] has 1×uint8.*3×uint8"):
        mt.Loader([slide, mt.open(made_slide("generic-jpeg-grey"))], [(0, 0, 0)], SIZE)
    for wrong in (2, -1):
        with pytest.raises(IndexError, match=rf"locations\[1\]: slide {wrong}, expected 0 to 1"):
            mt.Loader([slide, slide], [(0, 0, 0), (wrong, 0, 0)], SIZE)
    with pytest.raises(TypeError, match=r"slides\[1\] is of type str"):
        mt.Loader([slide, "a.svs"], [(0, 0, 0)], SIZE)
    with pytest.raises(ValueError, match="slides is empty"):
        mt.Loader([], [(0, 0, 0)], SIZE)


def test_level_and_fill(slide, pyramid):
    (batch,) = mt.Loader(slide, [(-40, 80)], SIZE, level=2, fill=(3, 4, 5))
    np.testing.assert_array_equal(batch.pixels[0], crop(pyramid.levels[2], -10, 20, SIZE, (3, 4, 5)))


def test_other_samples_and_levels(tmp_path):
    levels = random_levels((300, 200), 2, channels=1, dtype=np.uint16)
    path = tmp_path / "grey.tif"
    write_pyramid(path, levels)
    (batch,) = mt.Loader(mt.open(path), [(20, 30)], SIZE, level=1, fill=60000)
    assert batch.pixels.dtype == np.uint16
    np.testing.assert_array_equal(batch.pixels[0], crop(levels[1], 10, 15, SIZE, 60000))


@pytest.mark.parametrize("workers", [1, 4])
def test_a_broken_tile_ends_the_iteration(workers, broken_path):
    loader = mt.Loader(
        mt.open(broken_path), [(0, 300), (100, 0), (0, 300)], SIZE, batch_size=1, workers=workers
    )
    iterator = iter(loader)
    assert next(iterator).indices.tolist() == [0]
    for _ in range(2):
        with pytest.raises(mt.CorruptSlideError, match="broken.tif.*level 0|level 0.*broken.tif"):
            next(iterator)
    del iterator
    assert next(iter(loader)).indices.tolist() == [0]


@pytest.mark.parametrize("workers", [1, 4])
def test_a_broken_tile_is_filled_and_reported(workers, broken_path, pyramid):
    slide = mt.open(broken_path)
    locations = [(0, 300), (100, 0), (200, 90)]
    (batch,) = mt.Loader(slide, locations, SIZE, on_error="fill", fill=9, workers=workers)
    assert sorted(error.row for error in batch.errors) == [1, 2]
    assert all("level 0" in error.message for error in batch.errors)
    expected = pyramid.levels[0].copy()
    expected[:128, 128:256] = 9
    for row, (x, y) in enumerate(locations):
        np.testing.assert_array_equal(batch.pixels[row], crop(expected, x, y, SIZE))


def test_each_iterator_is_independent(slide):
    loader = mt.Loader(slide, points(20), (8, 8), batch_size=3, shuffle=True)
    expected = []
    for epoch in range(3):
        loader.set_epoch(epoch)
        expected.append(order_of(loader))
    loader.set_epoch(0)
    alive = [iter(loader) for _ in range(3)]
    assert [len(iterator) for iterator in alive] == [7, 7, 7]
    found = [[], [], []]
    for _ in range(7):
        for iterator, order in zip(alive, found, strict=True):
            order.extend(next(iterator).indices.tolist())
    assert found == expected
    with pytest.raises(StopIteration):
        next(alive[0])
    with pytest.raises(StopIteration):
        next(alive[0])


def test_threads_may_share_an_iterator(slide):
    iterator = iter(mt.Loader(slide, points(200), (40, 40), batch_size=2, workers=3))
    seen = []

    def take():
        for batch in iterator:
            seen.extend(batch.indices.tolist())

    team = [threading.Thread(target=take) for _ in range(6)]
    for thread in team:
        thread.start()
    for thread in team:
        thread.join()
    assert sorted(seen) == list(range(200))


def test_batches_outlive_everything(pyramid):
    slide = mt.open(pyramid.path)
    locations = points(12)
    iterator = iter(mt.Loader(slide, locations, SIZE, batch_size=4))
    kept = next(iterator).pixels
    slide.close()
    rest = list(iterator)  # it holds the file itself
    assert len(rest) == 2
    del iterator, slide
    gc.collect()
    np.testing.assert_array_equal(kept[1], crop(pyramid.levels[0], *locations[1], SIZE))
    np.testing.assert_array_equal(rest[1].pixels[3], crop(pyramid.levels[0], *locations[11], SIZE))


def test_a_closed_slide_begins_no_epoch(pyramid):
    slide = mt.open(pyramid.path)
    loader = mt.Loader(slide, points(3), SIZE)
    slide.close()
    with pytest.raises(ValueError, match="is closed"):
        iter(loader)


def test_memory_comes_back_to_the_pool(slide):
    loader = mt.Loader(slide, points(40), (256, 256), batch_size=4, prefetch=1)
    for _ in loader:
        pass
    before = mt.cache.info()
    for _ in loader:
        pass
    after = mt.cache.info()
    assert after["pool_reused"] > before["pool_reused"]
    assert after["pool_fresh"] == before["pool_fresh"]


def test_shared_tiles_are_decoded_once(made_slide):
    slide = mt.open(made_slide("generic-exact-tiles"))  # 512×256, tiles of 128: 8 of them
    locations = mt.grid(slide, (128, 128))[:, :] - 64  # each patch needs up to four tiles
    before = mt.info()["counters"]["decoded"]
    (batch,) = mt.Loader(slide, locations, (128, 128), batch_size=64)
    assert len(batch) == 8
    assert mt.info()["counters"]["decoded"] - before == 8


@pytest.mark.parametrize("prefetch", [0, 1, 3])
def test_prefetch_is_how_many_batches_are_decoded_ahead(prefetch, slide):
    # One tile each: the decoder's count tells how far the workers have come.
    loader = mt.Loader(
        slide, mt.grid(slide, (128, 128)), (128, 128), batch_size=4, workers=2, prefetch=prefetch
    )
    begin = mt.info()["counters"]["decoded"]
    iterator = iter(loader)
    next(iterator)
    deadline = time.monotonic() + 60
    while mt.info()["counters"]["decoded"] - begin < 4 * (1 + prefetch):
        assert time.monotonic() < deadline, "the workers do not decode ahead"
    assert mt.info()["counters"]["decoded"] - begin == 4 * (1 + prefetch)
    assert len(list(iterator)) == len(loader) - 1


def test_workers_is_how_many_threads_decode_at_most(pyramid):
    code = (
        "import sys, microtome as mt\n"
        "slide = mt.open(sys.argv[1])\n"
        "for workers in (1, 3, 5):\n"
        "    list(mt.Loader(slide, mt.grid(slide, (128, 128)), (128, 128), batch_size=48, workers=workers))\n"
        "    print(mt.info()['threads'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, pyramid.path], capture_output=True, text=True, check=True
    )
    alone, three, five = map(int, done.stdout.split())
    assert alone == 0
    assert 1 <= three <= 3  # a thread starts when there is work that no idle one could do
    assert three <= five <= 5


def test_pickling(pyramid, slide):
    loader = mt.Loader(
        slide, points(20), SIZE, level=1, batch_size=6, shuffle=True, seed=4, fill=7, workers=2
    )
    loader.set_epoch(3)
    other = pickle.loads(pickle.dumps(loader))
    assert other.epoch == 3
    for a, b in zip(loader, other, strict=True):
        np.testing.assert_array_equal(a.pixels, b.pixels)
        np.testing.assert_array_equal(a.indices, b.indices)


def test_repr(slide):
    text = repr(mt.Loader(slide, points(20), SIZE, batch_size=6))
    assert text == "<microtome.Loader: 20 patches of 60×50 from 1 slide, 4 batches of 6>"


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"batch_size": 0}, ValueError, "batch_size = 0, expected at least 1"),
        ({"batch_size": 2.0}, TypeError, "batch_size = 2.0"),
        ({"prefetch": -1}, ValueError, "prefetch = -1, expected at least 0"),
        ({"workers": 0}, ValueError, "workers = 0, expected at least 1"),
        ({"seed": -1}, ValueError, "seed = -1"),
        ({"seed": 2**64}, ValueError, f"seed = {2**64}"),
        ({"seed": 1.5}, TypeError, "seed = 1.5"),
        ({"shuffle": 1}, TypeError, "shuffle = 1"),
        ({"drop_last": "no"}, TypeError, "drop_last = 'no'"),
        ({"rank": 2, "world_size": 2}, ValueError, "rank = 2, expected 0 to 1"),
        ({"rank": -1}, ValueError, "rank = -1"),
        ({"world_size": 0}, ValueError, "world_size = 0"),
        ({"on_error": "skip"}, ValueError, "on_error = 'skip'"),
        ({"fill": (1, 2)}, ValueError, "2"),
        ({"device": "gpu"}, ValueError, "device = 'gpu', expected 'cpu', 'cuda' or 'cuda:N'"),
        ({"device": 0}, TypeError, "device = 0"),
        ({"device": "cuda"}, mt.DeviceUnavailableError, "device = 'cuda'"),
        ({"device": "cuda:1"}, mt.DeviceUnavailableError, "device = 'cuda:1'"),
        ({"num_workers": 2}, TypeError, "unexpected keyword argument 'num_workers'"),
    ],
)
def test_bad_options(options, error, text, slide):
    with pytest.raises(error, match=text):
        iter(mt.Loader(slide, points(3), SIZE, **options))


@pytest.mark.parametrize("size", [(0, 5), (5, -1), (5.5, 5), 5])
def test_bad_sizes(size, slide):
    with pytest.raises((TypeError, ValueError), match="size"):
        mt.Loader(slide, points(3), size)


@pytest.mark.parametrize("epoch", [-1, 1.5])
def test_bad_epochs(epoch, slide):
    with pytest.raises((TypeError, ValueError), match="epoch"):
        mt.Loader(slide, points(3), SIZE).set_epoch(epoch)
