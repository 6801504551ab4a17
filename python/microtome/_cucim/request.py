"""The arguments of read_region, checked as far as that needs no image."""

import dataclasses
import operator

import numpy as np

from .errors import ArgumentRangeError, ArgumentTypeError, InvalidArgumentError
from .values import Device, DeviceType, as_device

_INT64 = np.iinfo(np.int64)
_AXES = "STCZ"
_SHARED_MEMORY = (
    "pixels are not written to shared memory; leave shm_name out and pass the result on, or give buf="
)


@dataclasses.dataclass(frozen=True)
class Request:
    """What read_region was asked for."""

    locations: np.ndarray  # (N, 2) int64, level-0 x, y; N >= 1
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
    def is_batched(self):
        """Whether the answer is an iterator."""
        return self.batch_size > 1 or len(self.locations) > 1


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
    request = Request(
        locations=as_locations(location),
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
    if array.dtype.kind == "u" and array.size and int(array.max()) > _INT64.max:
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
        if not _INT64.min <= value <= _INT64.max:
            raise InvalidArgumentError(f"location: {value} is beyond 64 bits with a sign")
    return np.array(values, np.int64)


def _as_size(size):
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
    count = _as_int(name, value)
    if not 0 <= count < 1 << bits:
        raise ArgumentRangeError(f"{name}: expected an integer from 0 to 2**{bits} - 1, found {count}")
    return count


def _as_bool(name, value):
    if isinstance(value, (bool, np.bool_, int)) or value is None:
        return bool(value)
    raise TypeError(f"{name}: expected True or False, found {value!r}")


def _as_output_device(device):
    device = as_device(device)
    if device.type not in (DeviceType.CPU, DeviceType.CUDA):
        raise InvalidArgumentError(f"device: pixels are read to 'cpu' or 'cuda', not to '{device}'")
    return device


def _as_axes(axes):
    """Indices along axes by their letters: only S, T, C and Z are any."""
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
