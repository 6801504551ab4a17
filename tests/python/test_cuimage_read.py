"""CuImage.read_region of one region. Expected pixels are tifffile's."""

import array
import inspect
from pathlib import Path

import microtome as mt
import numpy as np
import pytest
import tifffile
from microtome import CuImage
from microtome.clara.io import Device
from reference import crop, reference_levels


@pytest.fixture
def img(made_slide):
    return CuImage(made_slide("generic-deflate"))


@pytest.fixture
def levels(img):
    return reference_levels(img.path)


def test_signature_is_cucims():
    found = inspect.signature(CuImage.read_region).parameters
    assert list(found) == [
        *("self", "location", "size", "level", "num_workers", "batch_size", "drop_last", "prefetch_factor"),
        *("shuffle", "seed", "device", "buf", "shm_name", "kwargs"),
    ]
    defaults = [parameter.default for parameter in found.values()][1:-1]
    assert defaults == [(), (), 0, 0, 1, False, 2, False, 0, Device("cpu"), None, ""]


def test_positional_arguments(img, levels):
    region = img.read_region((5, 7), (30, 20), 0, 1, 1, False, 2, False, 0, Device("cpu"), None, "")
    assert np.array_equal(np.asarray(region), levels[0][7:27, 5:35])


# Location and size


def test_defaults_are_the_whole_level(img, levels):
    for number, level in enumerate(levels):
        assert np.array_equal(np.asarray(img.read_region(level=number)), level)
    assert np.array_equal(np.asarray(img.read_region(size=(9, 8))), levels[0][:8, :9])
    assert np.array_equal(
        np.asarray(img.read_region((10, 20))), crop(levels[0], 10, 20, levels[0].shape[1::-1], 0)
    )


LOCATIONS = {
    "tuple": (33, 44),
    "list": [33, 44],
    "pair": [(33, 44)],
    "tuple of lists": ([33, 44],),
    "generator": lambda: (value for value in (33, 44)),
    "range": range(33, 45, 11),
    "int64": np.array([33, 44], np.int64),
    "int64 pair": np.array([[33, 44]], np.int64),
    "int32": np.array([33, 44], np.int32),
    "uint16": np.array([[33, 44]], np.uint16),
    "uint64": np.array([[33, 44]], np.uint64),
    "big-endian": np.array([33, 44], ">i4"),
    "longlong": np.array([33, 44], np.longlong),
    "strided": np.array([33, 0, 44, 0])[::2],
    "reversed": np.array([44, 33])[::-1],
    "Fortran": np.asfortranarray(np.array([[33, 44]])),
    "list of arrays": [np.array([33, 44])],
    "NumPy scalars": (np.int64(33), np.uint8(44)),
    "array.array": array.array("i", [33, 44]),
    "memoryview": memoryview(np.array([33, 44])),
}


@pytest.mark.parametrize("form", LOCATIONS)
def test_forms_of_one_location(img, levels, form):
    location = LOCATIONS[form]() if callable(LOCATIONS[form]) else LOCATIONS[form]
    region = img.read_region(location, (12, 10))
    assert np.array_equal(np.asarray(region), levels[0][44:54, 33:45])
    assert region.locations.tolist() == [[33, 44]] and region.indices.tolist() == [0]


@pytest.mark.parametrize(
    ("location", "expected", "text"),
    [
        ((1.0, 2.0), (TypeError, RuntimeError), "expected integers, found 1.0"),
        ([(1.5, 2)], (TypeError, RuntimeError), "expected integers"),
        (np.array([1.0, 2.0]), (TypeError, RuntimeError), "array of float64"),
        ((float("nan"), 0), (TypeError, RuntimeError), "found nan"),
        ("12", (TypeError,), "expected integers, found '12'"),
        (["1", "2"], (TypeError,), "expected integers, found '1'"),
        ([[[1, 2]]], (ValueError, RuntimeError), "shape"),
        ((1,), (ValueError, RuntimeError), "The number of locations should be the multiplication"),
        ((1, 2, 3), (ValueError, RuntimeError), "found 3 numbers"),
        ((2**63, 0), (ValueError, RuntimeError), "9223372036854775808 is beyond 64 bits"),
        ((-(2**63) - 1, 0), (ValueError, RuntimeError), "beyond 64 bits"),
        (np.array([2**63, 0], np.uint64), (ValueError, RuntimeError), "beyond 64 bits"),
        (5, (TypeError,), "expected an iterable of x and y, found 5"),
        (None, (TypeError,), "found None"),
    ],
)
def test_locations_that_cannot_be(img, location, expected, text):
    for kind in expected:
        with pytest.raises(kind, match=text):
            img.read_region(location, (4, 4))


