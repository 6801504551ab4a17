"""Checks of arguments that several calls share. Each raises an exception that names the value and what was expected."""

import math
import operator
import time

from . import _core, _cuda
from ._lazy import np

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
DEFAULT_FILL = 255  # white; int8, the one type that cannot hold it, gets its own largest value instead
MAX_WORKERS = 1024  # more threads than the executor ever runs


def integer(value, name):
    """`value` as an int that fits in 64 bits. Integral NumPy scalars are integers; bools and floats are not."""
    if type(value) is int and INT64_MIN <= value <= INT64_MAX:
        return value
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} = {value!r} is a bool, expected an integer")
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(
            f"{name} = {value!r} is of type {type(value).__name__}, expected an integer"
        ) from None
    if not INT64_MIN <= number <= INT64_MAX:
        raise ValueError(f"{name} = {number} does not fit in a signed 64-bit integer")
    return number


def integer_from(value, name, least):
    """An integer of at least `least`."""
    number = integer(value, name)
    if number < least:
        raise ValueError(f"{name} = {number}, expected at least {least}")
    return number


def seed(value):
    """A seed: an unsigned 64-bit integer."""
    try:
        number = integer(value, "seed")
    except ValueError:
        number = operator.index(value)
    if not 0 <= number < 2**64:
        raise ValueError(f"seed = {number}, expected 0 to 2**64 - 1")
    return number


def _is_plain_pair(value):
    """Whether there is nothing to check or convert: the tuple of two ints that nearly every call gives.

    Reading a small region from cached tiles takes less time than looking at each argument as `pair` does.
    """
    if type(value) is not tuple or len(value) != 2:
        return False
    first, second = value
    return (
        type(first) is int
        and type(second) is int
        and INT64_MIN <= first <= INT64_MAX
        and INT64_MIN <= second <= INT64_MAX
    )


def pair(value, name, parts):
    """Two integers, named as in "location x"."""
    if _is_plain_pair(value):
        return value
    if isinstance(value, (str, bytes)):
        raise TypeError(f"{name} = {value!r}, expected two integers {parts}")
    try:
        items = tuple(value)
    except TypeError:
        raise TypeError(f"{name} = {value!r}, expected two integers {parts}") from None
    if len(items) != 2:
        raise ValueError(f"{name} = {value!r} has {len(items)} values, expected two: {parts}")
    return tuple(
        integer(item, f"{name} {part}")
        for item, part in zip(items, parts.strip("()").split(", "), strict=True)
    )


def location(value):
    return pair(value, "location", "(x, y)")


def open_options(image, channels, max_tile_bytes):
    """What `microtome.open` takes beside the source."""
    return (
        integer_from(image, "image", 0),
        choice(channels, "channels", ("stored", "rgb")),
        integer_from(max_tile_bytes, "max_tile_bytes", 1),
    )


def size(value, name="size"):
    w, h = pair(value, name, "(w, h)")
    if w <= 0 or h <= 0:
        raise ValueError(f"{name} = ({w}, {h}), expected a width and a height of at least 1")
    return w, h


def positive(value, name):
    """A finite number greater than 0, as float."""
    if isinstance(value, (bool, np.bool_, str, bytes)):
        raise TypeError(f"{name} = {value!r} is of type {type(value).__name__}, expected a number")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} = {value!r} is of type {type(value).__name__}, expected a number") from None
    if not (math.isfinite(number) and number > 0):
        raise ValueError(f"{name} = {number}, expected a finite number greater than 0")
    return number


def flag(value, name):
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} = {value!r}, expected True or False")
    return bool(value)


def choice(value, name, choices):
    if value not in choices:
        known = " or ".join(repr(c) for c in choices)
        raise ValueError(f"{name} = {value!r}, expected {known}")
    return value


def fill_broken(on_error):
    """Whether `on_error` asks for broken tiles to be filled."""
    if on_error == "raise":
        return False
    return choice(on_error, "on_error", ("raise", "fill")) == "fill"


def fill(value, dtype):
    """A list of one number, or one per channel; their count and range are checked against the slide."""
    if type(value) is int and dtype != "int8":
        return [float(value)]
    if dtype == "int8" and np.ndim(value) == 0 and value == DEFAULT_FILL:
        return [127.0]
    try:
        values = [float(value)] if np.ndim(value) == 0 else [float(v) for v in value]
    except (TypeError, ValueError):
        raise TypeError(f"fill = {value!r}, expected a number or one per channel") from None
    return values


def workers(value):
    """A number of threads, the caller's among them; None: as many as this process may use at once."""
    if value is None:
        return _usable_cpus()
    return min(integer_from(value, "workers", 1), MAX_WORKERS)


_cpus = (0.0, 1)  # (when to ask again, how many)


def _usable_cpus():
    """`available_cpus`, asked once a second: the answer costs several files' reading, more than a small region's."""
    global _cpus
    until, count = _cpus
    now = time.monotonic()
    if now >= until:
        count = _core.available_cpus()
        _cpus = (now + 1, count)
    return count


def device(value):
    """None for "cpu"; the number of a CUDA device, which is opened, or it says why it cannot be used."""
    if not isinstance(value, str):
        raise TypeError(
            f"device = {value!r} is of type {type(value).__name__}, expected a string such as 'cpu'"
        )
    if value == "cpu":
        return None
    kind, colon, index = value.partition(":")
    if kind == "cuda" and (not colon or index.isdecimal()):
        return _cuda.require(int(index or 0), f"device = {value!r}")
    raise ValueError(f"device = {value!r}, expected 'cpu', 'cuda' or 'cuda:N'")


def output(out, shape, dtype):
    """`out` as a NumPy array over the same memory, fit for an image of `shape` and `dtype`."""
    view = out if isinstance(out, np.ndarray) else _shared_array(out)
    if view.shape != shape or view.dtype != dtype:
        raise ValueError(f"out has shape {view.shape} and dtype {view.dtype}, expected {shape} and {dtype}")
    if view.flags.carray:  # packed, aligned and writable
        return view
    if not view.flags.writeable:
        raise ValueError("out is read-only, expected a writable array")
    _, w, channels = shape
    row_bytes = w * channels * dtype.itemsize
    for axis, stride, expected in (
        (2, view.strides[2], dtype.itemsize),
        (1, view.strides[1], row_bytes // w),
    ):
        if shape[axis] > 1 and stride != expected:
            raise ValueError(
                f"out has strides {view.strides}, expected ({row_bytes} or more, {row_bytes // w}, {dtype.itemsize}): "
                "each row in one piece"
            )
    if shape[0] > 1 and (view.strides[0] < row_bytes or view.strides[0] % dtype.itemsize):
        raise ValueError(f"out has rows {view.strides[0]} bytes apart, expected {row_bytes} or more")
    if not view.flags.aligned:
        raise ValueError(f"out is not aligned to {dtype.itemsize} bytes")
    return view


def _shared_array(out):
    """The memory of an object that exports it (buffer, array interface, a tensor) as an array; never a copy."""
    if isinstance(out, (list, tuple, str, int, float)):
        raise TypeError(f"out is of type {type(out).__name__}, expected an array that can be written to")
    try:
        view = np.asarray(memoryview(out))
    except TypeError:
        try:
            view = (
                np.asarray(out, copy=False)
                if np.lib.NumpyVersion(np.__version__) >= "2.0.0"
                else np.asarray(out)
            )
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"out is of type {type(out).__name__}, expected an array that can be written to: {error}"
            ) from None
    if view.dtype == object:
        raise TypeError(f"out is of type {type(out).__name__}, expected an array that can be written to")
    return view
