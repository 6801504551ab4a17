"""Slides as vendors write them, made from a seed, against OpenSlide and tifffile on the same file."""

import xml.etree.ElementTree as ET

import microtome as mt
import numpy as np
import pytest
import tifffile

openslide = pytest.importorskip("openslide")

PHILIPS = ("philips-xml", "philips-directories")
QPTIFF = ("qptiff-fluorescence", "qptiff-brightfield")


def over_white(rgba):
    """OpenSlide's straight RGBA over a white ground; its absent tiles are transparent."""
    alpha = rgba[..., 3:].astype(np.uint32)
    return ((rgba[..., :3].astype(np.uint32) * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def openslide_level(reference, number):
    size = reference.level_dimensions[number]
    return over_white(np.asarray(reference.read_region((0, 0), number, size)))


def openslide_properties(reference):
    """All but those that Slide.properties states it leaves out."""
    left_out = ("openslide.quickhash-1", "openslide.bounds-")
    return {key: value for key, value in reference.properties.items() if not key.startswith(left_out)}


def channels_last(pixels, axes):
    """(H, W, C) of tifffile's array with these axes."""
    if axes.endswith("YX"):
        pixels = pixels if pixels.ndim == 3 else pixels[None]
        pixels = np.moveaxis(pixels, 0, 2)
    return pixels


# ---- Philips


@pytest.mark.parametrize("name", PHILIPS)
def test_philips_is_what_openslide_says(name, made_slide):
    with mt.open(made_slide(name)) as slide, openslide.OpenSlide(made_slide(name)) as reference:
        assert slide.format == "philips-tiff"
        assert reference.properties["openslide.vendor"] == "philips"
        assert tuple(level.size for level in slide.levels) == reference.level_dimensions
        for level, downsample in zip(slide.levels, reference.level_downsamples, strict=True):
            assert sum(level.downsample) / 2 == downsample
        expected = openslide_properties(reference)
        assert {key: slide.properties.get(key) for key in expected} == expected
        ours = {key for key in slide.properties if not key.startswith("microtome.")}
        assert ours == set(expected)
        assert slide.mpp == (0.25, 0.252)


@pytest.mark.parametrize("name", PHILIPS)
def test_philips_pixels_are_openslides(name, made_slide):
    with mt.open(made_slide(name)) as slide, openslide.OpenSlide(made_slide(name)) as reference:
        for level in slide.levels:
            theirs = openslide_level(reference, level.index)
            np.testing.assert_array_equal(slide.read_level(level.index), theirs)
        assert (slide.read((0, 0), (128, 128)) == 255).all(), "the first tile is absent"
        assert set(slide.associated) == set(reference.associated_images) == {"label", "macro"}
        for key, image in reference.associated_images.items():
            np.testing.assert_array_equal(slide.associated[key], over_white(np.asarray(image)))


@pytest.mark.parametrize("name", PHILIPS)
def test_philips_pixels_are_tifffiles(name, made_slide):
    with mt.open(made_slide(name)) as slide, tifffile.TiffFile(made_slide(name)) as file:
        assert file.series[0].kind == "philips"
        levels = file.series[0].levels
        assert [level.shape[1::-1] for level in levels] == [level.size for level in slide.levels]
        for level, page in enumerate(each.keyframe for each in levels):
            w, h = slide.levels[level].size
            stored = page.asarray()[:h, :w]  # tifffile leaves absent tiles 0
            np.testing.assert_array_equal(slide.read_level(level, fill=0), stored)


def test_philips_photographs_come_from_directories_where_there_are_some(made_slide):
    with mt.open(made_slide("philips-xml")) as embedded, mt.open(made_slide("philips-directories")) as stored:
        for key in ("label", "macro"):
            assert embedded.associated[key].shape == stored.associated[key].shape
            upside_down = stored.associated[key][::-1].astype(int)  # as the writer stores them there
            assert np.abs(upside_down - embedded.associated[key]).mean() < 4
            assert np.abs(stored.associated[key].astype(int) - embedded.associated[key]).mean() > 4


def test_philips_reads_what_is_appended_through_the_tile_cache(made_slide, tile_cache):
    with mt.open(made_slide("philips-xml")) as slide:
        first = slide.associated["label"]
        tile_cache(1 << 24)
        for _ in range(2):
            np.testing.assert_array_equal(slide.associated["label"], first)


# ---- QPTIFF


def qpi_pages(file):
    """[(ImageType, Name, page), …]"""
    found = []
    for page in file.pages:
        xml = ET.fromstring(page.description.split("?>", 1)[1])
        found.append((xml.findtext("ImageType"), xml.findtext("Name"), page))
    return found


def assert_is_the_qptiff_that_tifffile_reads(path):
    with mt.open(path) as slide, tifffile.TiffFile(path) as file:
        assert slide.format == "qptiff"
        series = file.series[0]
        assert series.kind == "qpi"
        assert len(slide.levels) == len(series.levels)
        for level, theirs in enumerate(series.levels):
            expected = channels_last(theirs.asarray(), theirs.axes)
            np.testing.assert_array_equal(slide.read_level(level), expected)
        pages = qpi_pages(file)
        bands = [name for kind, name, _ in pages if kind == "FullResolution"]
        assert slide.channel_names == (tuple(bands) if len(bands) > 1 else ())
        kinds = {"Thumbnail": "thumbnail", "Overview": "macro", "Label": "label"}
        photographs = {kinds[kind]: page for kind, _, page in pages if kind in kinds}
        assert set(slide.associated) == set(photographs)
        for key, page in photographs.items():
            np.testing.assert_array_equal(slide.associated[key], page.asarray())


@pytest.mark.parametrize("name", QPTIFF)
def test_qptiff_is_what_tifffile_reads(name, made_slide):
    assert_is_the_qptiff_that_tifffile_reads(made_slide(name))


def test_a_real_qptiff(real_slides):
    path = str(real_slides / "qptiff" / "small_vectra.qptiff")
    assert_is_the_qptiff_that_tifffile_reads(path)
    with mt.open(path) as slide:
        assert slide.channel_names == ("DAPI", "FITC", "Cy3")
        assert slide.channel_colors == ((0, 0, 255), (0, 255, 0), (255, 255, 0))
        assert slide.objective_power == 20
        assert slide.mpp == pytest.approx((0.4965, 0.4965), abs=1e-4)
        assert slide.properties["qptiff.SlideID"] == "RTM61_1"


def test_qptiff_bands_have_colours(made_slide):
    with mt.open(made_slide("qptiff-fluorescence")) as slide:
        assert slide.channels == 3
        assert slide.channel_colors == ((0, 0, 255), (255, 128, 0), (255, 255, 255))
        assert slide.properties["qptiff.SlideID"] == "made & <seeded>"
        assert slide.objective_power == 20


def test_brightfield_qptiff_is_what_openslide_says(made_slide):
    path = made_slide("qptiff-brightfield")
    with mt.open(path) as slide, openslide.OpenSlide(path) as reference:
        assert tuple(level.size for level in slide.levels) == reference.level_dimensions
        expected = openslide_properties(reference)
        assert {key: slide.properties.get(key) for key in expected} == expected
        for level in slide.levels:
            np.testing.assert_array_equal(
                slide.read_level(level.index), openslide_level(reference, level.index)
            )


def test_slides_of_one_sample_kind_name_no_channels(made_slide):
    with mt.open(made_slide("generic-jpeg-420")) as slide:
        assert slide.channel_names == slide.channel_colors == ()