@pytest.mark.parametrize(
    "size", [(12, 10), [12, 10], np.array([12, 10]), (np.int64(12), np.int32(10)), range(12, 9, -2)]
)
def test_forms_of_size(img, levels, size):
    assert np.array_equal(np.asarray(img.read_region((1, 2), size)), levels[0][2:12, 1:13])


@pytest.mark.parametrize(
    ("size", "expected", "text"),
    [
        ((5,), (ValueError, RuntimeError), r"size \(patch size\) should be 2!"),
        ((5, 5, 3), (ValueError, RuntimeError), r"size \(patch size\) should be 2!"),
        ((0, 5), (ValueError,), r"Invalid size \(0\) in the request! \(Should be > 0\)"),
        ((5, -5), (ValueError,), r"Invalid size \(-5\)"),
        ((5.0, 5), (TypeError,), "size: expected two integers"),
        (5, (TypeError,), "size: expected two integers"),
        ((604, 5), (ValueError,), "exceeds the original image width 603"),
        ((5, 438), (ValueError,), "exceeds the original image height 437"),
    ],
)
def test_sizes_that_cannot_be(img, size, expected, text):
    for kind in expected:
        with pytest.raises(kind, match=text):
            img.read_region((0, 0), size)


# Level


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("location", [(0, 0), (1, 1), (101, 53), (602, 436), (-7, -9)])
def test_a_location_maps_to_the_levels_nearest_pixel(img, levels, level, location):
    height0, width0 = levels[0].shape[:2]
    height, width = levels[level].shape[:2]
    x = (2 * location[0] * width + width0) // (2 * width0)
    y = (2 * location[1] * height + height0) // (2 * height0)
    found = np.asarray(img.read_region(location, (31, 17), level=level))
    assert np.array_equal(found, crop(levels[level], x, y, (31, 17), 0))


def test_a_size_larger_than_the_level_is_padded(img, levels):
    width = levels[2].shape[1] + 50
    found = np.asarray(img.read_region((0, 0), (width, 20), level=2))
    assert np.array_equal(found, crop(levels[2], 0, 0, (width, 20), 0))


@pytest.mark.parametrize(
    ("level", "size", "expected", "text"),
    [
        (3, (), (ValueError, IndexError), "'level' should be less than 3"),
        (-1, (), (ValueError, IndexError), "'level' should be less than 3"),
        (3, (5, 5), (ValueError, IndexError), r"Invalid level \(3\) in the request! \(Should be < 3\)"),
        (-1, (5, 5), (ValueError, IndexError), r"Invalid level \(-1\)"),
        (10**6, (5, 5), (ValueError, IndexError), r"Invalid level \(1000000\)"),
        (1.0, (5, 5), (TypeError,), "level: expected an integer, found 1.0"),
        ("1", (5, 5), (TypeError,), "level: expected an integer"),
    ],
)
def test_levels_that_are_not_there(img, level, size, expected, text):
    for kind in expected:
        with pytest.raises(kind, match=text):
            img.read_region((0, 0), size, level)


# Out of bounds


@pytest.mark.parametrize("num_workers", [0, 2])
@pytest.mark.parametrize(("name", "fill"), [("generic-deflate", 0), ("aperio-jpeg-rgb", 255)])
def test_background(made_slide, name, fill, num_workers):
    img = CuImage(made_slide(name))
    width, height = img.size("XY")
    whole = np.asarray(img.read_region())
    for x, y in [
        *((-10, -10), (width - 10, -10), (-10, height - 10), (width - 10, height - 10)),
        *((width, 0), (0, height), (-20, 0), (10**6, 0), (2**40, 0), (-(2**62), -(2**62))),
    ]:
        found = np.asarray(img.read_region((x, y), (20, 20), num_workers=num_workers))
        assert np.array_equal(found, crop(whole, x, y, (20, 20), fill)), (x, y)


def test_absent_tiles_are_background(made_slide):
    img = CuImage(made_slide("generic-sparse"))
    whole = np.asarray(img.read_region())
    assert not whole[:128, :128].any() and whole[:128, 128:256].any()


# RGB or RGBA


def test_grey_becomes_opaque_rgba(made_slide):
    img = CuImage(made_slide("generic-jpeg-grey"))
    with tifffile.TiffFile(img.path) as file:
        grey = file.pages[0].asarray()
    found = np.asarray(img.read_region())
    assert found.shape == (*grey.shape, 4) and found.dtype == np.uint8
    assert all(np.array_equal(found[..., channel], grey) for channel in range(3))
    assert (found[..., 3] == 255).all()
    assert np.asarray(img.read_region((-1, 0), (1, 1))).tolist() == [[[0, 0, 0, 255]]]


