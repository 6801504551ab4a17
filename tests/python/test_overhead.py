"""What a small read does beside its copy, counted: calls of functions, and threads that wake up.

Times say the same, but not on a busy machine.
"""

from __future__ import annotations

import os
import sys
import time

import microtome as mt
import numpy as np
import pytest
from microtome import CuImage


def calls_of(work) -> int:
    """How many functions, in Python or C, `work` calls."""
    count = 0

    def note(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count - 2  # `work` itself and the last setprofile


@pytest.fixture
def cached(pyramid, tile_cache):
    """A slide and a CuImage of the same file, all of whose tiles are in the tile cache."""
    tile_cache(64 << 20)
    with mt.open(pyramid.path) as slide:
        slide.read_level(0)
        yield slide, CuImage(pyramid.path)


def test_a_small_read_calls_few_functions(cached):
    slide, _ = cached
    out = np.empty((256, 256, 3), np.uint8)
    assert calls_of(lambda: slide.read((128, 0), (256, 256), level=0, out=out, workers=1)) <= 35
    assert calls_of(lambda: slide.read((128, 0), (256, 256), level=0)) <= 35


def test_a_small_read_of_a_cuimage_calls_few_functions(cached):
    _, image = cached
    out = np.empty((256, 256, 3), np.uint8)
    region = {"location": (128, 0), "size": (256, 256), "level": 0}
    assert calls_of(lambda: image.read_region(**region, buf=out, num_workers=1)) <= 75
    assert calls_of(lambda: image.read_region(**region)) <= 75


def test_a_small_read_of_cached_tiles_wakes_no_thread(cached, pyramid):
    slide, _ = cached

    def switches():
        """Of each of our threads: how often it gave up a processor to wait."""
        waits = {}
        for task in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{task}/status") as status:
                lines = dict(line.rstrip().split(":", 1) for line in status)
            if lines["Name"].strip().startswith("microtome-"):
                waits[task] = int(lines["voluntary_ctxt_switches"])
        return waits

    before = None
    while (now := switches()) != before:  # some may be about to wait
        before = now
        time.sleep(0.2)
    for _ in range(100):
        pixels = slide.read((64, 64), (256, 256), workers=16)  # nine tiles
    assert before and switches() == before
    np.testing.assert_array_equal(pixels, pyramid.levels[0][64:320, 64:320])


def test_the_rows_of_a_batch_cost_no_calls(cached):
    slide, _ = cached
    locations = mt.grid(slide, (64, 64))
    few = iter(mt.Loader(slide, locations, (64, 64), batch_size=2, workers=1))
    many = iter(mt.Loader(slide, locations, (64, 64), batch_size=100, workers=1))
    calls = calls_of(lambda: next(few))
    assert calls <= 10
    assert calls_of(lambda: next(many)) == calls
