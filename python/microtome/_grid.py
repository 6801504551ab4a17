"""Locations that cover a slide, all of it or where there is tissue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from . import _arguments, _levels
from ._lazy import np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .slide import Slide


def grid(
    slide: Slide,
    size: Iterable[int],
    stride: Iterable[int] | None = None,
    *,
    level: int | None = None,
    mpp: float | None = None,
    downsample: float | None = None,
    power: float | None = None,
    mask: Any = None,
    min_tissue: float | None = None,
    edge: Literal["pad", "drop"] = "pad",
) -> np.ndarray:
    """Locations of a regular grid of patches, row by row.

    Parameters
    ----------
    slide : Slide
        Which is to be covered.
    size, stride : tuple of int
        (w, h) of a patch, and (x, y) from one to the next, in pixels of the level; stride is `size` unless told.
    level, mpp, downsample, power
        As for `Slide.read`.
    mask : array, optional
        (h, w) bool or uint8 that covers the whole slide at any scale; what is not 0 is tissue. Outside the slide
        there is none.
    min_tissue : float, optional
        Keep a patch if at least this share of its area (0 to 1) is tissue; any tissue at all, unless told.
    edge : {"pad", "drop"}
        Whether patches that reach beyond the right and bottom edge are kept, to be filled there.

    Returns
    -------
    numpy.ndarray
        (N, 2) int64: level-0 x, y. Each is the level-0 pixel nearest to its patch's corner, which `Slide.read` maps to
        exactly that multiple of the stride at the level.

    Raises
    ------
    TypeError, ValueError, IndexError, UnsupportedError
        As `Slide.read` does for its arguments; `mask` is no such array; `min_tissue` without `mask` or outside 0 to 1.

    Examples
    --------
    >>> mt.grid(slide, (256, 256), level=1).tolist()
    [[0, 0], [512, 0], [0, 512], [512, 512]]
    >>> mt.grid(slide, (256, 256), level=1, edge="drop").tolist()
    [[0, 0], [512, 0]]
    """
    index = _levels.resolve(slide, level, mpp, downsample, power)
    size = _arguments.size(size)
    stride = size if stride is None else _arguments.size(stride, "stride")
    _arguments.choice(edge, "edge", ("pad", "drop"))
    extent, extent0 = slide.levels[index].size, slide.size
    xs, ys = (
        np.arange(0, extent[a] if edge == "pad" else max(0, extent[a] - size[a] + 1), stride[a])
        for a in (0, 1)
    )
    kept = np.ones((len(ys), len(xs)), bool)
    if mask is not None:
        kept = _has_tissue(_checked_mask(mask), xs, ys, size, extent, _checked_share(min_tissue))
    elif min_tissue is not None:
        raise ValueError(f"min_tissue = {min_tissue!r} was given without a mask")
    rows, columns = np.nonzero(kept)
    x0, y0 = _to_level0(xs, extent[0], extent0[0]), _to_level0(ys, extent[1], extent0[1])
    return np.stack([x0[columns], y0[rows]], axis=1)


def _to_level0(positions, extent, extent0):
    """The level-0 pixels nearest to positions * extent0 / extent; since extent0 >= extent they map back exactly."""
    # Python's integers: the product may pass 64 bits.
    return np.array([(2 * int(p) * extent0 + extent) // (2 * extent) for p in positions], np.int64)


def _checked_mask(mask):
    array = np.asarray(mask)
    if array.ndim != 2 or array.dtype not in (np.bool_, np.uint8) or array.size == 0:
        raise ValueError(
            f"mask has shape {array.shape} and dtype {array.dtype}, expected (h, w) of bool or uint8, not empty"
        )
    return array != 0


def _checked_share(min_tissue):
    if min_tissue is None:
        return None
    share = float(min_tissue)
    if not 0 <= share <= 1:
        raise ValueError(f"min_tissue = {min_tissue!r}, expected 0 to 1")
    return share


def _has_tissue(mask, xs, ys, size, extent, min_tissue):
    """(len(ys), len(xs)) bool: which patches have enough of the mask.

    Lengths are counted in units in which both a mask pixel and a level pixel are whole: along x a mask pixel is
    `extent` and a level pixel mask-width units long. An integral image then gives each patch's tissue area without
    rounding; it may wrap around in 64 bits, but differences of it do not, as long as a patch's area fits.
    """
    (rows, columns), (w, h) = mask.shape, size
    total = w * columns * h * rows
    if total >= 2**63:
        raise ValueError(
            f"mask of {columns}×{rows} and patches of {w}×{h} are too large together; use a smaller mask"
        )
    integral = np.zeros((rows + 1, columns + 1), np.uint64)
    integral[1:, 1:] = mask.cumsum(0, dtype=np.uint64).cumsum(1, dtype=np.uint64)
    across = (
        _at(integral, np.clip(xs, 0, extent[0]), columns, extent[0]),
        _at(integral, np.clip(xs + w, 0, extent[0]), columns, extent[0]),
    )
    strips = across[1] - across[0]  # (rows + 1, len(xs)): tissue above each mask row, between a patch's sides
    top, bottom = (_at(strips.T, np.clip(y, 0, extent[1]), rows, extent[1]) for y in (ys, ys + h))
    tissue = (bottom - top).T
    return tissue > 0 if min_tissue is None else tissue / total >= min_tissue


def _at(integral, positions, pixels, extent):
    """Columns of an integral image at `positions` (level pixels), between its own columns, times `extent`."""
    units = positions * pixels
    whole, rest = units // extent, (units % extent).astype(np.uint64)
    left, right = integral[:, whole], integral[:, np.minimum(whole + 1, pixels)]
    return left * np.uint64(extent) + (right - left) * rest
