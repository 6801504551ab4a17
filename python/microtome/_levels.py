"""Levels, and which one a resolution means."""

from typing import NamedTuple

from . import _arguments
from .errors import UnsupportedError

# A stored level this near to the resolution asked for is that resolution: vendors round what they write down.
TOLERANCE = 0.01


class Level(NamedTuple):
    """One stored resolution of a slide.

    Attributes
    ----------
    index : int
        0 is the largest.
    size : tuple of int
        (w, h) in pixels of this level.
    tile_size : tuple of int
        (w, h) of a stored tile in pixels.
    downsample : tuple of float
        (x, y): size of level 0 divided by this level's.
    mpp : tuple of float or None
        (x, y) in µm per pixel of this level.
    """

    index: int
    size: tuple[int, int]
    tile_size: tuple[int, int]
    downsample: tuple[float, float]
    mpp: tuple[float, float] | None


def resolve(slide, level=None, mpp=None, downsample=None, power=None):
    """The index of the stored level that at most one of the arguments means; level 0 for none of them."""
    if mpp is None and downsample is None and power is None:
        return 0 if level is None else _level(slide, level)
    asked = {"level": level, "mpp": mpp, "downsample": downsample, "power": power}
    given = {name: value for name, value in asked.items() if value is not None}
    if len(given) > 1:
        raise ValueError(
            f"{' and '.join(f'{n}={v!r}' for n, v in given.items())} were given, "
            "expected one of level, mpp, downsample and power"
        )
    ((name, value),) = given.items()
    return _nearest(slide, name, _arguments.positive(value, name))


def _level(slide, value):
    index = _arguments.integer(value, "level")
    count = len(slide.levels)
    if not 0 <= index < count:
        last = count - 1
        has = "level 0 only" if last == 0 else f"levels 0…{last}"
        raise IndexError(f"level {index}: the slide has {has}")
    return index


def _per_level(slide, name):
    """[(x, y), …]: the value of `name` at each level."""
    if name == "downsample":
        return [level.downsample for level in slide.levels]
    if name == "mpp":
        if slide.mpp is None:
            raise UnsupportedError(
                f"mpp: {slide.name} does not say how many µm a pixel has; use level= or downsample="
            )
        return [level.mpp for level in slide.levels]
    if slide.objective_power is None:
        raise UnsupportedError(
            f"power: {slide.name} does not say its objective power; use level= or downsample="
        )
    return [tuple(slide.objective_power / axis for axis in level.downsample) for level in slide.levels]


def _nearest(slide, name, wanted):
    values = _per_level(slide, name)
    distances = [max(abs(x / wanted - 1), abs(y / wanted - 1)) for x, y in values]
    nearest = min(range(len(values)), key=distances.__getitem__)
    if distances[nearest] <= TOLERANCE:
        return nearest
    stored = ", ".join(f"{i}: {sum(v) / 2:.6g}" for i, v in enumerate(values))
    raise UnsupportedError(
        f"{name}={wanted:g}: no stored level is within 1 % of it, and resampling is not available yet; "
        f"{name} of the levels of {slide.name}: {stored}; nearest is level {nearest}"
    )
