"""Pixels that tests expect: arrays that tifffile wrote losslessly, or what tifffile decodes."""

import io
from dataclasses import dataclass

import numpy as np
import tifffile
from PIL import Image


@dataclass(frozen=True)
class Pyramid:
    """A slide file whose levels are known."""

    path: str
    levels: list  # of (H, W, C) arrays


def write_pyramid(path, levels, *, tile=(128, 128), compression="zlib", mpp=0.25, **options):
    """Writes `levels` as a tiled TIFF, reduced ones marked as such; `mpp` goes into its resolution tags."""
    with tifffile.TiffWriter(path) as file:
        for index, level in enumerate(levels):
            resolution = (1e4 / mpp / 2**index,) * 2 if mpp else None
            file.write(
                level if level.shape[-1] > 1 else level[..., 0],
                tile=tile,
                compression=compression,
                photometric="rgb" if level.shape[-1] == 3 else "minisblack",
                subfiletype=int(index > 0),
                resolution=resolution,
                resolutionunit="CENTIMETER" if mpp else None,
                metadata=None,
                **options,
            )


def random_levels(size, count, *, channels=3, dtype=np.uint8, seed=1):
    """`count` levels of noise, each with half the sides of the one before: every pixel tells its place."""
    random = np.random.default_rng(seed)
    w, h = size
    shapes = [(h >> i, w >> i, channels) for i in range(count)]
    if np.dtype(dtype).kind == "f":
        return [random.random(shape, dtype) for shape in shapes]
    return [random.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True) for shape in shapes]


def reference_levels(path):
    """[(H, W, C) array, …] of a pyramid as tifffile decodes it."""
    with tifffile.TiffFile(path) as file:
        arrays = [level.asarray() for level in file.series[0].levels]
    return [array if array.ndim == 3 else array[..., None] for array in arrays]


def crop(pixels, x, y, size, fill=255):
    """The region at (x, y) of an image, `fill` outside it."""
    w, h = size
    out = np.empty((h, w, pixels.shape[2]), pixels.dtype)
    out[...] = fill
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + w, pixels.shape[1]), min(y + h, pixels.shape[0])
    if x0 < x1 and y0 < y1:
        out[y0 - y : y1 - y, x0 - x : x1 - x] = pixels[y0:y1, x0:x1]
    return out


def write_jpeg_tiles(path, kinds):
    """A slide of 64×64 tiles of noise, three in a row, each a JPEG of one kind: a sampling, or "progressive"."""

    def encode(kind, seed):
        noise = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), np.uint8)
        tile = Image.fromarray(noise).resize((64, 64), Image.Resampling.BICUBIC)
        content = io.BytesIO()
        options = {"progressive": True} if kind == "progressive" else {"subsampling": kind}
        tile.save(content, "jpeg", quality=85, **options)
        return content.getvalue()

    tiles = [encode(kind, seed) for seed, kind in enumerate(kinds)]
    tifffile.imwrite(
        path,
        iter(tiles),
        shape=(64 * len(kinds) // 3, 192, 3),
        dtype="uint8",
        tile=(64, 64),
        compression="jpeg",
        photometric="ycbcr",
        metadata=None,
    )
