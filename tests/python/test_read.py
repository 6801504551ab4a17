"""Slide.read and read_level: pixels, and every argument."""

import microtome as mt
import numpy as np
import pytest
from reference import crop, random_levels, reference_levels, write_pyramid

NAN = float("nan")


@pytest.mark.parametrize("workers", [None, 1, 2, 8])
@pytest.mark.parametrize("level", [0, 1, 2])
def test_regions_are_crops_of_the_level(level, workers, slide, pyramid):
    scale = 2**level
    for x, y, w, h in [
        (0, 0, 1, 1),
        (3, 5, 200, 140),
        (128, 128, 128, 128),
        (-20, -30, 50, 60),
        (100, 90, 999, 999),
    ]:
        found = slide.read((x * scale, y * scale), (w, h), level=level, workers=workers)
        assert found.flags.c_contiguous
        np.testing.assert_array_equal(found, crop(pyramid.levels[level], x, y, (w, h)))


def test_locations_map_to_the_nearest_pixel_halves_up(slide, pyramid):
    # At level 2 a pixel is 4 level-0 pixels: 5.999 → 1, 6 (1.5) → 2; -2 (-0.5) → 0, -3 → -1.
    for x, expected in [(0, 0), (1, 0), (2, 1), (5, 1), (6, 2), (-2, 0), (-3, -1)]:
        found = slide.read((x, 0), (3, 1), level=2)
        np.testing.assert_array_equal(found, crop(pyramid.levels[2], expected, 0, (3, 1)))


@pytest.mark.parametrize(
    "name", ["aperio-jpeg-420", "generic-j2k-34712", "generic-lzw-predictor", "generic-bigendian"]
)
def test_made_slides_are_as_tifffile_reads_them(name, made_slide):
    slide = mt.open(made_slide(name))
    levels = reference_levels(made_slide(name))
    assert len(levels) == len(slide.levels)
    for index, level in enumerate(levels):
        np.testing.assert_array_equal(slide.read_level(index), level)


def test_real_slides_read(real_slides):
    for path in sorted(real_slides.glob("aperio/*.svs"))[:3]:
        with mt.open(path) as slide:
            assert slide.read((0, 0), (100, 100)).std() >= 0
            assert slide.thumbnail(100).shape[2] == 3


def test_fill(slide):
    assert (slide.read((-5, 0), (5, 5)) == 255).all()
    assert (slide.read((-5, 0), (5, 5), fill=7) == 7).all()
    assert (slide.read((2**40, -(2**40)), (5, 5), fill=(1, 2, 3)) == (1, 2, 3)).all()
    assert (slide.read((0, 10**9), (5, 5), fill=np.array([1, 2, 3]), level=2) == (1, 2, 3)).all()


def test_absent_tiles_are_filled(made_slide):
    slide = mt.open(made_slide("generic-sparse"))
    assert (slide.read((0, 0), (128, 128), fill=(9, 8, 7)) == (9, 8, 7)).all()
    assert slide.last_errors == ()


@pytest.mark.parametrize(
    ("fill", "error", "text"),
    [((1, 2), ValueError, "2"), (256, ValueError, "256"), (-1, ValueError, "-1"), ("red", TypeError, "'red'"),
     (None, TypeError, "None"), (NAN, ValueError, "nan")],
)  # fmt: skip
def test_bad_fill(fill, error, text, slide):
    with pytest.raises(error, match=text):
        slide.read((0, 0), (5, 5), fill=fill)


def test_out_is_written_and_returned(slide, pyramid):
    out = np.zeros((40, 30, 3), np.uint8)
    assert slide.read((3, 4), (30, 40), out=out) is out
    np.testing.assert_array_equal(out, pyramid.levels[0][4:44, 3:33])
    canvas = np.zeros((50, 60, 3), np.uint8)
    part = canvas[5:45, 7:37]
    assert slide.read((3, 4), (30, 40), out=part) is part
    np.testing.assert_array_equal(canvas[5:45, 7:37], pyramid.levels[0][4:44, 3:33])
    assert canvas.sum() == part.sum()
    whole = np.zeros((192, 256, 3), np.uint8)
    assert slide.read_level(2, out=whole) is whole
    np.testing.assert_array_equal(whole, pyramid.levels[2])


def test_out_may_be_any_exporter_of_memory(slide, pyramid):
    memory = bytearray(40 * 30 * 3)
    view = memoryview(memory).cast("B", (40, 30, 3))
    assert slide.read((3, 4), (30, 40), out=view) is view
    assert bytes(memory) == pyramid.levels[0][4:44, 3:33].tobytes()

    class Exporter:
        def __init__(self):
            self.array = np.zeros((40, 30, 3), np.uint8)
            self.__array_interface__ = self.array.__array_interface__

    exporter = Exporter()
    assert slide.read((3, 4), (30, 40), out=exporter) is exporter
    np.testing.assert_array_equal(exporter.array, pyramid.levels[0][4:44, 3:33])


