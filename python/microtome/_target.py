"""`out=` on a GPU: memory of a caller's array there, by DLPack or by the CUDA array interface."""

from typing import Any, NamedTuple

from . import _core
from ._cuda import LEGACY_STREAM
from ._lazy import np

_CUDA, _CUDA_MANAGED = 2, 13  # DLPack's DLDeviceType
_HOST = (1, 3)  # … the host's memory, pinned or not


class Target(NamedTuple):
    """`after`: the stream whose work on the memory comes first, or None. `keeper` keeps the memory."""

    address: int
    after: int | None
    keeper: Any


def of(out, shape, dtype, ordinal, stream):
    """A Target for pixels of `shape` and `dtype` on device `ordinal`. `stream`: the caller's, or None.

    DLPack comes first: it says which device the memory is of, and lets our stream wait for the array's own work.
    """
    if hasattr(out, "__dlpack_device__") and hasattr(out, "__dlpack__"):
        found = _by_dlpack(out, ordinal, stream)
    elif hasattr(out, "__cuda_array_interface__"):
        found = _by_interface(out, stream)
    else:
        raise TypeError(
            f"out is of type {type(out).__name__}, expected an array on cuda:{ordinal}, with __dlpack__ or "
            "__cuda_array_interface__"
        )
    target, found_shape, found_dtype, strides = found
    if found_shape != shape or found_dtype != dtype:
        raise ValueError(f"out has shape {found_shape} and dtype {found_dtype}, expected {shape} and {dtype}")
    if strides is not None and not _is_packed(strides, shape, dtype.itemsize):
        raise ValueError(f"out has strides {strides}, expected a C-contiguous array")
    if target.address % dtype.itemsize:
        raise ValueError(
            f"out is at address {target.address:#x}, which is not aligned to {dtype.itemsize} bytes"
        )
    return target


def _by_dlpack(out, ordinal, stream):
    kind, number = map(int, out.__dlpack_device__())
    if kind not in (_CUDA, _CUDA_MANAGED):
        where = "the host's memory" if kind in _HOST else f"memory of DLPack's device type {kind}"
        raise TypeError(f"out is in {where}, expected an array on cuda:{ordinal}")
    if number != ordinal:
        raise ValueError(f"out is on cuda:{number}, expected an array on cuda:{ordinal}")
    after = LEGACY_STREAM if stream is None else stream
    array = _core.DlpackArray(out.__dlpack__(stream=after))
    dtype = _dlpack_dtype(*array.dtype)
    return (
        Target(array.address, after, array),
        array.shape,
        dtype,
        tuple(each * dtype.itemsize for each in array.strides),
    )


def _dlpack_dtype(code, bits, lanes):
    kind = {0: "i", 1: "u", 2: "f"}.get(code)
    if kind is None or lanes != 1 or bits not in (8, 16, 32, 64) or (kind, bits) == ("f", 8):
        raise ValueError(f"out has samples of DLPack's type {code} with {bits} bits and {lanes} lanes")
    return np.dtype(f"{kind}{bits // 8}")


def _by_interface(out, stream):
    interface = out.__cuda_array_interface__
    address, is_read_only = interface["data"]
    if is_read_only:
        raise ValueError("out is read-only, expected a writable array")
    after = stream if stream is not None else interface.get("stream")
    if after is None and interface.get("version", 0) < 3:
        after = LEGACY_STREAM  # later versions say by it that the array is complete
    strides = interface.get("strides")
    return (
        Target(address, after, out),
        tuple(interface["shape"]),
        np.dtype(interface["typestr"]),
        None if strides is None else tuple(strides),
    )


def _is_packed(strides, shape, itemsize):
    expected = itemsize
    for side, stride in zip(reversed(shape), reversed(strides), strict=True):
        if side > 1 and stride != expected:
            return False
        expected *= side
    return True