def test_rgba_is_as_stored(made_slide):
    img = CuImage(made_slide("generic-rgba"))
    assert np.array_equal(np.asarray(img.read_region()), reference_levels(img.path)[0])
    batches = list(img.read_region([0, 0, 9, 9], (8, 8), batch_size=2))
    assert np.asarray(batches[0]).shape == (2, 8, 8, 4)  # cuCIM fails


def test_16_bit_grey_keeps_its_high_byte(made_slide):
    img = CuImage(made_slide("generic-uint16"))
    with tifffile.TiffFile(img.path) as file:
        high = (file.pages[0].asarray() >> 8).astype(np.uint8)
    found = np.asarray(img.read_region())
    assert np.array_equal(found[..., :3], np.repeat(high[..., None], 3, axis=2))
    assert (found[..., 3] == 255).all()


def test_16_bit_rgb_is_rounded(tmp_path):
    values = np.arange(0, 65536, 16, dtype=np.uint16)[: 64 * 64].repeat(3).reshape(64, 64, 3)
    tifffile.imwrite(tmp_path / "a.tif", values, tile=(32, 32), photometric="rgb")
    found = np.asarray(CuImage(tmp_path / "a.tif").read_region())
    assert np.array_equal(found, np.rint(values / 257).astype(np.uint8))


def test_float_samples_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((64, 64), np.float32), tile=(32, 32))
    img = CuImage(tmp_path / "a.tif")
    for kind in (RuntimeError, mt.UnsupportedError):
        with pytest.raises(kind, match="float32 have no 8-bit RGB form"):
            img.read_region()


# Axes


def test_a_channel_of_many_is_chosen_with_c(tmp_path):
    planes = np.random.default_rng(0).integers(0, 256, (64, 64, 5), np.uint8)
    tifffile.imwrite(
        tmp_path / "a.tif", planes, tile=(32, 32), photometric="minisblack", planarconfig="contig"
    )
    img = CuImage(tmp_path / "a.tif")
    for channel in range(5):
        assert np.array_equal(np.asarray(img.read_region(C=channel))[..., 0], planes[..., channel])
        batch = next(img.read_region([0, 0], (8, 8), batch_size=2, C=channel))
        assert np.array_equal(np.asarray(batch)[0, ..., 2], planes[:8, :8, channel])
    with pytest.raises(ValueError, match="channels 0 to 4"):
        img.read_region(C=5)
    with pytest.raises(RuntimeError, match="5 channels, which are no RGB: choose one with C="):
        img.read_region()


@pytest.mark.parametrize("axis", ["S", "T", "C", "Z"])
def test_an_axis_that_is_not_there_has_only_0(img, axis):
    assert img.read_region((0, 0), (4, 4), **{axis: 0}).shape == [4, 4, 3]
    for kind in (ValueError, RuntimeError):
        with pytest.raises(kind, match=f"{axis}=1: .* only {axis}=0 exists|so only"):
            img.read_region((0, 0), (4, 4), **{axis: 1})
    with pytest.raises(TypeError, match=f"{axis}: expected an integer"):
        img.read_region((0, 0), (4, 4), **{axis: "a"})


def test_unknown_arguments(img):
    for kind in (TypeError, ValueError):
        with pytest.raises(kind, match="should be a single character but 'levels' is used"):
            img.read_region((0, 0), (4, 4), levels=1)
        with pytest.raises(kind, match="Q=0: no axis to choose from; expected one of S, T, C, Z"):
            img.read_region((0, 0), (4, 4), Q=0)


# Workers, device, buffers


@pytest.mark.parametrize("num_workers", [0, 1, 2, 8, 1000])
def test_workers_do_not_change_pixels(img, levels, num_workers):
    assert np.array_equal(np.asarray(img.read_region(num_workers=num_workers)), levels[0])


@pytest.mark.parametrize(("num_workers", "threads"), [(0, 1), (1, 1), (5, 5), (2**32 - 1, 1024)])
def test_workers_reach_the_slide(img, monkeypatch, num_workers, threads):
    read, seen = mt.Slide.read, []

    def recorder(slide, *arguments, **options):
        seen.append(options["workers"])
        return read(slide, *arguments, **options | {"workers": 1})

    monkeypatch.setattr(mt.Slide, "read", recorder)
    img.read_region((0, 0), (4, 4), num_workers=num_workers)
    assert seen == [threads]


@pytest.mark.parametrize("name", ["num_workers", "batch_size", "prefetch_factor", "seed"])
def test_counts_that_cannot_be(img, name):
    for kind in (ValueError, TypeError):
        with pytest.raises(kind, match=f"{name}: expected an integer from 0 to .*found -2"):
            img.read_region((0, 0), (4, 4), **{name: -2})
    with pytest.raises(TypeError, match=f"{name}: expected an integer, found 1.5"):
        img.read_region((0, 0), (4, 4), **{name: 1.5})


