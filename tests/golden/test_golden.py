"""Every level of every real slide against two other readers, pixel by pixel.

tifffile (with imagecodecs) and OpenSlide 4, composed over white, are the references. A file is in the table below
with what is expected of it; a file in the folders that is not in the table fails the suite, so nothing is skipped
silently. Run with `-rA` to see each file's verdict.

The slides are looked for in $MICROTOME_SLIDES, else in ../shared/slides beside the checkout.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import microtome as mt
import numpy as np
import pytest

tifffile = pytest.importorskip("tifffile")
openslide = pytest.importorskip("openslide")

ROOT = Path(os.environ.get("MICROTOME_SLIDES") or Path(__file__).resolve().parents[3] / "shared" / "slides")
FOLDERS = ("aperio", "generic-pyramid")
BAND_ROWS = 1024

pytestmark = pytest.mark.skipif(not ROOT.is_dir(), reason=f"no slides in {ROOT}; set MICROTOME_SLIDES")


@dataclass(frozen=True)
class Equal:
    """Every level equals the references, off by at most `within` per sample.

    `openslide` is False where OpenSlide 4 refuses the file, or the number of levels that it reads where it lists more;
    `every`: it reads only one in so many bands of level 0 of a large file, of which tifffile reads all.
    """

    levels: int
    within: int = 0
    openslide: bool | int = True
    every: int = 1


@dataclass(frozen=True)
class Refused:
    """`error` is raised by open() or, where `opens`, by reading level 0; its text holds `text`."""

    error: type[Exception]
    text: str
    opens: bool = True


# 33003 is YCbCr in the codestream and every reader rounds its conversion in its own way: 2 apart at most.
# 33005 is irreversible JPEG 2000: 1 apart at most.
TABLE: dict[str, Equal | Refused] = {
    "aperio/1065626.svs": Equal(levels=2, within=2, every=4),
    "aperio/CMU-1-JP2K-Region.svs": Equal(levels=1, within=1),
    "aperio/CMU-1-Small-Region.svs": Equal(levels=1),
    "aperio/small.svs": Equal(levels=1),
    "aperio/unreadable.svs": Refused(mt.CorruptSlideError, "jpeg"),
    "aperio/broken.svs": Refused(mt.UnsupportedError, "not a", opens=False),
    "aperio/unopenable.tiff": Refused(mt.UnsupportedError, "52479"),
    "generic-pyramid/DEM_BS28_2016_1000_1141.tif": Equal(levels=1, openslide=False),
    "generic-pyramid/big.endian.tiff": Equal(levels=1, openslide=False),
    # Levels 1 to 4 store four times the bytes that their tiles need, which OpenSlide's libtiff refuses.
    "generic-pyramid/big_cog.tiff": Equal(levels=5, openslide=1),
    "generic-pyramid/boxes.tiff": Equal(levels=4),
    "generic-pyramid/grey10kx5k.tif": Equal(levels=1, openslide=False),
    "generic-pyramid/image_51px.tif": Equal(levels=1, openslide=False),
    "generic-pyramid/image_rgb_mask.tif": Equal(levels=1, openslide=False),
    "generic-pyramid/image_rioCOG_gdal3.1.tif": Equal(levels=2),
    "generic-pyramid/image_sorted.tif": Equal(levels=4, openslide=False),
    "generic-pyramid/image_with_offsets.tif": Equal(levels=1, openslide=False),
    "generic-pyramid/karolinska-mask.tif": Equal(levels=3),
    "generic-pyramid/model_transformation.tif": Equal(levels=1, openslide=False),
    "generic-pyramid/no_dzi.tif": Equal(levels=4),
    "generic-pyramid/odd_ifd.tif": Equal(levels=1, openslide=False),
    "generic-pyramid/patch-8-level.tif": Equal(levels=9),
    "generic-pyramid/patch.tif": Equal(levels=5),
    "generic-pyramid/rgba8_cog.tiff": Equal(levels=5),
    "generic-pyramid/rgba8_cog_big.tiff": Equal(levels=5),
    "generic-pyramid/rgba8_strip.tiff": Equal(levels=1, openslide=False),
    "generic-pyramid/small_HE_levels.tiff": Equal(levels=4),
    "generic-pyramid/usda_naip_256_webp_z3.tif": Equal(levels=3, openslide=False),
    "generic-pyramid/valid_tiff.tif": Equal(levels=2),
    "generic-pyramid/yb10kx5k.zstd.tiff": Equal(levels=5),
}


def names() -> list[str]:
    return [f"{folder}/{path.name}" for folder in FOLDERS for path in sorted((ROOT / folder).glob("*"))]


def pages_by_size(file: tifffile.TiffFile) -> dict[tuple[int, int], tifffile.TiffPage]:
    """tifffile's directories, SubIFDs included, by (width, height); tiled before strips, earlier before later."""
    found: dict[tuple[int, int], tifffile.TiffPage] = {}
    pages = [page.aspage() for page in file.pages]
    pages += [sub.aspage() for page in pages for sub in (page.pages or [])]
    for page in sorted(pages, key=lambda p: not p.is_tiled):
        found.setdefault((page.imagewidth, page.imagelength), page)
    return found


