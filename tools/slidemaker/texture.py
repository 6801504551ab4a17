"""Pictures of made slides: stained tissue on glass, computed region by region for any size of slide.

The seeded texture is made with whole numbers only (random numbers, box filters, table look-ups), so that a seed
gives the same pixels on every machine. A texture taken from a real slide looks right to an eye and to an encoder,
but depends on that slide's being there.
"""

import functools
import os
from pathlib import Path

import numpy as np

CELL = 32  # pixels per cell of the coarse map that says where tissue lies
PERIOD = 1021  # prime: no multiple of a tile size repeats the texture, so no two tissue tiles are alike by accident
REAL_TEXTURES = ["aperio/CMU-1-JP2K-Region.svs", "aperio/CMU-1-Small-Region.svs"]


def box(values, radius):
    """Periodic box filter of width 2*radius+1 along both axes, in whole numbers (the sum divided by the width)."""
    width = 2 * radius + 1
    for axis in (0, 1):
        n = values.shape[axis]
        padded = np.take(values, np.arange(-radius - 1, n + radius) % n, axis=axis)
        sums = np.cumsum(padded, axis=axis, dtype=np.int64)
        values = (
            np.take(sums, np.arange(width, n + width), axis=axis) - np.take(sums, np.arange(n), axis=axis)
        ) // width
    return values


