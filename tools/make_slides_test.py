"""Made slides are what they claim to be, as other readers see them: tifffile, OpenSlide, and their own pixels."""

import make_slides
import numpy as np
import pytest
import tifffile
from slidemaker import small
from slidemaker.texture import Picture, halve

openslide = pytest.importorskip("openslide")

SMALL = list(small.SMALL)
EXACT = [
    "generic-none",
    "generic-deflate",
    "generic-deflate-predictor",
    "generic-deflate-old",
    "generic-lzw",
    "generic-lzw-predictor",
    "generic-bigtiff",
    "generic-bigendian",
    "generic-j2k-34712",
    "generic-subifd-bigtiff",
    "generic-exact-tiles",
    "generic-thin",
    "generic-one-pixel",
]
# OpenSlide 4 reads no classic big-endian TIFF and no 34712, and shows grey, 16-bit and alpha its own way.
NOT_FOR_OPENSLIDE = {
    "generic-bigendian",
    "generic-j2k-34712",
    "generic-j2k-34712-lossy",
    "generic-jpeg-grey",
    "generic-rgba",
    "generic-uint16",
    "generic-uint16-predictor",
    "generic-bigendian-uint16",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Makes a slide once: made("generic-none") is its path."""
    folder = tmp_path_factory.mktemp("slides")

    def path_of(name):
        path = folder / f"{name}.{make_slides.EXTENSIONS[name]}"
        if not path.exists():
            make_slides.make(name, path, seed=3)
        return path

    return path_of


def source(size, tile):
    return Picture(size, tile, 3, blank_tiles=0.2).region(0, 0, *size)


@pytest.mark.parametrize("name", SMALL)
def test_every_level_decodes_to_nearly_the_picture(made, name):
    with tifffile.TiffFile(made(name)) as file:
        levels = file.series[0].levels
        first = levels[0].asarray()
        pixels = source(first.shape[1::-1], file.pages[0].tilewidth)
        for index, level in enumerate(levels):
            assert level.shape[:2] == pixels.shape[:2], f"level {index}"
            if (
                first.dtype == np.uint8
                and first.ndim == 3
                and first.shape[2] == 3
                and "generic-sparse" not in name
            ):
                error = np.abs(level.asarray().astype(int) - pixels).mean()
                assert error < 6, f"level {index}: mean error {error}"
            pixels = halve(pixels, 4 if "aperio" in name else 2)


@pytest.mark.parametrize("name", EXACT)
def test_lossless_slides_hold_the_picture_exactly(made, name):
    with tifffile.TiffFile(made(name)) as file:
        pixels = file.series[0].levels[0].asarray()
        assert np.array_equal(pixels, source(pixels.shape[1::-1], file.pages[0].tilewidth))


@pytest.mark.parametrize("name", ["generic-uint16", "generic-uint16-predictor", "generic-bigendian-uint16"])
def test_sixteen_bit_slides_hold_the_picture_exactly(made, name):
    pixels = tifffile.imread(made(name), key=0)
    assert np.array_equal(pixels, small.grey16(source((603, 437), 128)))


def area_of_tiles(width, height, tile, indices):
    """The part of a slide's pixels that lie in the tiles named."""
    columns = -(-width // tile)
    corners = [(index % columns * tile, index // columns * tile) for index in indices]
    return sum(min(tile, width - x) * min(tile, height - y) for x, y in corners) / (width * height)


@pytest.mark.parametrize("name", [name for name in SMALL if name not in NOT_FOR_OPENSLIDE])
def test_openslide_reads_the_same_pixels_as_tifffile(made, name):
    with openslide.OpenSlide(made(name)) as slide:
        seen = np.asarray(slide.read_region((0, 0), 0, slide.dimensions))
        assert slide.properties["openslide.vendor"] == ("aperio" if "aperio" in name else "generic-tiff")
        assert float(slide.properties["openslide.mpp-x"]) == pytest.approx(0.499, abs=1e-4)
    expected = tifffile.imread(made(name), key=0).astype(int)
    present = seen[..., 3] == 255
    difference = np.abs(seen[present][:, :3] - expected[present]).max(initial=0)
    assert difference <= (2 if name == "aperio-j2k-33003" else 0)
    absent = {"generic-sparse": (0, 3, 7, 19), "generic-sparse-all": range(20)}.get(name, ())
    assert present.mean() == pytest.approx(1 - area_of_tiles(*expected.shape[1::-1], 128, absent))


@pytest.mark.parametrize("name", [name for name in SMALL if "aperio" in name])
def test_aperio_slides_carry_their_associated_images(made, name):
    with openslide.OpenSlide(made(name)) as slide:
        assert {k: v.size for k, v in slide.associated_images.items()} == {
            "thumbnail": (275, 208),
            "label": (77, 93),
            "macro": (256, 86),
        }
        assert slide.properties["openslide.objective-power"] == "20"
        assert int(slide.properties["openslide.icc-size"]) == 132
    with tifffile.TiffFile(made(name)) as file:
        compressions = [int(page.compression) for page in file.pages]
    assert compressions[1:2] + compressions[-2:] == [7, 5, 7]


def test_absent_tiles_have_no_bytes(made):
    with tifffile.TiffFile(made("generic-sparse")) as file:
        absent = [i for i, count in enumerate(file.pages[0].databytecounts) if count == 0]
    assert absent == [0, 3, 7, 19]


def sampling_factors(stream):
    start = next(i for i in range(len(stream)) if stream[i] == 0xFF and stream[i + 1] in (0xC0, 0xC2))
    return stream[start + 11 : start + 20 : 3].hex()


@pytest.mark.parametrize(
    ("name", "factors"),
    [
        ("generic-jpeg-420", "221111"),
        ("generic-jpeg-422", "211111"),
        ("generic-jpeg-440", "121111"),
        ("generic-jpeg-444", "111111"),
    ],
)
def test_the_chroma_is_sampled_as_the_name_says(made, name, factors):
    with tifffile.TiffFile(made(name)) as file:
        page = file.pages[0]
        stream = made(name).read_bytes()[page.dataoffsets[0] :][: page.databytecounts[0]]
        assert page.jpegtables and b"\xff\xdb" not in stream
    assert sampling_factors(stream) == factors


def test_33003_has_half_width_chroma_in_its_codestream(made):
    with tifffile.TiffFile(made("aperio-j2k-33003")) as file:
        page = file.pages[0]
        stream = made("aperio-j2k-33003").read_bytes()[page.dataoffsets[0] :][: page.databytecounts[0]]
    siz = stream.index(b"\xff\x51")
    assert stream[siz + 40 : siz + 49].hex() == "070101" + "070201" * 2  # depth-1, dx, dy of each component


@pytest.mark.parametrize("name", ["aperio-j2k-33003", "generic-jpeg-440", "E"])
def test_a_seed_gives_the_same_file(tmp_path, name):
    first, again, other = (tmp_path / part for part in ("first", "again", "other"))
    for path, seed in ((first, 1), (again, 1), (other, 2)):
        make_slides.make(name, path, seed, scale=1 / 256)
    assert first.read_bytes() == again.read_bytes()
    assert first.read_bytes() != other.read_bytes()


@pytest.mark.parametrize("name", ["B", "E"])
def test_shapes_reach_their_bits_and_blank_tiles(tmp_path, name):
    facts = make_slides.make(name, tmp_path / "slide", scale=1 / 64)
    assert facts["bits_per_pixel"] == pytest.approx(facts["bits_per_pixel_wanted"], rel=0.1)
    assert name == "B" or 0.60 <= facts["white_tiles"] <= 0.75
    with tifffile.TiffFile(tmp_path / "slide") as file:
        assert file.pages[0].shape[1::-1] == facts["size"]


def test_many_tiles_point_at_few_bytes(made):
    path = made("many-tiles")
    assert path.stat().st_size < 3 << 20
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        assert len(page.dataoffsets) == 320 * 313 == -(-page.imagewidth // 256) * -(-page.imagelength // 256)
        assert len(set(page.dataoffsets)) == 7
        assert len(file.series[0].levels) == 5
        last = file.series[0].levels[-1].asarray()
    with openslide.OpenSlide(path) as slide:
        assert slide.dimensions == (page.imagewidth, page.imagelength)
        seen = slide.read_region((0, 0), slide.level_count - 1, last.shape[1::-1]).convert("RGB")
    assert np.array_equal(np.asarray(seen), last)


def test_an_unknown_name_is_refused_with_the_names_there_are(tmp_path):
    with pytest.raises(ValueError, match="'nope'.*jpeg-440"):
        make_slides.make("nope", tmp_path / "a")
