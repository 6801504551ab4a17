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


# ---- OME-TIFF


def ome_pages(file):
    """{(series, t, z): pages, one for each channel} as the XML's TiffData elements say, each of one directory here."""
    root = ET.fromstring(file.pages[0].description.encode())
    schema = root.tag.removesuffix("OME")
    found = {}
    for series, pixels in enumerate(root.iter(f"{schema}Pixels")):
        for data in pixels.iter(f"{schema}TiffData"):
            t, z, c = (int(data.get(key)) for key in ("FirstT", "FirstZ", "FirstC"))
            found.setdefault((series, t, z), {})[c] = file.pages[int(data.get("IFD"))].aspage()
    return {key: [pages[c] for c in sorted(pages)] for key, pages in found.items()}


def ome_level(pages, number):
    """(H, W, C) of these channels' pages, or of their SubIFDs."""
    arrays = []
    for page in pages:
        level = page if number == 0 else page.pages[number - 1].aspage()
        pixels = level.asarray()
        if pixels.ndim == 3 and level.planarconfig == 2:
            pixels = np.moveaxis(pixels, 0, 2)
        arrays.append(pixels if pixels.ndim == 3 else pixels[..., None])
    return np.concatenate(arrays, axis=2)


def assert_is_the_ome_tiff_that_tifffile_reads(path):
    """Every plane of every series, at every level; returns how many images that were."""
    with tifffile.TiffFile(path) as file:
        expected = ome_pages(file)
        with mt.open(path) as slide:
            images = slide.images
        assert [(each.series, each.t, each.z) for each in images] == sorted(expected)
        for each in images:
            pages = expected[each.series, each.t, each.z]
            with mt.open(path, image=each.index) as slide:
                assert slide.format == "ome-tiff"
                assert (slide.size, slide.channels, slide.dtype) == (each.size, each.channels, each.dtype)
                assert len(slide.levels) == each.levels == 1 + len(pages[0].pages or ())
                for level in slide.levels:
                    pixels = slide.read_level(level.index)
                    np.testing.assert_array_equal(pixels, ome_level(pages, level.index))
    return len(images)


@pytest.mark.parametrize(("name", "images"), [("ome-rgb", 2), ("ome-channels", 1), ("ome-stack", 7)])
def test_ome_is_what_tifffile_reads(name, images, made_slide):
    path = made_slide(name)
    assert assert_is_the_ome_tiff_that_tifffile_reads(path) == images
    with mt.open(path) as slide, tifffile.TiffFile(path) as file:
        assert file.series[0].kind == "ome"
        assert [level.size for level in slide.levels] == [
            (level.keyframe.imagewidth, level.keyframe.imagelength) for level in file.series[0].levels
        ]


@pytest.mark.parametrize(
    ("name", "images"),
    [
        ("2048x2048_ome6_tiled.ome.tif", 1),
        ("cells.ome.tif", 1),
        ("multi-channel.ome.tif", 1),
        ("mini-flim-moduloC.ome.tiff", 1),
        ("mini-spim-moduloZ.ome.tiff", 96),
    ],
)
def test_real_ome_tiffs(name, images, real_slides):
    assert assert_is_the_ome_tiff_that_tifffile_reads(str(real_slides / "ome-tiff" / name)) == images


def test_ome_channels_have_names_and_colours(made_slide):
    with mt.open(made_slide("ome-channels")) as slide:
        assert (slide.channels, slide.dtype) == (3, np.uint16)
        assert slide.channel_names == ("DAPI", "CD8 (Opal 570)", "Autofluorescence")
        assert slide.channel_colors == ((0, 0, 255), (255, 128, 0), (255, 255, 255))
        assert slide.mpp == pytest.approx((0.65, 0.65), rel=1e-12)
        assert slide.objective_power == 20
        assert slide.properties["ome.Pixels.PhysicalSizeXUnit"] == "nm"


def test_ome_planes_are_found_by_z_and_t(made_slide):
    with mt.open(made_slide("ome-stack")) as slide:
        assert [(each.name, each.t, each.z) for each in slide.images][3:5] == [
            ("stack, z 0, t 1", 1, 0),
            ("stack, z 1, t 1", 1, 1),
        ]
        assert slide.images[6].name == "overview"
        with pytest.raises(IndexError, match="image 7: the file has 7 images"):
            mt.open(made_slide("ome-stack"), image=7)


