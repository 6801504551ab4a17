"""The slides that the rows read: made on the spot from a seed, tiles of something like tissue."""

from __future__ import annotations

import io

import imagecodecs
import numpy as np
import tifffile
from PIL import Image

CSS = {"420": 2, "422": 1, "444": 0}  # Pillow's names of a subsampling


def texture(seed, side):
    """(side, side, 3) uint8: blotches of pink and violet with grain."""
    random = np.random.default_rng(seed)
    blotches = Image.fromarray(random.integers(90, 255, (side // 16, side // 16, 3), np.uint8))
    smooth = np.asarray(blotches.resize((side, side), Image.Resampling.BICUBIC), np.int16)
    grain = random.normal(0, 6, (side, side, 1))
    return np.clip(smooth + grain, 0, 255).astype(np.uint8)


def jpeg(pixels, css="420", quality=80):
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "jpeg", quality=quality, subsampling=CSS[css])
    return content.getvalue()


def write(path, tiles, across, side, **options):
    """A slide of encoded tiles, row by row."""
    shape = (side * (len(tiles) // across), side * across, 3)
    tifffile.imwrite(
        path, iter(tiles), shape=shape, dtype="uint8", tile=(side, side), metadata=None, **options
    )
    return str(path)


def jpeg_slide(folder, across, down, side=256, css="420", quality=80, different=64):
    """Path; its tiles are `different` ones in turn, so that encoding them does not take all day."""
    path = folder / f"jpeg-{css}-q{quality}-{side}-{across}x{down}.tif"
    if not path.exists():
        kinds = [jpeg(texture(seed, side), css, quality) for seed in range(min(different, across * down))]
        tiles = [kinds[i % len(kinds)] for i in range(across * down)]
        write(path, tiles, across, side, compression="jpeg", photometric="ycbcr")
    return str(path)


def jpeg2000_slide(folder, across, down, side=256):
    path = folder / f"jpeg2000-{side}-{across}x{down}.tif"
    if not path.exists():
        kinds = [
            imagecodecs.jpeg2k_encode(texture(seed, side), level=40, codecformat="j2k", mct=False)
            for seed in range(min(8, across * down))
        ]
        tiles = [kinds[i % len(kinds)] for i in range(across * down)]
        write(path, tiles, across, side, compression=33005, photometric="rgb")
    return str(path)


def broken_slide(folder, across, down, side=256):
    """Path, and which tiles are broken: flat ones, and of every hundred one cut short and one of rubbish."""
    path = folder / f"broken-{side}-{across}x{down}.tif"
    flat = [jpeg(np.full((side, side, 3), value, np.uint8)) for value in (255, 0, 127)]
    usual = [jpeg(texture(seed, side)) for seed in range(8)]
    tiles, broken = [], set()
    for i in range(across * down):
        good = flat[i % 3] if i % 4 == 0 else usual[i % 8]
        if i % 100 == 5:
            good = usual[i % 8][: len(usual[i % 8]) // 2]
            broken.add(i)
        elif i % 100 == 7:
            good = usual[i % 8][:200] + bytes(len(usual[i % 8]) - 200)
            broken.add(i)
        tiles.append(good)
    return write(path, tiles, across, side, compression="jpeg", photometric="ycbcr"), broken


def raw_slide(folder, across, down, side=256):
    path = folder / f"raw-{side}-{across}x{down}.tif"
    if not path.exists():
        row = np.concatenate([texture(seed, side) for seed in range(across)], 1)
        tifffile.imwrite(
            path, np.concatenate([row] * down), tile=(side, side), photometric="rgb", metadata=None
        )
    return str(path)
