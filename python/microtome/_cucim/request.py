"""The arguments of read_region, checked as far as that needs no image."""

import operator
from typing import NamedTuple

import numpy as np

from .errors import ArgumentRangeError, ArgumentTypeError, InvalidArgumentError
from .values import CPU, Device, DeviceType, as_device

_LEAST, _MOST = -(2**63), 2**63 - 1  # int64
_AXES = "STCZ"
_SHARED_MEMORY = (
    "pixels are not written to shared memory; leave shm_name out and pass the result on, or give buf="
)


class Request(NamedTuple):
    """What read_region was asked for."""

    point: tuple | None  # (x, y) of the only location where that came as two plain ints; None: see `many`
    many: np.ndarray | None  # (N, 2) int64; None where there is a `point`
    size: tuple | None  # (w, h) in pixels of the level; None: all of the level
    level: int
    num_workers: int
    batch_size: int
    drop_last: bool
    prefetch_factor: int
    shuffle: bool
    seed: int
    device: Device
    buf: object
    axes: dict  # of S, T, C, Z: those that were given

    @property
    def locations(self):
        """(N, 2) int64, level-0 x, y; N >= 1"""
        return np.array([self.point], np.int64) if self.many is None else self.many

    @property
    def first(self):
        """(x, y) of the first location."""
        return tuple(self.many[0].tolist()) if self.point is None else self.point

    @property
    def is_batched(self):
        """Whether the answer is an iterator."""
        return self.batch_size > 1 or (self.many is not None and len(self.many) > 1)


def make_request(
    location,
    size,
    level,
    num_workers,
    batch_size,
    drop_last,
    prefetch_factor,
    shuffle,
    seed,
    device,
    buf,
    shm_name,
    axes,
):
    """Checks each argument by itself. Raises what cuCIM raises, or what Python expects; see errors."""
    if shm_name != "":
        raise InvalidArgumentError(f"shm_name={shm_name!r}: {_SHARED_MEMORY}")
    point = _as_point(location)
    request = Request(
        point=point,
        many=as_locations(location) if point is None else None,
        size=_as_size(size),
        level=_as_int("level", level),
        num_workers=_as_count("num_workers", num_workers, 32),
        batch_size=max(1, _as_count("batch_size", batch_size, 32)),  # 0 is 1, as in cuCIM
        drop_last=_as_bool("drop_last", drop_last),
        prefetch_factor=_as_count("prefetch_factor", prefetch_factor, 32),
        shuffle=_as_bool("shuffle", shuffle),
        seed=_as_count("seed", seed, 64),
        device=_as_output_device(device),
        buf=buf,
        axes=_as_axes(axes),
    )
    if buf is not None and request.is_batched:
        raise InvalidArgumentError(
            f"buf: one buffer cannot hold {len(request.locations)} location(s) in batches of {request.batch_size}, "
            "each of which owns its pixels; give one location and batch_size=1"
        )
    return request


def _as_point(location):
    """A tuple or list of two plain ints as (x, y), which needs no array; None for everything else."""
    if type(location) in (tuple, list) and len(location) == 2:
        x, y = location
        if type(x) is int and type(y) is int and _LEAST <= x <= _MOST and _LEAST <= y <= _MOST:
            return x, y
    return None


def as_locations(location):
    """Locations in any form, as an (N, 2) int64 array; (0, 0) where there is none.

    Arrays of any integer type and memory layout; iterables of integers, of iterables of integers, or of both.
    """
    flat = _flat_array(location)
    if flat is None:
        flat = _flat_items(location)
    if flat.size % 2:
        raise InvalidArgumentError(
            "[Error] The number of locations should be the multiplication of the number of dimensions in the size! "
            f"(found {flat.size} numbers, expected x and y for each location)"
        )
    return flat.reshape(-1, 2) if flat.size else np.zeros((1, 2), np.int64)


