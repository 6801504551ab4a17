"""Random patches of 256 x 256: "dense", each tile wanted about four times; "sparse", no tile wanted twice."""

from __future__ import annotations

import numpy as np

from tasks.patches import PATCH, planned, touched, window, work  # noqa: F401

TIMES = 4
SEED = 20


def candidates(slide, options, count):
    left, top, right, bottom = window(slide, options)
    rng = np.random.default_rng(SEED)
    xs = rng.integers(left, right - PATCH + 1, count)
    ys = rng.integers(top, bottom - PATCH + 1, count)
    return np.stack([xs, ys], -1).astype("<i8")


def plan(slide, variant, options):
    left, top, right, bottom = window(slide, options)
    tiles = -(-(right - left) // slide.tile) * -(-(bottom - top) // slide.tile)
    if variant == "dense":
        chosen = candidates(slide, options, TIMES * tiles)
        wanted = np.cumsum([len(t) for t in touched(chosen, PATCH, slide.tile)])
        return planned(slide, chosen[: np.searchsorted(wanted, TIMES * tiles) + 1], PATCH)
    chosen = candidates(slide, options, 20 * tiles)
    taken, rows = set(), []
    for row, wanted in enumerate(touched(chosen, PATCH, slide.tile)):
        if taken.isdisjoint(wanted):
            taken.update(wanted)
            rows.append(row)
    return planned(slide, chosen[rows], PATCH)
