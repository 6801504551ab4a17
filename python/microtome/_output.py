"""What samples are to be in a GPU's memory: the arguments dtype, layout, mean and std."""

import math
from typing import NamedTuple

from . import _arguments
from ._lazy import np

_FLOATS = ("float16", "float32")


class Output(NamedTuple):
    """As `_core` takes it; `dtype` is "" for the slide's own, `mean` and `std` have no value, one, or one a channel."""

    dtype: str = ""
    planar: bool = False
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def array(self, w, h, channels, dtype):
        """Shape and dtype of a region of a slide whose samples are of `dtype`."""
        shape = (channels, h, w) if self.planar else (h, w, channels)
        return shape, np.dtype(self.dtype or dtype)


def refuse(layout, **options):
    """ValueError if one of these was given though the device is the CPU. `layout`: what it is, and what is usual."""
    if layout[0] != layout[1]:
        options["layout"] = layout[0]
    for name, value in options.items():
        if value is not None:
            raise ValueError(f"{name} = {value!r} is of a GPU, and device is 'cpu'")


def checked(dtype, layout, mean, std, *, layouts, described):
    """An Output. `layouts`: samples last, samples first. `described`: of the level that is read."""
    planar = _arguments.choice(layout, "layout", layouts) == layouts[1]
    own, channels = str(np.dtype(described["dtype"])), described["channels"]
    name = _dtype(dtype, own)
    if name not in _FLOATS:
        for argument, value in (("mean", mean), ("std", std)):
            if value is not None:
                raise ValueError(
                    f"{argument} = {value!r} with samples of {name}, expected dtype='float16' or 'float32'"
                )
    return Output(
        "" if name == own else name,
        planar,
        _numbers(mean, "mean", channels, lambda value: True, "a finite number"),
        _numbers(std, "std", channels, lambda value: value > 0, "a finite number above 0"),
    )


def _dtype(dtype, own):
    if dtype is None:
        return own
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = None
    if name != own and name not in _FLOATS:
        raise ValueError(f"dtype = {dtype!r}, expected {own!r}, 'float16' or 'float32'")
    return name


def _numbers(value, name, channels, is_right, expected):
    if value is None:
        return ()
    try:
        numbers = (float(value),) if np.ndim(value) == 0 else tuple(float(each) for each in value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} = {value!r}, expected a number or one per channel") from None
    if len(numbers) not in (1, channels):
        raise ValueError(
            f"{name} has {len(numbers)} values, expected one, or one for each of {channels} channels"
        )
    for number in numbers:
        if not (math.isfinite(number) and is_right(number)):
            raise ValueError(f"{name} = {value!r}, expected {expected}")
    return numbers
