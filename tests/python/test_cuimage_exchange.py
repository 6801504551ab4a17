"""Loaded CuImages: arrays over their memory, crops, files and pickles."""

import multiprocessing
import pickle

import numpy as np
import pytest
from microtome import CuImage
from microtome.clara.io import Device
from PIL import Image


@pytest.fixture
def img(made_slide):
    return CuImage(made_slide("generic-deflate"))


@pytest.fixture
def region(img):
    return img.read_region((10, 20), (30, 40))


@pytest.fixture
def batch(img):
    return next(img.read_region([(10, 20), (50, 60)], (30, 40), batch_size=2))


# Arrays


def test_arrays_share_the_memory(region, batch):
    for image in (region, batch):
        interface = image.__array_interface__
        assert interface["version"] == 3 and interface["strides"] is None
        assert interface["typestr"] == "|u1" and interface["shape"] == tuple(image.shape)
        array = np.asarray(image)
        assert array.ctypes.data == np.asarray(image).ctypes.data == interface["data"][0]
        assert array.flags.c_contiguous and array.flags.writeable
        array[..., 0] = 7
        assert (np.asarray(image)[..., 0] == 7).all()


def test_an_array_keeps_the_memory(img):
    expected = np.array(img.read_region((10, 20), (200, 200)))
    array = np.asarray(img.read_region((10, 20), (200, 200)))
    for _ in range(5):
        img.read_region((0, 0), (200, 200))
    assert np.array_equal(array, expected)


def test_dlpack(region, batch):
    for image in (region, batch):
        array = np.from_dlpack(image)
        assert image.__dlpack_device__() == (1, 0)
        assert array.ctypes.data == np.asarray(image).ctypes.data
        assert array.shape == tuple(image.shape)


def test_set_array_interface(img, region):
    assert CuImage._set_array_interface(region) is None
    assert CuImage._set_array_interface() is None
    assert np.asarray(region).shape == (40, 30, 3)


def test_no_cuda_array_interface(region):
    assert not hasattr(region, "__cuda_array_interface__")
    assert region.device == Device("cpu")


# Crops


def test_crop(img, region):
    whole = np.asarray(region)
    part = region.read_region((5, 6), (7, 8))
    assert np.array_equal(np.asarray(part), whole[6:14, 5:12])
    assert part.shape == [8, 7, 3] and part.raw_metadata == ""
    assert part.resolutions["level_dimensions"] == ((7, 8),)
    assert part.spacing() == region.spacing()
    np.asarray(part)[:] = 0
    assert whole[6:14, 5:12].any()  # it owns its pixels
    assert np.array_equal(np.asarray(region.read_region()), whole)
    assert np.array_equal(np.asarray(part.read_region((1, 1), (2, 2))), np.zeros((2, 2, 3)))
    buf = np.zeros((8, 7, 3), np.uint8)
    assert region.read_region((5, 6), (7, 8), buf=buf) is buf
    assert np.array_equal(buf, whole[6:14, 5:12])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (((5, 6), (26, 8)), r"Invalid location/size \(it exceeds the image width 30\)"),
        (((5, 6), (7, 35)), r"Invalid location/size \(it exceeds the image height 40\)"),
        (((5, 6),), "exceeds the image width"),
        (((-1, 6), (7, 8)), r"Invalid location \(-1\) in the request! \(Should be >= 0\)"),
        (((5, 6), (0, 8)), r"Invalid size \(0\)"),
        (((5, 6), (7, 8), 1), r"Invalid level \(1\) in the request! \(Should be < 1\)"),
        (((5, 6, 1, 1), (7, 8)), "cropped at one location"),
        (((5, 6), (7, 8), 0, 0, 2), "cropped at one location"),
    ],
)
def test_crops_that_cannot_be(region, arguments, text):
    with pytest.raises(ValueError, match=text):
        region.read_region(*arguments)


