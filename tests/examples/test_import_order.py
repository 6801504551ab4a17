"""Other libraries of the field, each with codec libraries of its own, beside Microtome in one process, in every
order.
"""

import itertools
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageDraw

OTHERS = ["cucim", "openslide", "pyvips", "torch"]
INSTALLED = [name for name in OTHERS if find_spec(name)]
PROGRAM = Path(__file__).with_name("imports_in_order.py")
CODECS = {"jpeg": None, "jpeg2000": {"reversible": True}, "webp": {"lossless": True}, "jpegxl": {"lossless": True},
          "deflate": None, "zstd": None, "lzma": None, "lerc": None}  # fmt: skip


def orders():
    """Every order of Microtome and two others, or the one there is."""
    together = itertools.combinations(INSTALLED, min(2, len(INSTALLED)))
    return [order for others in together for order in itertools.permutations(("microtome", *others))]


@pytest.fixture(scope="module")
def slides(tmp_path_factory):
    """A folder with a slide for each codec, and what tifffile reads in it."""
    folder = tmp_path_factory.mktemp("slides")
    image = Image.new("RGB", (256, 192), (240, 235, 238))
    draw = ImageDraw.Draw(image)
    for i in range(40):
        x, y = 37 * i % 256, 53 * i % 192
        draw.ellipse((x, y, x + 20 + i, y + 30), fill=(90 + 3 * i, 40 + i, 200 - 3 * i))
    for codec, options in CODECS.items():
        path = folder / f"{codec}.tif"
        tifffile.imwrite(path, np.asarray(image), compression=codec, compressionargs=options, tile=(64, 64),
                         photometric="rgb", metadata=None)  # fmt: skip
        np.save(path.with_suffix(".npy"), tifffile.imread(path))
    return folder


@pytest.mark.parametrize("order", orders(), ids="-".join)
def test_right_pixels_whatever_is_imported_first(order, slides):
    command = [sys.executable, PROGRAM, slides, *order]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", OTHERS)
def test_beside_which_libraries(name):
    if name not in INSTALLED:
        pytest.skip(f"{name} is not installed here; make test-examples installs it")
    assert any(name in order for order in orders())
