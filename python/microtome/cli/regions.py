"""The pixels that `microtome read` writes: a region, a whole level or a thumbnail, band by band where that is possible.

Bands keep a level that is larger than memory out of it, and let Ctrl-C through between two of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from .. import Level, PatchError, Slide, grid
from .._levels import TOLERANCE
from .failure import Exit, Failure
from .options import Resolution, checked
from .pictures import Pixels

MOST_BLANK = 1 << 26  # pixels of a region that may be larger than the level


class Reading:
    """Reads of one slide with one set of options.

    `errors` are the broken tiles that were filled so far; `advance` is called with the number of rows that came.
    """

    def __init__(
        self, slide: Slide, options: dict, advance: Callable[[int], None] = lambda rows: None
    ) -> None:
        self._slide = slide
        self._options = options
        self.advance = advance
        self.errors: list[PatchError] = []

    def thumbnail(self, longest: int) -> Pixels:
        """The whole slide, its longest side at most `longest`."""
        pixels = checked(self._slide.thumbnail, longest, **self._options)
        self.errors.extend(self._slide.last_errors)
        scale = [self._slide.size[axis] / pixels.shape[1 - axis] for axis in (0, 1)]
        return Pixels.of(pixels, **self._about(scale))

    def whole(self, resolution: Resolution) -> Pixels:
        """All of a level."""
        level = stored_level(self._slide, resolution)
        if level is None:
            return self._at_once((0, 0), _extent(self._slide, resolution), resolution)

        def bands(rows):
            # A grid of bands: its locations map to exactly these rows of the level.
            locations = grid(self._slide, (level.size[0], rows), level=level.index)
            return self._bands(locations, (level.size[0], rows), level)

        return self._pixels(level.size, bands, level.downsample)

    def region(self, location: tuple[int, int], size: tuple[int, int], resolution: Resolution) -> Pixels:
        """`size` pixels of the level, from a location in level-0 pixels on."""
        level = stored_level(self._slide, resolution)
        _refuse_blank(size, (level or self._slide).size)
        if level is None or level.index > 0:
            return self._at_once(location, size, resolution)
        (x, y), (w, h) = location, size

        def bands(rows):
            return self._bands(((x, y + top) for top in range(0, h, rows)), (w, rows), level, h)

        return self._pixels(size, bands, level.downsample)

    def _bands(self, locations, size, level, height=None) -> Iterator[np.ndarray]:
        (w, rows), left = size, height or level.size[1]
        band = np.empty((min(rows, left), w, self._slide.channels), self._slide.dtype)
        for x, y in locations:
            part = band[: min(rows, left)]
            checked(
                self._slide.read,
                (int(x), int(y)),
                part.shape[1::-1],
                level=level.index,
                out=part,
                **self._options,
            )
            self.errors.extend(self._slide.last_errors)
            left -= len(part)
            yield part
            self.advance(len(part))

    def _at_once(self, location, size, resolution):
        pixels = checked(self._slide.read, location, size, **resolution.arguments(), **self._options)
        self.errors.extend(self._slide.last_errors)
        return Pixels.of(pixels, **self._about(_downsample(self._slide, resolution)))

    def _pixels(self, size, bands, downsample):
        w, h = size
        return Pixels((h, w, self._slide.channels), self._slide.dtype, bands, **self._about(downsample))

    def _about(self, downsample):
        mpp = self._slide.mpp
        scaled = mpp and tuple(axis * factor for axis, factor in zip(mpp, downsample, strict=True))
        return {"icc_profile": self._slide.icc_profile, "mpp": scaled}


def _refuse_blank(size, extent):
    """Fails where a typing error would fill the disk with what lies outside the slide."""
    (w, h), (most_w, most_h) = size, extent
    if w * h > max(most_w * most_h, MOST_BLANK):
        raise Failure(
            Exit.USAGE, f"--size {w}×{h} is more than there is: the level has {most_w}×{most_h} pixels"
        )


def stored_level(slide: Slide, resolution: Resolution) -> Level | None:
    """The level that `resolution` means, or None where there is none within the tolerance of `Slide.read`."""
    if resolution.level is not None or not resolution.arguments():
        index = resolution.level or 0
        checked(grid, slide, slide.size, level=index)  # refuses a level that does not exist
        return slide.levels[index]
    wanted = _downsample(slide, resolution)
    distances = [
        max(abs(have / want - 1) for have, want in zip(level.downsample, wanted, strict=True))
        for level in slide.levels
    ]
    nearest = min(range(len(distances)), key=distances.__getitem__)
    return slide.levels[nearest] if distances[nearest] <= TOLERANCE else None


def mpp_of(slide: Slide, resolution: Resolution) -> tuple[float, float] | None:
    """(x, y) in µm per pixel at `resolution`, the stored level's where there is one; None if the slide does not say."""
    level = stored_level(slide, resolution)
    if level is not None or slide.mpp is None:
        return level and level.mpp
    return tuple(
        axis * factor for axis, factor in zip(slide.mpp, _downsample(slide, resolution), strict=True)
    )


def _downsample(slide, resolution):
    """(x, y): level-0 pixels per pixel at `resolution`."""
    ((name, value),) = resolution.arguments().items()
    if name == "level":
        return slide.levels[value].downsample
    if not 0 < value < float("inf"):
        raise Failure(Exit.USAGE, f"--{name} {value:g}: expected a number greater than 0")
    if name == "downsample":
        return value, value
    if name == "mpp":
        if slide.mpp is None:
            raise Failure(
                Exit.USAGE, f"--mpp: {slide.name} does not say how many µm a pixel has; use --downsample"
            )
        return value / slide.mpp[0], value / slide.mpp[1]
    if slide.objective_power is None:
        raise Failure(Exit.USAGE, f"--power: {slide.name} does not say its objective power; use --downsample")
    return (slide.objective_power / value,) * 2


def _extent(slide, resolution):
    return tuple(
        max(1, round(pixels / factor))
        for pixels, factor in zip(slide.size, _downsample(slide, resolution), strict=True)
    )