def _flat_array(location):
    """An int64 vector of what is an array, or a list that NumPy makes one of at once; None for the rest."""
    is_array = hasattr(location, "__array__") or hasattr(location, "__array_interface__")
    if (
        not is_array
        and not isinstance(location, (list, tuple, memoryview))
        and not hasattr(location, "typecode")
    ):
        return None
    try:
        array = np.asarray(location)
    except (ValueError, TypeError, OverflowError):  # ragged, such as [1, 2, (3, 4)]
        return None
    if array.dtype.kind not in "iu":
        if is_array and array.size and array.dtype != object:
            raise ArgumentTypeError(f"location: expected integers, found an array of {array.dtype}")
        return None
    if array.ndim not in (1, 2):
        raise InvalidArgumentError(
            f"location: expected an array of shape (2N,) or (N, 2), found {array.shape}"
        )
    if array.dtype.kind == "u" and array.size and int(array.max()) > _MOST:
        raise InvalidArgumentError(f"location: {array.max()} is beyond 64 bits with a sign")
    return np.ascontiguousarray(array, np.int64).reshape(-1)


def _flat_items(location):
    """The same by one look at each item; iterables inside are opened once."""
    if isinstance(location, (str, bytes)):
        raise ArgumentTypeError(f"location: expected integers, found {location!r}")
    try:
        items = iter(location)
    except TypeError:
        raise TypeError(f"location: expected an iterable of x and y, found {location!r}") from None
    values = []
    for item in items:
        if isinstance(item, (str, bytes)):
            raise ArgumentTypeError(f"location: expected integers, found {item!r}")
        try:
            values.append(operator.index(item))
        except TypeError:
            try:
                values.extend(operator.index(value) for value in item)
            except TypeError:
                raise ArgumentTypeError(f"location: expected integers, found {item!r}") from None
    for value in values:
        if not _LEAST <= value <= _MOST:
            raise InvalidArgumentError(f"location: {value} is beyond 64 bits with a sign")
    return np.array(values, np.int64)


def _as_size(size):
    if type(size) is tuple and len(size) == 2:
        w, h = size
        if type(w) is int and type(h) is int and w > 0 and h > 0:
            return size
    try:
        values = tuple(operator.index(value) for value in size)
    except TypeError:
        raise TypeError(f"size: expected two integers, width and height, found {size!r}") from None
    if not values:
        return None
    if len(values) != 2:
        raise InvalidArgumentError(f"size (patch size) should be 2! (found {len(values)} numbers: {values})")
    for value in values:
        if value <= 0:
            raise ValueError(f"Invalid size ({value}) in the request! (Should be > 0)")
    return values


def _as_int(name, value):
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: expected an integer, found {value!r}") from None


def _as_count(name, value, bits):
    if type(value) is int and 0 <= value < 4294967296:  # 2**32: fits them all
        return value
    count = _as_int(name, value)
    if not 0 <= count < 1 << bits:
        raise ArgumentRangeError(f"{name}: expected an integer from 0 to 2**{bits} - 1, found {count}")
    return count


def _as_bool(name, value):
    if value is False or value is True:
        return value
    if isinstance(value, (bool, np.bool_, int)) or value is None:
        return bool(value)
    raise TypeError(f"{name}: expected True or False, found {value!r}")


def _as_output_device(device):
    if device is CPU:
        return device
    device = as_device(device)
    if device.type not in (DeviceType.CPU, DeviceType.CUDA):
        raise InvalidArgumentError(f"device: pixels are read to 'cpu' or 'cuda', not to '{device}'")
    return device


def _as_axes(axes):
    """Indices along axes by their letters: only S, T, C and Z are any."""
    if not axes:
        return axes
    checked = {}
    for name, value in axes.items():
        if len(name) != 1:
            raise ArgumentRangeError(
                f"Argument name for Dimension should be a single character but '{name}' is used. "
                "(read_region has no such argument)"
            )
        if name not in _AXES:
            raise ArgumentRangeError(f"{name}={value!r}: no axis to choose from; expected one of S, T, C, Z")
        checked[name] = _as_int(name, value)
        if name != "C" and checked[name] != 0:
            raise InvalidArgumentError(
                f"{name}={checked[name]}: the file has no such axis, so only {name}=0 exists"
            )
    return checked
