"""Every form in which locations may come, as int64 arrays."""

import itertools
import operator

from ._arguments import INT64_MAX, INT64_MIN
from ._lazy import np

AXES = {2: "x, y", 3: "slide, x, y"}


def as_rows(value, width, name="locations"):
    """`value` as an (N, `width`) int64 array.

    Parameters
    ----------
    value : array-like or iterable
        A flat or nested list, tuple, generator or other iterable of integers, or an array of any integer dtype,
        byte order and memory layout: (N, `width`) or (`width` * N,).
    width : int
        2 for x, y; 3 for slide, x, y.
    name : str
        For messages.
    """
    if isinstance(value, (str, bytes, dict)):
        raise TypeError(f"{name} is of type {type(value).__name__}, expected integers ({AXES[width]}, …)")
    if not isinstance(value, (list, tuple)) and _is_array(value):
        return _from_array(np.asarray(value), width, name)
    try:
        items = list(value)
    except TypeError:
        raise TypeError(
            f"{name} is of type {type(value).__name__}, expected integers ({AXES[width]}, …)"
        ) from None
    return _from_items(items, width, name)


def _is_array(value):
    return any(
        hasattr(value, how) for how in ("__array__", "__array_interface__", "__dlpack__")
    ) or isinstance(value, (bytearray, memoryview))


def _from_array(array, width, name):
    if array.size == 0 and array.ndim in (1, 2):
        return np.empty((0, width), np.int64)
    if array.dtype.kind not in "iu":
        first = array.ravel()[0] if array.size else None
        raise TypeError(
            f"{name} is an array of {array.dtype} (first value {first!r}), expected one of integers: "
            "locations are level-0 pixels"
        )
    if array.ndim == 1:
        _check_count(len(array), width, name)
        array = array.reshape(-1, width)
    if array.ndim != 2 or array.shape[1] != width:
        raise ValueError(
            f"{name} has shape {array.shape}, expected (N, {width}) or ({width}N,): {AXES[width]}"
        )
    if array.dtype.kind == "u" and array.dtype.itemsize == 8 and array.max() > INT64_MAX:
        row, column = np.argwhere(array > INT64_MAX)[0]
        raise ValueError(_too_large(f"{name}[{row}, {column}]", array[row, column]))
    return np.array(array, dtype=np.int64, order="C")


def _from_items(items, width, name):
    usual = _from_usual_items(items, width)
    return _from_any_items(items, width, name) if usual is None else usual


def _from_usual_items(items, width):
    """Integers, or tuples and lists of `width` of them, a million in a tenth of a second; else None."""
    kinds = set(map(type, items))
    if kinds and kinds <= {tuple, list} and set(map(len, items)) == {width}:
        items = list(itertools.chain.from_iterable(items))
        kinds = set(map(type, items))
    if kinds != {int} or len(items) % width:
        return None
    try:
        return np.fromiter(items, np.int64, len(items)).reshape(-1, width)
    except OverflowError:
        return None


def _from_any_items(items, width, name):
    nested = [not _is_number(item) for item in items]
    if not any(nested):
        flat = items
        _check_count(len(flat), width, name)
    elif all(nested):
        try:
            rows = [tuple(item) for item in items]
        except TypeError:
            row = next(i for i, item in enumerate(items) if not hasattr(item, "__iter__"))
            raise TypeError(f"{name}[{row}] = {items[row]!r}, expected integers {AXES[width]}") from None
        for row, item in enumerate(rows):
            if len(item) != width:
                raise ValueError(
                    f"{name}[{row}] = {items[row]!r} has {len(item)} values, expected {AXES[width]}"
                )
        flat = list(itertools.chain.from_iterable(rows))
    else:
        first = nested.index(not nested[0])
        raise ValueError(f"{name}[{first}] = {items[first]!r}: numbers and groups of numbers are mixed")
    if not set(map(type, flat)) <= {int}:
        flat = [_integer(item, i, width if any(nested) else 1, name) for i, item in enumerate(flat)]
    try:
        return np.array(flat, dtype=np.int64).reshape(-1, width)
    except OverflowError:
        at = next(i for i, item in enumerate(flat) if not INT64_MIN <= item <= INT64_MAX)
        raise ValueError(_too_large(_place(name, at, width if any(nested) else 1), flat[at])) from None


def _is_number(item):
    return isinstance(item, (int, float, complex, np.generic)) or (
        hasattr(item, "__index__") and not getattr(item, "ndim", 0) and not getattr(item, "shape", ())
    )


def _place(name, at, width):
    return f"{name}[{at}]" if width == 1 else f"{name}[{at // width}][{at % width}]"


def _integer(item, at, width, name):
    if isinstance(item, (bool, np.bool_)):
        raise TypeError(f"{_place(name, at, width)} = {item!r} is a bool, expected an integer")
    try:
        return operator.index(item)
    except TypeError:
        raise TypeError(
            f"{_place(name, at, width)} = {item!r} is of type {type(item).__name__}, expected an integer: "
            "locations are level-0 pixels"
        ) from None


def _check_count(count, width, name):
    if count % width:
        raise ValueError(f"{name} has {count} values, expected a multiple of {width}: {AXES[width]}, …")


def _too_large(place, value):
    return f"{place} = {value} does not fit in a signed 64-bit integer"