def test_a_crop_stays_on_the_cpu(region):
    with pytest.raises(RuntimeError, match="cuda"):
        region.read_region((0, 0), (4, 4), device="cuda")
    with pytest.raises(ValueError, match="C=1"):
        region.read_region((0, 0), (4, 4), C=1)


def test_a_batch_is_not_cropped(batch):
    for kind in (ValueError, RuntimeError):
        with pytest.raises(kind, match=r"The image is not in YXC format! \(NYXC\)"):
            batch.read_region((0, 0), (4, 4))


def test_crops_have_no_location(region):
    assert not hasattr(region.read_region((0, 0), (4, 4)), "locations")


# Region metadata


def test_region_metadata(img, region):
    metadata = region.metadata
    assert set(metadata) == {"cucim"}
    assert metadata["cucim"]["shape"] == [40, 30, 3]
    assert metadata["cucim"]["resolutions"]["level_dimensions"] == [[30, 40]]
    assert region.raw_metadata == "" and region.associated_images == set()
    assert region.path == img.path and repr(region) == repr(img)
    assert region.spacing() == img.spacing()


def test_region_spacing_is_divided_by_the_downsample(img):
    """As cuCIM computes it; a physical spacing would be multiplied."""
    base, downsample = np.float32(img.spacing("X")[0]), np.float32(img.resolutions["level_downsamples"][2])
    assert img.read_region((0, 0), (9, 9), level=2).spacing("X") == [float(base / downsample)]
    batch = next(img.read_region((0, 0), (9, 9), level=2, batch_size=2))
    assert batch.spacing("YX") == [float(base / downsample)] * 2


# Files


def test_save_is_ppm(tmp_path, region):
    region.save(str(tmp_path / "a.ppm"))
    with Image.open(tmp_path / "a.ppm") as picture:
        assert picture.format == "PPM" and picture.size == (30, 40)
        assert np.array_equal(np.asarray(picture), np.asarray(region))


def test_save_leaves_alpha_out(tmp_path, made_slide):
    region = CuImage(made_slide("generic-rgba")).read_region((5, 5), (20, 10))
    region.save(tmp_path / "a.ppm")
    with Image.open(tmp_path / "a.ppm") as picture:
        assert np.array_equal(np.asarray(picture), np.asarray(region)[..., :3])


def test_save_what_cannot_be_saved(tmp_path, img, region, batch):
    with pytest.raises(ValueError, match="save needs pixels"):
        img.save(tmp_path / "a.ppm")
    with pytest.raises(ValueError, match="a batch of 2 is no picture"):
        batch.save(tmp_path / "a.ppm")
    with pytest.raises(FileNotFoundError):
        region.save(tmp_path / "none" / "a.ppm")
    assert list(tmp_path.iterdir()) == []


# Pickles


def test_pickled_file_opens_again(img):
    img.note = "kept"
    again = pickle.loads(pickle.dumps(img))
    assert again.path == img.path and again.metadata == img.metadata and again.note == "kept"
    assert np.array_equal(np.asarray(again.read_region()), np.asarray(img.read_region()))


def test_pickled_pixels(region, batch):
    for image in (region, batch):
        again = pickle.loads(pickle.dumps(image))
        assert np.array_equal(np.asarray(again), np.asarray(image))
        assert again.metadata == image.metadata
        assert np.array_equal(again.locations, image.locations)


def test_a_closed_image_stays_closed(img):
    img.close()
    with pytest.raises(RuntimeError, match="closed"):
        pickle.loads(pickle.dumps(img)).read_region()


def test_iterators_are_not_pickled(img):
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(img.read_region([0, 0, 1, 1], (4, 4)))


def _sums(img):
    return [
        int(np.asarray(batch).sum())
        for batch in img.read_region([0, 0, 9, 9, 50, 50], (40, 30), batch_size=2)
    ]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_in_children(img, method):
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(_sums, [img, img]) == [_sums(img)] * 2
