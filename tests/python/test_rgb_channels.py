"""channels="rgb": what stored samples look like, against libtiff's own RGBA (in imagecodecs) over white."""

import pickle

import imagecodecs
import microtome as mt
import numpy as np
import pytest
import tifffile

W, H = 90, 70


def picture(channels, dtype):
    return np.random.default_rng(5).integers(0, np.iinfo(dtype).max, (H, W, channels), dtype, endpoint=True)


def written(tmp_path, image, photometric, **options):
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path,
        image if image.shape[2] > 1 else image[..., 0],
        photometric=photometric,
        tile=(32, 32),
        metadata=None,
        **options,
    )
    return path


def libtiff_over_white(path):
    """libtiff gives colours that have been multiplied by alpha."""
    rgba = imagecodecs.tiff_decode(path.read_bytes(), asrgb=True).astype(np.uint32)
    return np.minimum(rgba[..., :3] + 255 - rgba[..., 3:], 255).astype(np.uint8)


def check(path):
    theirs = libtiff_over_white(path)
    with mt.open(path, channels="rgb") as slide:
        assert (slide.channels, slide.dtype, slide.photometric) == (3, np.uint8, "RGB")
        ours = slide.read_level(0)
        np.testing.assert_array_equal(slide.read((20, 9), (50, 40)), ours[9:49, 20:70])
    np.testing.assert_array_equal(ours, theirs)
    return ours


@pytest.mark.parametrize("alpha", ["unassalpha", "assocalpha"])
def test_alpha_is_composed_over_white(tmp_path, alpha):
    image = picture(4, np.uint8)
    if alpha == "assocalpha":
        image[..., :3] = np.minimum(image[..., :3], image[..., 3:])
    check(written(tmp_path, image, "rgb", extrasamples=[alpha], planarconfig="contig"))


@pytest.mark.parametrize("alpha", ["unassalpha", "assocalpha"])
def test_grey_with_alpha(tmp_path, alpha):
    """libtiff leaves grey unmultiplied, whatever the alpha."""
    image = picture(2, np.uint8)
    path = written(tmp_path, image, "minisblack", extrasamples=[alpha], planarconfig="contig")
    grey, share = image[..., :1].astype(int), image[..., 1:].astype(int)
    multiplied = (grey * share + 127) // 255 if alpha == "unassalpha" else grey
    expected = np.repeat(np.minimum(multiplied + 255 - share, 255), 3, axis=2)
    np.testing.assert_array_equal(mt.open(path, channels="rgb").read_level(0), expected)


def test_planar_alpha(tmp_path):
    image = picture(4, np.uint8)
    contiguous = check(written(tmp_path, image, "rgb", extrasamples=["unassalpha"], planarconfig="contig"))
    path = tmp_path / "planar.tif"
    planes = np.ascontiguousarray(np.moveaxis(image, 2, 0))
    tifffile.imwrite(
        path, planes, photometric="rgb", planarconfig="separate", extrasamples=["unassalpha"], tile=(32, 32)
    )
    np.testing.assert_array_equal(mt.open(path, channels="rgb").read_level(0), contiguous)


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_grey(tmp_path, photometric):
    check(written(tmp_path, picture(1, np.uint8), photometric))


def test_bilevel(tmp_path):
    path = tmp_path / "bits.tif"
    tifffile.imwrite(path, picture(1, np.uint8)[..., 0] > 99, photometric="miniswhite", metadata=None)
    assert set(np.unique(check(path))) == {0, 255}


def test_palette(tmp_path):
    colors = np.random.default_rng(6).integers(0, 256, (3, 256), np.uint16) * 257
    check(written(tmp_path, picture(1, np.uint8), "palette", colormap=colors))


def test_sixteen_bits(tmp_path):
    check(written(tmp_path, picture(3, np.uint16), "rgb"))
    grey = picture(1, np.uint16)
    shown = mt.open(written(tmp_path, grey, "minisblack"), channels="rgb").read_level(0)
    np.testing.assert_array_equal(
        shown, np.repeat((grey.astype(np.uint32) * 255 + 32767) // 65535, 3, axis=2)
    )


def test_rgb_stays_as_it_is(tmp_path):
    image = picture(3, np.uint8)
    np.testing.assert_array_equal(check(written(tmp_path, image, "rgb")), image)


@pytest.mark.parametrize(
    ("image", "photometric", "options", "reason"),
    [
        (picture(4, np.uint8), "separated", {}, 'CMYK as RGB; channels="stored" gives the samples'),
        (picture(3, np.uint8), "cielab", {}, "CIELab as RGB"),
        (picture(3, np.uint8).astype(np.float32), "rgb", {}, "samples of float32 as RGB"),
    ],
)
def test_what_has_no_such_form_is_stored(tmp_path, image, photometric, options, reason):
    path = written(tmp_path, image, photometric, planarconfig="contig", **options)
    with mt.open(path, channels="rgb") as slide, pytest.raises(mt.UnsupportedError, match=reason):
        slide.read_level(0)
    with mt.open(path) as slide:
        np.testing.assert_array_equal(slide.read_level(0), image)
        assert slide.photometric == {"separated": "CMYK", "cielab": "CIELab", "rgb": "RGB"}[photometric]


def test_everything_that_reads_has_three_channels(tmp_path, tile_cache):
    path = written(tmp_path, picture(4, np.uint8), "rgb", extrasamples=["unassalpha"], planarconfig="contig")
    expected = check(path)
    slide = mt.open(path, channels="rgb")
    (batch,) = mt.Loader(slide, [(3, 4), (30, 20)], (40, 40), batch_size=2)
    np.testing.assert_array_equal(batch.pixels, [expected[4:44, 3:43], expected[20:60, 30:70]])
    assert slide.thumbnail(30).shape == (23, 30, 3)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(slide)).read_level(0), expected)
    tile_cache(1 << 24)
    for _ in range(2):  # both forms of one file have tiles of their own
        assert mt.open(path).read((0, 0), (64, 64)).shape == (64, 64, 4)
        np.testing.assert_array_equal(slide.read((0, 0), (64, 64)), expected[:64, :64])


def test_other_names_are_refused(tmp_path):
    path = written(tmp_path, picture(3, np.uint8), "rgb")
    with pytest.raises(ValueError, match="channels = 'rgba', expected 'stored' or 'rgb'"):
        mt.open(path, channels="rgba")
