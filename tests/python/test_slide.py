"""What a slide says about itself, and its life."""

import copy
import gc
import os
import pickle

import microtome as mt
import numpy as np
import pytest
import tifffile
from reference import reference_levels, write_pyramid


def test_levels(slide):
    assert slide.size == (1024, 768)
    assert [tuple(level) for level in slide.levels] == [
        (0, (1024, 768), (128, 128), (1.0, 1.0), (pytest.approx(0.25),) * 2),
        (1, (512, 384), (128, 128), (2.0, 2.0), (pytest.approx(0.5),) * 2),
        (2, (256, 192), (128, 128), (4.0, 4.0), (pytest.approx(1.0),) * 2),
    ]
    assert isinstance(slide.levels, tuple)
    assert slide.levels[1].tile_size == (128, 128)


def test_facts(slide, pyramid):
    assert slide.mpp == pytest.approx((0.25, 0.25))
    assert slide.objective_power is None
    assert slide.format == "generic-tiff"
    assert slide.icc_profile is None
    assert slide.channels == 3
    assert slide.dtype == np.uint8
    assert slide.path == slide.name == pyramid.path


def test_facts_of_an_aperio_slide(made_slide):
    path = made_slide("aperio-jpeg-rgb")
    slide = mt.open(path)
    assert slide.format == "aperio"
    with tifffile.TiffFile(path) as file:
        description = file.pages[0].description
    stated = dict(field.split(" = ") for field in description.split("|")[1:])
    assert slide.mpp == (float(stated["MPP"]),) * 2
    assert slide.objective_power == float(stated["AppMag"])
    assert slide.properties["aperio.MPP"] == stated["MPP"]
    assert slide.properties["openslide.vendor"] == "aperio"
    assert slide.properties["openslide.level-count"] == str(len(slide.levels))


def test_codecs_are_said_for_each_level(made_slide):
    assert mt.open(made_slide("aperio-j2k-33005")).codecs == ("Aperio JPEG 2000 RGB (33005)",) * 2
    assert mt.open(made_slide("generic-jpeg-420")).codecs == ("JPEG",) * 3


def test_without_resolution_there_is_no_mpp(pyramid, tmp_path):
    path = tmp_path / "plain.tif"
    write_pyramid(path, pyramid.levels, mpp=None)
    slide = mt.open(path)
    assert slide.mpp is None
    assert all(level.mpp is None for level in slide.levels)


@pytest.mark.parametrize(
    ("name", "channels", "dtype"),
    [("generic-jpeg-grey", 1, np.uint8), ("generic-uint16", 1, np.uint16), ("generic-rgba", 4, np.uint8)],
)
def test_other_pixels(name, channels, dtype, made_slide):
    slide = mt.open(made_slide(name))
    assert (slide.channels, slide.dtype) == (channels, dtype)
    pixels = slide.read_level(0)
    assert (pixels.shape[2], pixels.dtype) == (channels, dtype)
    np.testing.assert_array_equal(pixels, reference_levels(made_slide(name))[0])


def test_icc_profile(pyramid, tmp_path):
    profile = b"\0\0\0\x10acspABCDEFGH"
    path = tmp_path / "icc.tif"
    write_pyramid(path, pyramid.levels[:1], iccprofile=profile)
    assert mt.open(path).icc_profile == profile


def test_properties_are_read_only(slide):
    assert slide.properties["openslide.level[1].width"] == "512"
    with pytest.raises(TypeError):
        slide.properties["a"] = "b"


def test_attributes_are_read_only(slide):
    with pytest.raises(AttributeError):
        slide.size = (1, 1)


def test_repr(slide, pyramid):
    text = repr(slide)
    for part in (pyramid.path, "generic-tiff", "1024×768", "3 levels", "3×uint8", "0.25 µm/px"):
        assert part in text
    slide.close()
    assert "closed" in repr(slide)


def test_equality_is_identity(slide, pyramid):
    other = mt.open(pyramid.path)
    assert slide != other
    assert slide == slide
    assert len({slide, other}) == 2