def read_only(array):
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    ("out", "error", "text"),
    [
        (np.zeros((30, 40, 3), np.uint8), ValueError, r"\(30, 40, 3\).*expected \(40, 30, 3\)"),
        (np.zeros((40, 30), np.uint8), ValueError, r"\(40, 30\)"),
        (np.zeros((40, 30, 3), np.float32), ValueError, "float32.*uint8"),
        (read_only(np.zeros((40, 30, 3), np.uint8)), ValueError, "read-only"),
        (np.zeros((3, 40, 30), np.uint8).transpose(1, 2, 0), ValueError, "strides"),
        (np.zeros((40, 60, 3), np.uint8)[:, ::2], ValueError, "strides"),
        (np.zeros((40, 30, 3), np.uint8)[::-1], ValueError, "rows -90 bytes apart"),
        (np.zeros((40, 30, 3), np.uint8)[:, :, ::-1], ValueError, "strides"),
        ([[[0] * 3] * 30] * 40, TypeError, "list"),
        (5, TypeError, "int"),
        (bytes(3600), ValueError, "shape"),
    ],
)
def test_bad_out(out, error, text, slide):
    with pytest.raises(error, match=text):
        slide.read((3, 4), (30, 40), out=out)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
def test_sample_types(dtype, channels, tmp_path):
    levels = random_levels((300, 200), 2, channels=channels, dtype=dtype)
    path = tmp_path / "samples.tif"
    write_pyramid(path, levels)
    slide = mt.open(path)
    assert slide.dtype == dtype
    for index, level in enumerate(levels):
        np.testing.assert_array_equal(slide.read_level(index), level)
    out = np.zeros((20, 10, channels), dtype)
    np.testing.assert_array_equal(slide.read((290, 5), (10, 20), out=out), levels[0][5:25, 290:300])
    assert (slide.read((-9, 0), (9, 9), fill=3) == 3).all()


def test_the_default_fill_of_int8_is_its_largest(tmp_path):
    path = tmp_path / "int8.tif"
    write_pyramid(path, random_levels((30, 20), 1, channels=1, dtype=np.int8), tile=(16, 16))
    slide = mt.open(path)
    assert (slide.read((-5, 0), (5, 5)) == 127).all()
    assert (mt.Loader(slide, [(-5, 0)], (5, 5))._fill) == [127.0]
    with pytest.raises(ValueError, match="254"):
        slide.read((-5, 0), (5, 5), fill=254)


INTEGERS = [3, np.int8(3), np.uint64(3), np.array(3)]


@pytest.mark.parametrize("three", INTEGERS, ids=lambda value: type(value).__name__)
def test_any_integer_will_do(three, slide, pyramid):
    expected = pyramid.levels[0][3:6, 3:6]
    np.testing.assert_array_equal(slide.read((three, three), (three, three)), expected)
    np.testing.assert_array_equal(slide.read([three, three], np.array([3, 3])), expected)


@pytest.mark.parametrize(
    ("location", "error", "text"),
    [
        ((0.5, 0), TypeError, "location x = 0.5 is of type float"),
        ((0, np.float64(2)), TypeError, "location y = .*2.0.* is of type float64"),
        ((NAN, 0), TypeError, "location x = nan"),
        ((0, True), TypeError, "location y = True is a bool"),
        (("1", 0), TypeError, "location x = '1'"),
        ((2**63, 0), ValueError, f"location x = {2**63} does not fit"),
        ((0, -(2**63) - 1), ValueError, f"location y = {-(2**63) - 1} does not fit"),
        ((0, 0, 0), ValueError, r"\(0, 0, 0\) has 3 values"),
        ((0,), ValueError, "1 value"),
        (5, TypeError, "location = 5"),
        ("00", TypeError, "location = '00'"),
        (None, TypeError, "location = None"),
    ],
)
def test_bad_locations(location, error, text, slide):
    with pytest.raises(error, match=text):
        slide.read(location, (10, 10))


@pytest.mark.parametrize(
    ("size", "error", "text"),
    [
        ((0, 5), ValueError, r"size = \(0, 5\)"),
        ((5, -1), ValueError, r"size = \(5, -1\)"),
        ((5.0, 5), TypeError, "size w = 5.0"),
        ((5, NAN), TypeError, "size h = nan"),
        ((5, 2**70), ValueError, f"size h = {2**70} does not fit"),
        (5, TypeError, "size = 5"),
        ((5, 5, 5), ValueError, "3 values"),
    ],
)
def test_bad_sizes(size, error, text, slide):
    with pytest.raises(error, match=text):
        slide.read((0, 0), size)


