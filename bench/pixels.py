"""Compares what two contenders delivered, from the raw files that their "save" wrote."""

from __future__ import annotations

import numpy as np

CHUNK = 1 << 24


def mapped(path):
    return np.memmap(path, np.uint8, "r") if path.stat().st_size else np.zeros(0, np.uint8)


def difference(path, reference):
    """{"equal": True}, or how far the samples of `path` are from those of `reference`: the largest and the mean
    difference and the share of samples that differ. Files of different sizes are {"equal": False, "sizes": both}."""
    ours, theirs = mapped(path), mapped(reference)
    if len(ours) != len(theirs):
        return {"equal": False, "sizes": [len(ours), len(theirs)]}
    largest, total, differing = 0, 0, 0
    for start in range(0, len(ours), CHUNK):
        a, b = ours[start : start + CHUNK], theirs[start : start + CHUNK]
        if np.array_equal(a, b):
            continue
        apart = np.maximum(a, b) - np.minimum(a, b)
        largest = max(largest, int(apart.max()))
        total += int(apart.sum(dtype=np.int64))
        differing += int(np.count_nonzero(apart))
    if largest == 0:
        return {"equal": True}
    return {"equal": False, "max": largest, "mean": total / len(ours), "share": differing / len(ours)}


def described(found):
    """A few words for a table: "equal", "max 2, mean 0.31", or what is missing."""
    if not found:
        return "not compared"
    if found["equal"]:
        return "equal"
    if "sizes" in found:
        return f"{found['sizes'][0]} bytes instead of {found['sizes'][1]}"
    return f"max {found['max']}, mean {found['mean']:.2f}"