def test_planes_of_one_file_do_not_share_cached_tiles(made_slide, tile_cache):
    tile_cache(1 << 24)
    path = made_slide("ome-stack")
    planes = [mt.open(path, image=image).read((0, 0), (128, 128)) for image in range(6)]
    again = [mt.open(path, image=image).read((0, 0), (128, 128)) for image in range(6)]
    for first, second in zip(planes, again, strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(planes[0], planes[1])


def test_an_ome_label_is_an_associated_image(made_slide):
    path = made_slide("ome-rgb")
    with mt.open(path) as slide, mt.open(path, image=1) as label:
        assert set(slide.associated) == {"label"}
        np.testing.assert_array_equal(slide.associated["label"], label.read_level(0))
        assert not label.associated


def test_brightfield_ome_level_0_is_what_openslide_reads(made_slide):
    path = made_slide("ome-rgb")
    with mt.open(path) as slide, openslide.OpenSlide(path) as reference:
        np.testing.assert_array_equal(slide.read_level(0), openslide_level(reference, 0))
        own = ("openslide.level", "openslide.mpp", "openslide.objective-power", "openslide.associated")
        expected = openslide_properties(reference)
        expected = {key: value for key, value in expected.items() if not key.startswith(own)}
        assert {key: slide.properties.get(key) for key in expected} == expected


@pytest.mark.parametrize("number", [1, 3, 4, 5])
def test_a_file_of_a_set_says_so(number, real_slides):
    path = str(real_slides / "ome-tiff" / f"multifile-Z{number}.ome.tiff")
    with mt.open(path) as slide:
        assert "multifile.companion.ome" in slide.properties["microtome.other-images"]
        np.testing.assert_array_equal(slide.read_level(0)[..., 0], tifffile.imread(path, key=0))


def test_loader_reads_channels(made_slide):
    path = made_slide("ome-channels")
    with mt.open(path) as slide:
        locations = [(0, 0), (100, 50), (300, 200)]
        whole = slide.read_level(0)
        (batch,) = mt.Loader(slide, locations, (64, 64), batch_size=3)
        for row, (x, y) in zip(batch.pixels, locations, strict=True):
            np.testing.assert_array_equal(row, whole[y : y + 64, x : x + 64])


# ---- CuImage


def test_cuimage_of_a_philips_slide(made_slide):
    img = mt.CuImage(made_slide("philips-xml"))
    assert img.shape == [512, 640, 3]
    assert img.spacing("XY") == [0.25, 0.252]
    assert img.spacing_units("XY") == ["micrometer"] * 2
    assert img.raw_metadata.startswith("<?xml")
    section = img.metadata["philips"]
    assert section["DICOM_PIXEL_SPACING"] == [0.000252, 0.00025]
    assert section["DICOM_SOFTWARE_VERSIONS"] == ["1.6", "2.0"]
    assert section["DICOM_MANUFACTURER"] == "Möller & Söhne"
    assert section["DICOM_BITS_ALLOCATED"] == 8
    levels = section["PIIM_PIXEL_DATA_REPRESENTATION_SEQUENCE"]
    assert [level["PIIM_PIXEL_DATA_REPRESENTATION_COLUMNS"] for level in levels] == [640, 384, 256]
    assert img.associated_images == {"label", "macro"}
    absent = np.asarray(img.read_region((-8, -8), (32, 32)))
    assert (absent == 255).all(), "the background is white"


def test_cuimage_takes_one_of_several_named_channels(made_slide):
    path = made_slide("qptiff-fluorescence")
    img = mt.CuImage(path)
    assert img.shape[2] == 4
    with pytest.raises(mt.UnsupportedError, match="choose one with C="):
        img.read_region((0, 0), (8, 8))
    with mt.open(path) as slide:
        stored = slide.read((100, 60), (64, 48))
    for channel in range(3):
        region = np.asarray(img.read_region((100, 60), (64, 48), C=channel))
        for sample in range(3):
            np.testing.assert_array_equal(region[..., sample], stored[..., channel])
        assert (region[..., 3] == 255).all()


def test_cuimage_refuses_a_stack_as_cucim_does(made_slide):
    with pytest.raises(RuntimeError, match="more than one image with Subfile Type 0"):
        mt.CuImage(made_slide("ome-stack"))
