"""What a notebook shows of slides and batches."""

import base64
import io
import re
import shutil
import sys

import microtome as mt
import numpy as np
import pytest
from microtome import _html
from PIL import Image
from reference import random_levels, write_pyramid


def picture(shown):
    """(h, w, 3): the pixels of the picture in a piece of HTML."""
    (data,) = re.findall(r'src="data:image/png;base64,([^"]+)"', shown)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def test_a_slide_shows_itself(slide, pyramid):
    shown = slide._repr_html_()
    np.testing.assert_array_equal(picture(shown), pyramid.levels[2])
    for part in (
        pyramid.path,
        "1024 × 768, 3 × uint8",
        "0.25 × 0.25",
        "level 2",
        "256 × 192",
        "tiles of 128×128",
    ):
        assert part in shown
    assert shown.count("<div") == shown.count("</div>")


def test_an_aperio_slide(made_slide):
    shown = mt.open(made_slide("aperio-jpeg-420"))._repr_html_()
    assert "objective" in shown and "20×" in shown and "thumbnail, label, macro" in shown


def test_names_are_escaped(pyramid, tmp_path):
    path = tmp_path / "<script>&.tif"
    shutil.copyfile(pyramid.path, path)
    shown = mt.open(path)._repr_html_()
    assert "&lt;script&gt;&amp;.tif" in shown and "<script>" not in shown


def test_a_closed_slide_shows_its_facts(pyramid):
    slide = mt.open(pyramid.path)
    slide.close()
    shown = slide._repr_html_()
    assert "(closed)" in shown and "1024 × 768" in shown and "<img" not in shown


def test_a_broken_tile_does_not_raise(tmp_path):
    levels = random_levels((300, 200), 1)
    write_pyramid(tmp_path / "a.tif", levels)
    content = bytearray((tmp_path / "a.tif").read_bytes())
    content[len(content) // 2 :] = b"\xff" * len(content[len(content) // 2 :])
    shown = mt.open(bytes(content))._repr_html_()
    assert "tile" in shown and "300 × 200" in shown and "<img" not in shown


def test_a_large_slide_without_small_levels_is_not_decoded(pyramid, made_slide, monkeypatch):
    monkeypatch.setattr(_html, "MOST_PIXELS", 1000)
    assert "no level is small enough" in mt.open(pyramid.path)._repr_html_()
    slide = mt.open(made_slide("aperio-jpeg-420"))  # the vendor's thumbnail serves
    np.testing.assert_array_equal(picture(slide._repr_html_()), slide.associated["thumbnail"])


@pytest.mark.parametrize(
    ("channels", "dtype"), [(1, np.uint8), (3, np.uint16), (1, np.float32), (1, np.int16)]
)
def test_other_samples(channels, dtype, tmp_path):
    levels = random_levels((120, 80), 1, channels=channels, dtype=dtype)
    write_pyramid(tmp_path / "a.tif", levels)
    shown = picture(mt.open(tmp_path / "a.tif")._repr_html_())
    assert shown.shape == (80, 120, 3) and np.ptp(shown) > 200
    if dtype == np.uint16:
        np.testing.assert_array_equal(shown, levels[0] >> 8)


def test_a_batch_shows_its_contact_sheet(slide, pyramid):
    batch = next(iter(mt.Loader(slide, mt.grid(slide, (64, 64))[:10], (64, 64), batch_size=10)))
    shown = batch._repr_html_()
    assert "Batch 0: 10 patches of 64 × 64, 3 × uint8" in shown
    sheet, gap = picture(shown), _html.SHEET_GAP
    assert sheet.shape == (2 * (64 + 2 * gap), 8 * (64 + 2 * gap), 3)
    np.testing.assert_array_equal(sheet[gap : gap + 64, gap : gap + 64], pyramid.levels[0][:64, :64])
    np.testing.assert_array_equal(
        sheet[64 + 3 * gap : 128 + 3 * gap, gap : gap + 64], pyramid.levels[0][:64, 512:576]
    )


def test_a_large_batch_shows_its_first_patches(slide):
    batch = next(iter(mt.Loader(slide, mt.grid(slide, (100, 100)), (400, 100), batch_size=80)))
    assert "80 patches of 400 × 100" in batch._repr_html_() and "the first 32 shown" in batch._repr_html_()
    assert picture(batch._repr_html_()).shape == (4 * (20 + 6), 8 * (80 + 6), 3)


def test_patches_with_broken_tiles_are_framed(broken_path):
    with mt.open(broken_path) as slide:
        batch = next(iter(mt.Loader(slide, [(0, 0), (128, 0)], (64, 64), on_error="fill")))
    shown = batch._repr_html_()
    assert "1 with broken tiles" in shown
    sheet = picture(shown)
    assert tuple(sheet[0, 70]) == _html.RED and tuple(sheet[0, 0]) == (255, 255, 255)


def test_an_empty_batch():
    batch = mt.Batch(
        np.empty((0, 8, 8, 3), np.uint8),
        np.empty((0, 2), np.int64),
        np.empty(0, np.int64),
        np.empty(0, np.int64),
    )
    assert "0 patches of 8 × 8" in batch._repr_html_()


def test_without_pillow(slide, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert "pip install pillow" in slide._repr_html_() and "1024 × 768" in slide._repr_html_()
