"""Options that several commands share, and what they mean."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import NamedTuple

import click

from .. import Slide
from .. import open as open_slide
from ..errors import CorruptSlideError, UnsupportedError
from .failure import Exit, Failure, asking


class Pair(click.ParamType):
    """Two integers, as in 256,256 or 256x256; with `square`, 256 alone is both."""

    def __init__(self, first: str, second: str, *, square: bool = False, least: int | None = None) -> None:
        self.name = f"{first},{second}"
        self._square = square
        self._least = least

    def convert(self, value, parameter, context):
        if not isinstance(value, str):
            return value
        numbers = re.fullmatch(r"\s*([+-]?\d+)(?:\s*[,x×]\s*([+-]?\d+))?\s*", value)
        if numbers is None or (numbers[2] is None and not self._square):
            expected = (
                "an integer or two, as in 256 or 256,128" if self._square else "two integers, as in 256,128"
            )
            self.fail(f"{value!r} is not {expected}", parameter, context)
        pair = int(numbers[1]), int(numbers[2] or numbers[1])
        if self._least is not None and min(pair) < self._least:
            self.fail(f"{value!r} is too small: at least {self._least} is needed", parameter, context)
        if max(map(abs, pair)) >= 2**63:
            self.fail(f"{value!r} does not fit in 64 bits", parameter, context)
        return pair


class ByteCount(click.ParamType):
    """A number of bytes: 512, 64M, 1.5G, 2GiB; M and the like count in powers of 1024."""

    name = "bytes"
    UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}

    def convert(self, value, parameter, context):
        if not isinstance(value, str):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", value.strip().lower())
        if found is None:
            self.fail(f"{value!r} is not a number of bytes, as in 64M or 1.5G", parameter, context)
        return int(float(found[1]) * self.UNITS[found[2]])


SIZE = Pair("w", "h", square=True, least=1)
LOCATION = Pair("x", "y")

slide_argument = click.argument("slide", type=click.Path())
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
workers_option = click.option(
    "--workers", type=click.IntRange(1), help="Threads at most; as many as there are CPUs, unless told."
)
overwrite_option = click.option("--overwrite", is_flag=True, help="Replace the output file if it exists.")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress and no notes, errors only.")
quality_option = click.option(
    "--quality",
    type=click.IntRange(1, 100),
    default=90,
    show_default=True,
    help="Of JPEG; chroma is halved below 90.",
)
on_error_option = click.option(
    "--on-error",
    type=click.Choice(["stop", "fill"]),
    default="stop",
    show_default=True,
    help="At a broken tile: stop, or fill it and say so.",
)


class Fill(click.ParamType):
    """A sample, or one for each channel: 255 or 255,255,255."""

    name = "value[,…]"

    def convert(self, value, parameter, context):
        if not isinstance(value, str):
            return value
        try:
            values = tuple(float(part) for part in value.split(","))
        except ValueError:
            self.fail(f"{value!r} is not a number, or one for each channel as in 255,0,0", parameter, context)
        return values[0] if len(values) == 1 else values


fill_option = click.option(
    "--fill",
    type=Fill(),
    default="255",
    show_default=True,
    help="What lies outside the slide and in absent tiles.",
)


class Resolution(NamedTuple):
    """At most one of them; none is level 0."""

    level: int | None
    mpp: float | None
    downsample: float | None
    power: float | None

    def arguments(self) -> dict:
        """For the package's functions."""
        return {name: value for name, value in self._asdict().items() if value is not None}


def resolution_options(command: Callable) -> Callable:
    """--level, --mpp, --downsample and --power, which reach the command as `resolution`."""

    @click.option("--level", type=int, help="Of the pyramid; 0, the largest, unless told.")
    @click.option("--mpp", type=float, help="µm per pixel, instead of a level.")
    @click.option("--downsample", type=float, help="Level-0 pixels per pixel, instead of a level.")
    @click.option("--power", type=float, help="Magnification, instead of a level.")
    @functools.wraps(command)
    def with_resolution(*arguments, level, mpp, downsample, power, **options):
        resolution = Resolution(level, mpp, downsample, power)
        if len(given := resolution.arguments()) > 1:
            names = " and ".join(f"--{name}" for name in given)
            raise Failure(Exit.USAGE, f"{names} exclude each other: give one")
        return command(*arguments, resolution=resolution, **options)

    return with_resolution


def opened(path: str) -> Slide:
    """The slide at `path`; what is wrong with it is a failure that names it."""
    if path == "-":
        raise Failure(
            Exit.USAGE, "a slide cannot come through a pipe: its parts are read in any order; give a file"
        )
    try:
        return open_slide(path)
    except CorruptSlideError as error:
        raise Failure(Exit.BROKEN, f"{_naming(path, error)}; get another copy of the file") from error
    except UnsupportedError as error:
        raise Failure(Exit.INPUT, _naming(path, error)) from error
    except ValueError as error:  # a device, a pipe, a null character
        raise Failure(Exit.INPUT, str(error)) from error


def _naming(path, error):
    return str(error) if path in str(error) else f"{path}: {error}"


def checked(function: Callable, *arguments, **options):
    """Calls one of the package's functions; what it refuses about its arguments is the user's to correct."""
    with asking():
        try:
            return function(*arguments, **options)
        except (ValueError, IndexError, TypeError, OverflowError) as error:
            raise Failure(Exit.USAGE, str(error)) from error