def as_hwc(pixels: np.ndarray) -> np.ndarray:
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def over_white(rgba: np.ndarray) -> np.ndarray:
    """OpenSlide's RGBA (straight alpha, as its Python binding gives it) over a white ground."""
    if rgba[:, :, 3].min() == 255:
        return np.ascontiguousarray(rgba[:, :, :3])
    alpha = rgba[:, :, 3:].astype(np.uint32)
    rgb = rgba[:, :, :3].astype(np.uint32)
    return ((rgb * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def assert_within(ours: np.ndarray, theirs: np.ndarray, within: int, what: str) -> int | np.generic:
    assert ours.shape == theirs.shape, what
    assert ours.dtype == theirs.dtype.newbyteorder("="), what
    if np.array_equal(ours, theirs):
        return 0
    # Not abs(ours - theirs) in a wider type: a level of 400 MB takes as long so as both readers take to decode it.
    worst = (np.maximum(ours, theirs) - np.minimum(ours, theirs)).max()
    assert worst <= within, f"{what}: off by {worst}, allowed {within}"
    return worst


def test_every_file_has_an_expected_verdict():
    assert sorted(names()) == sorted(TABLE)


@pytest.mark.parametrize("name", sorted(n for n, v in TABLE.items() if isinstance(v, Refused)))
def test_refused_with_its_reason(name):
    expected = TABLE[name]
    if not expected.opens:
        with pytest.raises(expected.error, match=expected.text):
            mt.open(ROOT / name)
        return
    with mt.open(ROOT / name) as slide:
        with pytest.raises(expected.error, match=expected.text):
            slide.read_level(0)
        with pytest.raises(expected.error, match=expected.text):
            slide.read((0, 0), (1, 1))


@pytest.mark.parametrize("name", sorted(n for n, v in TABLE.items() if isinstance(v, Equal)))
def test_equals_tifffile(name, record_property):
    expected = TABLE[name]
    with mt.open(ROOT / name) as slide, tifffile.TiffFile(ROOT / name) as file:
        pages = pages_by_size(file)
        assert len(slide.levels) == expected.levels
        for level in slide.levels:
            page = pages[level.size]
            theirs = as_hwc(page.asarray())
            if page.planarconfig == 2 and page.samplesperpixel > 1:
                theirs = np.moveaxis(theirs, 0, 2)
            # tifffile leaves absent tiles 0.
            ours = slide.read_level(level.index, fill=0)
            worst = assert_within(
                ours, theirs, expected.within, f"{name} level {level.index} against tifffile"
            )
            record_property(f"level {level.index}", f"off by {worst}")


@pytest.mark.parametrize("name", sorted(n for n, v in TABLE.items() if isinstance(v, Equal) and v.openslide))
def test_equals_openslide(name, record_property):
    expected = TABLE[name]
    with mt.open(ROOT / name) as slide, openslide.OpenSlide(str(ROOT / name)) as reference:
        sizes = [level.size for level in slide.levels]
        readable = reference.level_count if expected.openslide is True else expected.openslide
        for number, size in enumerate(reference.level_dimensions[:readable]):
            level = sizes.index(
                size
            )  # a level that OpenSlide does not list (SubIFDs) is compared with tifffile alone
            worst = 0
            width, height = size
            # Level 0 in bands, for OpenSlide's four bytes a pixel; the others whole, since not every row of theirs is
            # on a row of level 0.
            band, every = (BAND_ROWS, expected.every) if level == 0 else (height, 1)
            for y in range(0, height, every * band):
                rows = min(band, height - y)
                theirs = over_white(np.asarray(reference.read_region((0, y), number, (width, rows))))
                ours = slide.read((0, y), (width, rows), level=level)
                if ours.shape[2] == 1:
                    ours = np.repeat(ours, 3, axis=2)
                if ours.shape[2] == 4:
                    ours = over_white(ours)
                worst = max(
                    worst, assert_within(ours, theirs, expected.within, f"{name} level {level}, row {y}")
                )
            record_property(f"level {level}", f"off by {worst}")


@pytest.mark.parametrize(
    "name", sorted(n for n, v in TABLE.items() if isinstance(v, Equal) and n.startswith("aperio"))
)
def test_associated_images_equal_openslide(name):
    with mt.open(ROOT / name) as slide, openslide.OpenSlide(str(ROOT / name)) as reference:
        assert set(slide.associated) == set(reference.associated_images)
        for key in reference.associated_images:
            theirs = over_white(np.asarray(reference.associated_images[key]))
            assert_within(slide.associated[key], theirs, 0, f"{name} {key}")