def test_more_than_memory_can_hold(slide):
    with pytest.raises(MemoryError):
        slide.read((0, 0), (2**31, 2**31))
    with pytest.raises((MemoryError, ValueError)):
        slide.read((2**62, 0), (2**62, 2**62))


@pytest.mark.parametrize("extreme", [2**63 - 1, -(2**63)])
def test_extreme_locations_are_background_or_refused(extreme, slide):
    for level in range(3):
        try:
            assert (slide.read((extreme, 0), (2, 2), level=level) == 255).all()
        except ValueError as error:
            assert level == 0, error  # x + w passes 64 bits


@pytest.mark.parametrize("workers", [0, -1])
def test_bad_workers(workers, slide):
    with pytest.raises(ValueError, match=f"workers = {workers}, expected at least 1"):
        slide.read((0, 0), (5, 5), workers=workers)
    with pytest.raises(TypeError, match="workers = 1.5"):
        slide.read((0, 0), (5, 5), workers=1.5)


def test_one_worker_is_the_callers_thread(pyramid):
    import subprocess
    import sys

    code = (
        "import os, sys, numpy, microtome as mt\n"  # NumPy starts threads of its own
        "threads = lambda: len(os.listdir('/proc/self/task'))\n"
        "before = threads()\n"
        "slide = mt.open(sys.argv[1])\n"
        "slide.read_level(0, workers=1)\n"
        "slide.read((0, 0), (1024, 768), workers=1)\n"
        "slide.thumbnail(1000, workers=1)\n"
        "[b for b in mt.Loader(slide, [0, 0, 100, 100], (300, 300), batch_size=1, workers=1)]\n"
        "assert threads() == before, 'workers=1 started a thread'\n"
        "slide.read_level(0, workers=3)\n"
        "assert threads() > before, 'workers=3 started none'\n"
    )
    subprocess.run([sys.executable, "-c", code, pyramid.path], check=True)


def test_no_number_of_workers_means_those_this_process_may_use(pyramid):
    import subprocess
    import sys

    code = (
        "import os, sys, numpy, microtome as mt\n"  # NumPy starts threads of its own
        "threads = lambda: len(os.listdir('/proc/self/task'))\n"
        "before = threads()\n"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "mt.open(sys.argv[1]).read_level(0)\n"
        "assert threads() == before, 'a process of one CPU started a thread'\n"
    )
    subprocess.run([sys.executable, "-c", code, pyramid.path], check=True)


@pytest.mark.parametrize("workers", [1, 4])
def test_a_broken_tile_raises(workers, broken_path):
    slide = mt.open(broken_path)
    with pytest.raises(mt.CorruptSlideError, match="broken.tif") as raised:
        slide.read((100, 0), (200, 100), workers=workers)
    assert "level 0" in str(raised.value)
    assert "1,0" in str(raised.value)
    np.testing.assert_array_equal(slide.read((0, 0), (128, 128)).shape, (128, 128, 3))


@pytest.mark.parametrize("workers", [1, 4])
def test_a_broken_tile_is_filled_and_reported(workers, broken_path, pyramid):
    slide = mt.open(broken_path)
    found = slide.read((100, 0), (200, 100), on_error="fill", fill=(1, 2, 3), workers=workers)
    expected = pyramid.levels[0][:100, 100:300].copy()
    expected[:, 28:156] = (1, 2, 3)
    np.testing.assert_array_equal(found, expected)
    ((row, message),) = slide.last_errors
    assert row == 0
    assert "level 0" in message
    slide.read((0, 300), (10, 10), on_error="fill")
    assert slide.last_errors == ()


def test_last_errors_belong_to_the_thread(broken_path):
    import threading

    slide = mt.open(broken_path)
    slide.read((100, 0), (200, 100), on_error="fill")
    seen = []
    thread = threading.Thread(target=lambda: seen.append(slide.last_errors))
    thread.start()
    thread.join()
    assert seen == [()]
    assert len(slide.last_errors) == 1


def test_bad_on_error(slide):
    with pytest.raises(ValueError, match="on_error = 'ignore', expected 'raise' or 'fill'"):
        slide.read((0, 0), (5, 5), on_error="ignore")


@pytest.mark.parametrize("call", ["read", "read_level", "thumbnail"])
def test_unknown_keywords(call, slide):
    arguments = {"read": ((0, 0), (5, 5)), "read_level": (0,), "thumbnail": (5,)}[call]
    with pytest.raises(TypeError, match="unexpected keyword argument 'levels'"):
        getattr(slide, call)(*arguments, levels=1)


def test_the_file_changing_is_an_error(pyramid, tmp_path):
    path = tmp_path / "changing.tif"
    with open(pyramid.path, "rb") as file:
        path.write_bytes(file.read())
    slide = mt.open(path)
    with open(path, "r+b") as file:
        file.truncate(1000)
    with pytest.raises(OSError, match="changing.tif"):
        slide.read((0, 0), (100, 100))
