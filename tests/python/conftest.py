"""Fixtures of the Python tests. Expected pixels never come from Microtome; see reference.py."""

import os
from pathlib import Path

import make_slides
import microtome as mt
import pytest
import tifffile
from reference import Pyramid, random_levels, write_jpeg_tiles, write_pyramid

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def made_slide(tmp_path_factory):
    """Function: name → path of that slide of tools/make_slides.py, made once."""
    folder = tmp_path_factory.mktemp("made")
    made = {}

    def path_of(name):
        if name not in made:
            made[name] = str(folder / f"{name}.{make_slides.EXTENSIONS[name]}")
            make_slides.make(name, made[name])
        return made[name]

    return path_of


@pytest.fixture(scope="session")
def pyramid(tmp_path_factory):
    """An RGB slide of 1024×768 with three levels of noise, 0.25 µm per pixel."""
    path = str(tmp_path_factory.mktemp("pyramid") / "slide.tif")
    levels = random_levels((1024, 768), 3)
    write_pyramid(path, levels)
    return Pyramid(path, levels)


@pytest.fixture
def slide(pyramid):
    with mt.open(pyramid.path) as opened:
        yield opened


@pytest.fixture
def jpeg_path(tmp_path):
    """A slide of 192×1920, JPEG, 4:2:0."""
    path = str(tmp_path / "jpeg.tif")
    write_jpeg_tiles(path, ["4:2:0"] * 90)
    return path


@pytest.fixture
def broken_path(pyramid, tmp_path):
    """The same slide with level 0's tile (1, 0), x 128 to 255 and y 0 to 127, damaged."""
    content = bytearray(Path(pyramid.path).read_bytes())
    with tifffile.TiffFile(pyramid.path) as file:
        offset, count = file.pages[0].dataoffsets[1], file.pages[0].databytecounts[1]
    content[offset : offset + count] = b"\xff" * count
    path = tmp_path / "broken.tif"
    path.write_bytes(content)
    return str(path)


@pytest.fixture
def tile_cache():
    """Function: capacity in bytes → turns the process's tile cache on; it is off and empty again afterwards."""
    yield lambda capacity_bytes: mt.cache.configure(capacity_bytes=capacity_bytes)
    mt.cache.configure(capacity_bytes=0)


@pytest.fixture(scope="session")
def real_slides():
    """The folder of real slides, from $MICROTOME_SLIDES or beside the checkout."""
    folder = Path(os.environ.get("MICROTOME_SLIDES") or ROOT.parent / "shared" / "slides")
    if not folder.is_dir():
        pytest.skip(f"no real slides in {folder}; set MICROTOME_SLIDES")
    return folder
