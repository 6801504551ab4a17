"""Files with several images: each is a slide of its own."""

import pickle

import microtome as mt
import numpy as np
import pytest
import tifffile
from microtome import CuImage
from reference import random_levels


@pytest.fixture
def images():
    """[levels of an image, …]: a pyramid, one of the same sizes, and a stripped grey one."""
    return [
        random_levels((300, 200), 2, seed=1),
        random_levels((300, 200), 2, seed=2),
        random_levels((90, 110), 1, channels=1, dtype=np.uint16, seed=3),
    ]


@pytest.fixture
def path(images, tmp_path):
    path = tmp_path / "several.tif"
    with tifffile.TiffWriter(path) as file:
        for levels in images[:2]:
            file.write(levels[0], tile=(64, 64), photometric="rgb", subifds=1, metadata=None)
            file.write(levels[1], tile=(64, 64), photometric="rgb", subfiletype=1, metadata=None)
        file.write(images[2][0][..., 0], photometric="minisblack", rowsperstrip=7, metadata=None)
    return path


def test_each_image_has_its_own_pixels(path, images):
    for index, levels in enumerate(images):
        with mt.open(path, image=index) as slide:
            assert slide.image == index
            assert len(slide.levels) == len(levels)
            for level, pixels in enumerate(levels):
                np.testing.assert_array_equal(slide.read_level(level), pixels)


def test_images_say_what_they_are(path):
    with mt.open(path) as slide:
        assert slide.images == (
            mt.Image(0, "directory 0", "image", (300, 200), 2, 3, np.dtype("uint8")),
            mt.Image(1, "directory 1", "image", (300, 200), 2, 3, np.dtype("uint8")),
            mt.Image(2, "directory 2", "image", (90, 110), 1, 1, np.dtype("uint16")),
        )


def test_images_share_a_file_but_no_cached_tiles(path, images, tile_cache):
    tile_cache(1 << 24)
    slides = [mt.open(path, image=index) for index in range(3)]
    for _ in range(2):
        for slide, levels in zip(slides, images, strict=True):
            np.testing.assert_array_equal(slide.read((0, 0), (80, 90)), levels[0][:90, :80])
    assert mt.cache.info()["hits"] > 0


def test_a_loader_takes_several_images_of_one_file(path, images):
    slides = [mt.open(path, image=index) for index in range(2)]
    (batch,) = mt.Loader(slides, [(0, 5, 6), (1, 5, 6)], (64, 64), batch_size=2)
    for row, levels in zip(batch.pixels, images, strict=False):
        np.testing.assert_array_equal(row, levels[0][6:70, 5:69])


def test_a_pickled_slide_is_the_same_image(path, images):
    slide = pickle.loads(pickle.dumps(mt.open(path, image=1)))
    np.testing.assert_array_equal(slide.read_level(0), images[1][0])


def test_an_image_that_is_not_there(path):
    with pytest.raises(IndexError, match="image 3: the file has 3 images"):
        mt.open(path, image=3)
    with pytest.raises(ValueError, match="image = -1"):
        mt.open(path, image=-1)
    with pytest.raises(TypeError, match="image"):
        mt.open(path, image="1")


@pytest.mark.parametrize("kind", [bytes, memoryview])
def test_an_image_of_a_file_in_memory(path, images, kind):
    with mt.open(kind(path.read_bytes()), image=1) as slide:
        np.testing.assert_array_equal(slide.read_level(1), images[1][1])


def test_an_image_of_a_file_object(path, images):
    with open(path, "rb") as file, mt.open(file, image=2) as slide:
        np.testing.assert_array_equal(slide.read_level(0), images[2][0])


def test_cuimage_opens_no_file_of_several_images(path):
    for kind in (RuntimeError, ValueError, mt.UnsupportedError):
        with pytest.raises(kind, match="more than one image with Subfile Type 0 .* image=i"):
            CuImage(str(path))


def test_cuimage_opens_a_pyramid_with_a_mask(tmp_path, images):
    path = tmp_path / "mask.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(images[0][0], tile=(64, 64), photometric="rgb", metadata=None)
        file.write(np.ones((200, 300), bool), tile=(64, 64), photometric="mask", subfiletype=4, metadata=None)
    assert [image.kind for image in mt.open(path).images] == ["image", "mask"]
    np.testing.assert_array_equal(np.asarray(CuImage(str(path)).read_region()), images[0][0])