def noise(rng, shape, radius):
    """Smooth periodic noise about `radius` pixels coarse, scaled to mean 0 and a deviation of about 64."""
    values = rng.integers(0, 1 << 16, shape, dtype=np.int64)
    if radius:
        values = box(box(values, radius), radius)
    values -= int(values.sum()) // values.size
    deviation = max(1, int(np.sqrt(int((values * values).sum()) // values.size)))
    return values * 64 // deviation


def lerp(first, second, weight):
    """first + (second - first) * weight / 256 per channel, for weights 0…256 of shape (h, w)."""
    return first + (np.asarray(second) - first) * np.clip(weight, 0, 256)[..., None] // 256


@functools.lru_cache(4)
def seeded_texture(seed):
    """(PERIOD, PERIOD, 3) uint8: eosin-pink stroma with fibres and haematoxylin-purple nuclei; periodic."""
    rng = np.random.default_rng([seed, 1])
    shape = (PERIOD, PERIOD)
    stroma = (
        128
        + noise(rng, shape, 24)
        + noise(rng, shape, 6) // 2
        + noise(rng, shape, 2) // 2
        + noise(rng, shape, 1) // 3
    )
    picture = lerp(np.array([246, 222, 234]), [206, 118, 168], stroma)
    nuclei = np.zeros(shape, np.int64)
    yy, xx = np.mgrid[-14:15, -14:15]
    for x, y, rx, ry, shear in rng.integers([0, 0, 5, 5, -4], [PERIOD, PERIOD, 12, 12, 5], (1500, 5)):
        inside = 256 - 256 * (8 * xx + shear * yy) ** 2 // (64 * rx * rx) - 256 * yy * yy // (ry * ry)
        where = np.ix_((y + yy[:, 0]) % PERIOD, (x + xx[0]) % PERIOD)
        nuclei[where] = np.maximum(nuclei[where], np.clip(inside * 3, 0, 256))
    chromatin = 150 + noise(rng, shape, 3) // 2 + noise(rng, shape, 1) // 2
    picture = lerp(picture, [82, 50, 132], nuclei * np.clip(chromatin, 60, 256) // 256)
    grain = noise(rng, shape, 0)[..., None] // 30 + rng.integers(-2, 3, (*shape, 3))
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def slides_folder(name):
    """The folder of real slides with `name`: $MICROTOME_SLIDES, else ../shared/slides by the checkout, or None."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "slides"
    places = [Path(os.environ["MICROTOME_SLIDES"])] if "MICROTOME_SLIDES" in os.environ else [beside]
    return next((place for place in places if (place / name).exists()), None)


def real_texture():
    """The pixels of a real slide's level 0; None where there is no folder with one."""
    import tifffile

    for name in REAL_TEXTURES:
        if folder := slides_folder(name):
            pixels = tifffile.imread(folder / name, key=0)
            return np.ascontiguousarray(pixels[: pixels.shape[0] - 11, : pixels.shape[1] - 11])
    return None


class Picture:
    """Tissue on glass: what a slide's level 0 shows.

    `blank_tiles`  the part of all tiles (of `tile` pixels) that hold no tissue at all; 0…1.
    `glass`        "noisy": bright glass with sensor noise; "white": exactly 255, as in slides masked by their makers.
    """

    def __init__(self, size, tile, seed, *, blank_tiles=0.0, glass="noisy", texture=None):
        self.size = size
        self.texture = seeded_texture(seed) if texture is None else texture
        self.white = glass == "white"
        rng = np.random.default_rng([seed, 2])
        speckle = rng.integers(-1, 2, (509, 509, 3)) + rng.integers(-1, 2, (509, 509, 1))
        self.glass = np.clip(np.array([243, 242, 244]) + speckle, 0, 255).astype(np.uint8)
        cells = (size[1] // CELL + 3, size[0] // CELL + 3)
        coarse = noise(rng, cells, max(1, min(cells) // 10)) * 8 + noise(rng, cells, max(1, min(cells) // 40))
        columns, rows = -(-size[0] // tile), -(-size[1] // tile)
        peaks = [
            coarse[
                y * tile // CELL : (y + 1) * tile // CELL + 2, x * tile // CELL : (x + 1) * tile // CELL + 2
            ].max()
            for y in range(rows)
            for x in range(columns)
        ]
        blank = round(blank_tiles * len(peaks))
        threshold = sorted(peaks)[blank - 1] if blank else coarse.min() - 64
        self.tissue = np.clip(coarse - threshold, 0, 64) * 4  # 0…256 per cell corner

    def weight(self, x, y, w, h):
        """0…256 per pixel: how far there is tissue; the coarse map interpolated between cell corners."""

        def axis(start, length):
            at = np.arange(start, start + length)
            return at // CELL, (at % CELL).astype(np.int64)

        (row, dy), (col, dx) = axis(y, h), axis(x, w)
        top, bottom = self.tissue[row], self.tissue[row + 1]
        edge = top * (CELL - dy)[:, None] + bottom * dy[:, None]
        return (edge[:, col] * (CELL - dx) + edge[:, col + 1] * dx) // (CELL * CELL)

    def region(self, x, y, w, h):
        """(h, w, 3) uint8; (x, y, w, h) may pass the slide's edge, where the picture goes on."""
        w_in, h_in = min(w, self.size[0] - x), min(h, self.size[1] - y)
        weight = self.weight(x, y, w_in, h_in)
        rows, cols = np.arange(y, y + h_in), np.arange(x, x + w_in)
        if not weight.any():
            result = self.background(rows, cols)
        else:
            tissue = self.texture[rows[:, None] % self.texture.shape[0], cols % self.texture.shape[1]]
            weight = np.clip((weight - 16) * 2, 0, 256)  # a firm edge
            result = lerp(self.background(rows, cols).astype(np.int64), tissue, weight).astype(np.uint8)
        return np.pad(result, ((0, h - h_in), (0, w - w_in), (0, 0)), mode="edge")

    def background(self, rows, cols):
        if self.white:
            return np.full((len(rows), len(cols), 3), 255, np.uint8)
        return self.glass[rows[:, None] % 509, cols % 509]


def halve(pixels, factor):
    """Box mean over factor x factor pixels, rounded to nearest; edges that do not divide are averaged over less."""
    h, w = pixels.shape[:2]
    rows, cols = np.arange(0, h, factor), np.arange(0, w, factor)
    sums = np.add.reduceat(np.add.reduceat(pixels.astype(np.int64), rows, axis=0), cols, axis=1)
    counts = np.minimum(rows + factor, h) - rows
    counts = counts[:, None] * (np.minimum(cols + factor, w) - cols)
    counts = counts.reshape(counts.shape + (1,) * (pixels.ndim - 2))
    return ((2 * sums + counts) // (2 * counts)).astype(pixels.dtype)
