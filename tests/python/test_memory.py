"""Memory: what a read takes beside its result, and that the memory of dropped results serves the next ones."""

from __future__ import annotations

import subprocess
import sys
import threading

import microtome as mt
import numpy as np
import pytest
from microtome import CuImage
from reference import write_pyramid

MIB = 1 << 20

# Prints how far the high-water mark rose above what was resident before the read, and the bytes of the result.
# VmHWM is the process image's own; ru_maxrss begins with what the parent had when it forked.
READ_LEVEL = """
import sys
import numpy as np
import microtome as mt

def resident(name):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(name + ":"))

slide = mt.open(sys.argv[1])
out = np.empty((*slide.size[::-1], 3), np.uint8) if sys.argv[3] == "out" else None
before = resident("VmRSS")
pixels = slide.read_level(0, out=out, workers=int(sys.argv[2]))
print(resident("VmHWM") - before, pixels.nbytes)
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Paths of slides with one level of 24 MiB, which is more than a read may take beside its result."""
    folder = tmp_path_factory.mktemp("large")
    y, x = np.mgrid[:2912, :2880]
    level = np.stack([x % 251, y % 241, (x // 16 + y // 16) % 256], axis=-1).astype(np.uint8)
    paths = {"jpeg": str(folder / "jpeg.tif"), "j2k": str(folder / "j2k.tif")}
    write_pyramid(paths["jpeg"], [level], tile=(256, 256), compression="jpeg")
    write_pyramid(paths["j2k"], [level], tile=(240, 240), compression="aperio_jp2000_rgb")
    return paths


@pytest.mark.parametrize(
    "name, workers, destination, beside_mib",
    [
        ("jpeg", 1, "fresh", 4),
        ("jpeg", 2, "out", 4),
        ("jpeg", 16, "fresh", 10),
        ("j2k", 1, "out", 6),
        ("j2k", 2, "fresh", 8),
        ("j2k", 16, "out", 24),
    ],
)
def test_peak_of_a_whole_level(large, name, workers, destination, beside_mib):
    command = [sys.executable, "-c", READ_LEVEL, large[name], str(workers), destination]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rise, nbytes = (int(word) for word in done.stdout.split())
    assert nbytes > 23 * MIB
    assert nbytes <= rise + MIB, "the result was touched before the read: this measures nothing"
    assert rise - nbytes < beside_mib * MIB


@pytest.fixture
def taken(slide):
    """Function: how many blocks were (reused, fresh) while `work` ran, which begins with an empty pool."""

    def count(work):
        mt.cache.clear()
        before = mt.cache.info()
        work()
        after = mt.cache.info()
        return tuple(after[name] - before[name] for name in ("pool_reused", "pool_fresh"))

    return count


def read(slide):
    return slide.read((0, 0), (1024, 700))  # 2.1 MB


def test_a_dropped_result_serves_the_next_read(slide, taken):
    def work():
        for _ in range(5):
            read(slide)

    assert taken(work) == (4, 1)


def test_a_view_keeps_the_memory_of_its_array(slide, taken):
    def work():
        part = read(slide)[10:20, ::2]
        expected = part.copy()
        for _ in range(3):
            other = read(slide)
            other[...] = 0
        np.testing.assert_array_equal(part, expected)
        del part, other
        read(slide)

    # The view holds the first block; `other` holds one while the next is read: three blocks in all.
    assert taken(work) == (2, 3)


def test_a_result_dropped_in_another_thread_serves_the_next_read(slide, taken):
    def work():
        for _ in range(3):
            results = [read(slide)]
            thread = threading.Thread(target=results.clear)
            thread.start()
            thread.join()

    assert taken(work) == (2, 1)


def test_regions_of_a_cuimage_come_back(pyramid, taken):
    image = CuImage(pyramid.path)

    def work():
        for _ in range(3):
            np.asarray(image.read_region((0, 0), (1024, 700))).sum()

    assert taken(work) == (2, 1)


def test_batches_come_back_also_as_views(slide, taken):
    loader = mt.Loader(slide, mt.grid(slide, (256, 256)), (256, 256), batch_size=2, workers=1, prefetch=0)

    def work():
        for batch in loader:
            rows = np.asarray(batch)[1:]
            del batch
            rows.sum()
            del rows

    assert taken(work) == (5, 1)


def test_a_batch_outlives_its_loader_and_its_slide(pyramid, taken):
    def work():
        with mt.open(pyramid.path) as slide:
            batch = next(iter(mt.Loader(slide, [(0, 0)], (512, 512), workers=1)))
        expected = pyramid.levels[0][:512, :512]
        np.testing.assert_array_equal(batch.pixels[0], expected)
        del batch, slide
        with mt.open(pyramid.path) as slide:
            slide.read((0, 0), (512, 512))

    assert taken(work) == (1, 1)
