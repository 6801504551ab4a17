"""Extracts features of the tissue patches of every slide in a folder, with several processes.

    python extract_features.py FOLDER OUT [--processes 2] [--size 128]

OUT gets a .npz for each slide: `locations` (N, 2) int64, level-0 x and y, and `features` (N, 54) float32, of each
channel a histogram of 16 bins, the mean and the standard deviation. Each process takes one slide at a time and
decodes it with its share of the processors. A slide that cannot be read is said and left out; the others go on.
"""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import microtome as mt
import numpy as np

BINS = 16


def features(pixels):
    """(N, h, w, 3) uint8 → (N, 3 · (16 + 2)) float32."""
    n = len(pixels)
    flat = pixels.reshape(n, -1, 3)
    # One count for all patches and channels: each pair of them has bins of its own.
    cells = (np.arange(3 * n).reshape(n, 1, 3) * BINS + flat // (256 // BINS)).ravel()
    histogram = np.bincount(cells, minlength=3 * n * BINS).reshape(n, 3 * BINS) / flat.shape[1]
    return np.concatenate([histogram, flat.mean(axis=1), flat.std(axis=1)], axis=1).astype(np.float32)


def extract(path, out, size, workers):
    """Writes the features of one slide; returns how many patches it has, or what is wrong with it."""
    try:
        with mt.open(path) as slide:
            small = slide.thumbnail(512, workers=workers).astype(int)
            mask = small.max(axis=2) - small.min(axis=2) > 20
            locations = mt.grid(slide, (size, size), mask=mask, min_tissue=0.5, edge="drop")
            loader = mt.Loader(slide, locations, (size, size), workers=workers)
            found = [features(batch.pixels) for batch in loader]
    except (mt.Error, OSError) as error:
        return f"{path}: {error}"
    partial_file = out / f"{path.stem}.partial"
    with open(partial_file, "wb") as file:
        np.savez(file, locations=locations, features=np.concatenate(found or [np.empty((0, 54), np.float32)]))
    partial_file.rename(out / f"{path.stem}.npz")  # whole or not at all
    return len(locations)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--size", type=int, default=128)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    slides = sorted(
        path for path in options.folder.iterdir() if path.suffix.lower() in (".svs", ".tif", ".tiff")
    )
    workers = max(1, len(os.sched_getaffinity(0)) // options.processes)
    work = partial(extract, out=options.out, size=options.size, workers=workers)
    failed = 0
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as pool:
        for path, done in zip(slides, pool.map(work, slides), strict=True):
            failed += isinstance(done, str)
            print(done if isinstance(done, str) else f"{path}: {done} patches")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
