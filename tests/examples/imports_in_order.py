"""Imports libraries in the order given, reads with each right after, and with all again at the end; one process.

    python imports_in_order.py FOLDER NAME ...

FOLDER has slides and, beside each, a .npy of its pixels. Ends with an error where pixels are wrong.
"""

import sys
from pathlib import Path

import numpy as np


def with_microtome(path, expected):
    import microtome as mt

    with mt.open(path) as slide:
        np.testing.assert_array_equal(slide.read_level(0), expected)
        h, w = expected.shape[:2]
        locations = mt.grid(slide, (64, 64), edge="drop")
        for batch in mt.Loader(slide, locations, (64, 64), batch_size=5):
            for (x, y), patch in zip(batch.locations, batch.pixels, strict=True):
                np.testing.assert_array_equal(patch, expected[y : y + 64, x : x + 64])


def with_openslide(path, expected):
    import openslide

    h, w = expected.shape[:2]
    with openslide.OpenSlide(path) as slide:
        close(np.asarray(slide.read_region((0, 0), 0, (w, h)))[..., :3], expected)


def with_pyvips(path, expected):
    import pyvips

    close(pyvips.Image.new_from_file(str(path)).numpy()[..., :3], expected)


def with_cucim(path, expected):
    from cucim import CuImage

    close(np.asarray(CuImage(str(path)).read_region()), expected)


def with_torch(path, expected):
    import torch

    image = torch.tensor(expected[:64, :64].tolist(), dtype=torch.float32).permute(2, 0, 1)[None]
    blurred = torch.nn.functional.avg_pool2d(image, 2)
    assert abs(float(blurred.mean()) - expected[:64, :64].mean()) < 0.01


def close(found, expected):
    """Within 2: others round their colours in ways of their own."""
    assert np.abs(found.astype(int) - expected).max() <= 2


# What all of them can read; Microtome reads the others' formats too.
COMMON = "jpeg"


def main():
    folder, names = Path(sys.argv[1]), sys.argv[2:]
    slides = {path.stem: (path, np.load(path.with_suffix(".npy"))) for path in sorted(folder.glob("*.tif"))}
    for name in names + names:
        globals()[f"with_{name}"](*slides[COMMON])
        if name == "microtome":
            for path, expected in slides.values():
                with_microtome(path, expected)


if __name__ == "__main__":
    main()
