"""What a loader counts while it works."""

import pickle
import threading

import microtome as mt
import numpy as np
import pytest

TILE = 128  # of the pyramid, whose level 0 has 8 × 6 tiles


def half_offset(slide):
    """Patches of a tile's size that start in tiles' middles: each tile is shared by up to four."""
    return mt.grid(slide, (TILE, TILE)) + TILE // 2


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_each_tile_is_decoded_once_and_reused(slide, workers):
    locations = half_offset(slide)
    loader = mt.Loader(slide, locations, (TILE, TILE), batch_size=7, workers=workers)
    batches = list(loader)
    stats = loader.stats()
    assert stats.batches == len(batches) == 7
    assert stats.tiles == stats.decoded == 48
    # Patches inside are of four tiles, those beyond the right and the lower side of two, and the corner of one.
    pieces = 7 * 5 * 4 + (7 + 5) * 2 + 1
    assert stats.reused == pieces - 48
    assert stats.constant == stats.twins == stats.absent == 0
    assert stats.bytes_read > 0


def test_bytes_read_are_those_of_the_tiles(slide, pyramid):
    import tifffile

    loader = mt.Loader(slide, [(0, 0), (TILE, 0)], (TILE, TILE))
    list(loader)
    with tifffile.TiffFile(pyramid.path) as file:
        assert loader.stats().bytes_read == sum(file.pages[0].databytecounts[:2])


def test_tiles_that_do_not_fit_are_decoded_again_and_counted(slide):
    locations = np.concatenate([half_offset(slide)] * 2)
    loader = mt.Loader(slide, locations, (TILE, TILE), batch_size=48)
    list(loader)
    assert loader.stats().tiles == loader.stats().decoded == 48
    mt.cache.configure(capacity_bytes=TILE * TILE * 3)  # the process's cache, of one tile, is used instead
    try:
        list(loader)
    finally:
        mt.cache.configure(capacity_bytes=0)
    assert loader.stats().tiles == 48
    assert loader.stats().decoded > 48


def test_absent_tiles(made_slide):
    with mt.open(made_slide("generic-sparse")) as slide:
        loader = mt.Loader(slide, mt.grid(slide, (64, 64)), (64, 64), batch_size=1000)
        list(loader)
        stats = loader.stats()
        assert stats.absent > 0
        assert stats.tiles == stats.absent + stats.decoded + stats.constant + stats.twins


def test_each_epoch_begins_anew_and_the_last_begun_counts(slide):
    loader = mt.Loader(slide, half_offset(slide), (TILE, TILE), batch_size=8)
    assert loader.stats() == mt.LoaderStats() == (*(0,) * 16, "")
    first = iter(loader)
    next(first)
    assert loader.stats().batches == 1
    second = iter(loader)
    assert loader.stats().batches == 0
    next(first)
    assert loader.stats().batches == 0
    next(second)
    assert loader.stats().batches == 1
    del first, second
    assert loader.stats().batches == 1  # what was counted outlives the iterator


def test_waiting(slide):
    loader = mt.Loader(slide, half_offset(slide), (TILE, TILE), batch_size=4, workers=2, prefetch=1)
    iterator = iter(loader)
    next(iterator)
    before = loader.stats()
    assert before.consumer_waited > 0
    # While the consumer keeps its batch, the workers have one batch to decode and then nothing.
    again = loader.stats()
    while again.workers_waited < before.workers_waited + 0.01:
        again = loader.stats()
    assert again.consumer_waited == before.consumer_waited
    alone = mt.Loader(slide, half_offset(slide), (TILE, TILE), batch_size=4, workers=1)
    list(alone)
    assert alone.stats().workers_waited == 0


def test_another_thread_may_ask_meanwhile(slide):
    loader = mt.Loader(slide, np.tile(half_offset(slide), (8, 1)), (TILE, TILE), batch_size=4, workers=2)
    ended = threading.Event()
    seen = []

    def watch():
        while not ended.is_set():
            seen.append(loader.stats())

    watcher = threading.Thread(target=watch)
    watcher.start()
    count = len(list(loader))
    ended.set()
    watcher.join()
    for earlier, later in zip(seen, [*seen[1:], loader.stats()], strict=True):
        assert earlier.batches <= later.batches <= count
        assert earlier.tiles <= later.tiles and earlier.decoded <= later.decoded
    assert loader.stats().batches == count


def test_a_pickled_loader_begins_at_zero(slide):
    loader = mt.Loader(slide, half_offset(slide), (TILE, TILE))
    list(loader)
    assert pickle.loads(pickle.dumps(loader)).stats() == mt.LoaderStats()