def test_flags_are_flags(img):
    assert img.read_region((0, 0), (4, 4), drop_last=1, shuffle=None).shape == [4, 4, 3]
    for name in ("drop_last", "shuffle"):
        with pytest.raises(TypeError, match=f"{name}: expected True or False, found 'no'"):
            img.read_region((0, 0), (4, 4), **{name: "no"})


@pytest.mark.parametrize("device", ["cuda", "cuda:1", Device("cuda")])
def test_a_gpu_that_is_not_there(img, levels, device):
    for kind in (RuntimeError, mt.DeviceUnavailableError):
        with pytest.raises(kind, match="cuda"):
            img.read_region((0, 0), (4, 4), device=device)
        with pytest.raises(kind, match="cuda"):
            img.read_region([0, 0, 1, 1], (4, 4), batch_size=2, device=device)
    assert np.array_equal(np.asarray(img.read_region((0, 0), (4, 4), device="cpu")), levels[0][:4, :4])


@pytest.mark.parametrize("device", ["gpu", "CPU", "", "cuda:x", "cpu[shm]"])
def test_unknown_devices(img, device):
    for kind in (ValueError, RuntimeError):
        with pytest.raises(kind, match="device: .* is none; expected cpu, cuda"):
            img.read_region((0, 0), (4, 4), device=device)


def test_devices_that_are_no_output(img):
    with pytest.raises(ValueError, match="not to 'cuda_host'"):
        img.read_region((0, 0), (4, 4), device="cuda_host")
    with pytest.raises(TypeError, match="device: expected a name"):
        img.read_region((0, 0), (4, 4), device=None)
    assert img.read_region((0, 0), (4, 4), device="cpu:0").device == Device("cpu:0")


@pytest.mark.parametrize("name", ["generic-deflate", "generic-jpeg-grey"])
def test_buf_is_written_and_returned(made_slide, name):
    img = CuImage(made_slide(name))
    expected = np.asarray(img.read_region((10, 20), (30, 40)))
    buf = np.zeros(expected.shape, np.uint8)
    assert img.read_region((10, 20), (30, 40), buf=buf) is buf
    assert np.array_equal(buf, expected)
    wide = np.zeros((40, 50, expected.shape[2]), np.uint8)
    img.read_region((10, 20), (30, 40), buf=wide[:, 5:35])
    assert np.array_equal(wide[:, 5:35], expected) and not wide[:, :5].any() and not wide[:, 35:].any()


def test_bufs_that_cannot_be(img):
    right = np.zeros((40, 30, 3), np.uint8)
    for buf, kind, text in [
        (
            np.zeros((30, 40, 3), np.uint8),
            ValueError,
            r"expected uint8 of shape \(40, 30, 3\), found uint8 of \(30, 40",
        ),
        (np.zeros((40, 30, 3), np.uint16), ValueError, "found uint16"),
        (bytes(10), ValueError, "expected uint8 of shape"),
        ([1, 2], TypeError, "buf: expected a writable array, found list"),
        (np.broadcast_to(np.uint8(0), (40, 30, 3)), ValueError, "read-only"),
    ]:
        with pytest.raises(kind, match=text):
            img.read_region((0, 0), (30, 40), buf=buf)
    for options in ({"location": [0, 0, 1, 1]}, {"location": [0, 0], "batch_size": 2}):
        with pytest.raises(ValueError, match="buf: one buffer cannot hold"):
            img.read_region(size=(30, 40), buf=right, **options)


def test_shared_memory_is_refused(img):
    with pytest.raises(ValueError, match="shm_name='x': pixels are not written to shared memory"):
        img.read_region((0, 0), (4, 4), shm_name="x")


# Errors while decoding


@pytest.mark.parametrize("num_workers", [0, 2])
def test_corrupt_tiles_raise(tmp_path, made_slide, num_workers):
    with tifffile.TiffFile(made_slide("generic-deflate")) as file:
        offset, count = file.pages[0].dataoffsets[1], file.pages[0].databytecounts[1]
    content = bytearray(Path(made_slide("generic-deflate")).read_bytes())
    content[offset : offset + count] = b"\xff" * count
    path = tmp_path / "broken.tif"
    path.write_bytes(content)
    img = CuImage(path)
    for kind in (mt.CorruptSlideError, RuntimeError):
        with pytest.raises(kind, match="broken.tif"):
            img.read_region(num_workers=num_workers)
        with pytest.raises(kind, match="broken.tif"):
            list(img.read_region([0, 0, 130, 0, 0, 200], (64, 64), batch_size=2, num_workers=num_workers))
    assert np.asarray(img.read_region((0, 0), (64, 64))).any()