def test_associated_images_are_decoded_on_access(made_slide):
    path = made_slide("aperio-jpeg-420")
    slide = mt.open(path)
    assert sorted(slide.associated) == ["label", "macro", "thumbnail"]
    assert len(slide.associated) == 3
    assert "macro" in slide.associated
    assert "nothing" not in slide.associated
    with tifffile.TiffFile(path) as file:
        by_size = {page.shape[:2]: page for page in file.pages if not page.is_tiled}
        for name in slide.associated:
            pixels = slide.associated[name]
            assert pixels.dtype == np.uint8
            np.testing.assert_array_equal(pixels, by_size[pixels.shape[:2]].asarray())
    assert all(f"{name!r}" in repr(slide.associated) for name in slide.associated)


def test_a_missing_associated_image_names_those_there_are(made_slide, slide):
    with pytest.raises(KeyError, match=r"'nothing'.*'label'"):
        mt.open(made_slide("aperio-jpeg-420")).associated["nothing"]
    with pytest.raises(KeyError, match="none"):
        slide.associated["label"]
    with pytest.raises(TypeError):
        slide.associated["label"] = 1


def test_closing(slide, pyramid):
    with slide:
        kept = slide.read((0, 0), (10, 10))
    assert slide.closed
    assert slide.size == (1024, 768)
    assert slide.properties["openslide.level-count"] == "3"
    reads = [
        lambda: slide.read((0, 0), (1, 1)),
        lambda: slide.read_level(0),
        lambda: slide.thumbnail(10),
        lambda: mt.Loader(slide, [0, 0], (1, 1)),
        lambda: slide.__enter__(),
        lambda: pickle.dumps(slide),
    ]
    for read in reads:
        with pytest.raises(ValueError, match="slide.tif is closed"):
            read()
    slide.close()
    np.testing.assert_array_equal(kept, pyramid.levels[0][:10, :10])


def test_closing_ends_associated_images(made_slide):
    slide = mt.open(made_slide("aperio-jpeg-420"))
    slide.close()
    assert "label" in slide.associated
    with pytest.raises(ValueError, match="is closed"):
        slide.associated["label"]


def test_closing_and_dropping_let_go_of_the_file(pyramid):
    def descriptors():
        return sum(
            os.path.realpath(f"/proc/self/fd/{fd}") == os.path.realpath(pyramid.path)
            for fd in os.listdir("/proc/self/fd")
        )

    before = descriptors()
    slide = mt.open(pyramid.path)
    assert descriptors() == before + 1
    slide.close()
    assert descriptors() == before
    slide = mt.open(pyramid.path)
    del slide  # no cycle: the collector is not needed
    assert descriptors() == before


def test_an_array_outlives_its_slide(pyramid):
    slide = mt.open(pyramid.path)
    pixels = slide.read((3, 5), (70, 60))
    del slide
    gc.collect()
    others = [mt.open(pyramid.path).read((200, 200), (70, 60)) for _ in range(5)]
    np.testing.assert_array_equal(pixels, pyramid.levels[0][5:65, 3:73])
    assert len(others) == 5


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_copies_are_independent(how, slide, pyramid):
    other = how(slide)
    slide.close()
    np.testing.assert_array_equal(other.read_level(2), pyramid.levels[2])


def test_a_relative_path_is_pickled_absolute(pyramid, tmp_path, monkeypatch):
    monkeypatch.chdir(os.path.dirname(pyramid.path))
    slide = mt.open("slide.tif")
    assert slide.path == "slide.tif"
    pickled = pickle.dumps(slide)
    monkeypatch.chdir(tmp_path)
    assert pickle.loads(pickled).size == (1024, 768)


def test_bytes_pickle_with_their_content_and_files_do_not(pyramid):
    with open(pyramid.path, "rb") as file:
        content = file.read()
        assert pickle.loads(pickle.dumps(mt.open(content))).size == (1024, 768)
        with pytest.raises(TypeError, match="BufferedReader"):
            pickle.dumps(mt.open(file))
