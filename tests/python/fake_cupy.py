"""A consumer of device arrays, as CuPy or PyTorch is one, on the FAKE driver of tests/fake_cuda.

It takes memory by the CUDA array interface or by DLPack, and copies it to the host on a stream of its own. For tests,
in processes whose MICROTOME_LIB_CUDA names the fake driver.
"""

import ctypes
import os

import numpy as np

NON_BLOCKING = 1


class Report(ctypes.Structure):
    """FakeCudaReport of tests/fake_cuda/control.h."""

    _fields_ = (
        [
            (name, ctypes.c_uint64)
            for name in ("calls", "synchronous_calls", "bytes_to_device", "bytes_to_host")
        ]
        + [(name, ctypes.c_uint64) for name in ("launches", "pageable_copies", "foreign_calls")]
        + [("failed_in", ctypes.c_char_p), ("races", ctypes.c_uint64), ("first_race", ctypes.c_char_p)]
        + [(name, ctypes.c_int64) for name in ("contexts", "memory_blocks", "memory_bytes", "pinned_blocks")]
        + [(name, ctypes.c_int64) for name in ("streams", "events", "modules", "library_objects")]
        + [("misuses", ctypes.c_uint64), ("first_misuse", ctypes.c_char_p)]
        + [(name, ctypes.c_uint64) for name in ("engine_images", "library_images")]
        + [(name, ctypes.c_uint64) for name in ("direct_reads", "compat_reads")]
        + [(name, ctypes.c_uint64) for name in ("unaligned_reads", "unregistered_reads")]
    )


class DLTensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


class DLManagedTensor(ctypes.Structure):
    pass


DELETER = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
DLManagedTensor._fields_ = [("tensor", DLTensor), ("context", ctypes.c_void_p), ("deleter", DELETER)]


class DLManagedTensorVersioned(ctypes.Structure):
    _fields_ = [
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("context", ctypes.c_void_p),
        ("deleter", DELETER),
        ("flags", ctypes.c_uint64),
        ("tensor", DLTensor),
    ]


_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype, _pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
_set_name = ctypes.pythonapi.PyCapsule_SetName
_set_name.restype, _set_name.argtypes = ctypes.c_int, [ctypes.py_object, ctypes.c_char_p]
_KINDS = {
    (1, 8): "u1",
    (1, 16): "u2",
    (1, 32): "u4",
    (0, 8): "i1",
    (0, 16): "i2",
    (2, 16): "f2",
    (2, 32): "f4",
    (2, 64): "f8",
}
_NAMES = []  # of capsules: PyCapsule_SetName keeps the pointer
_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.restype, _new_capsule.argtypes = (
    ctypes.py_object,
    [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p],
)


class Taken:
    """A tensor that was taken by DLPack; drop() gives it back."""

    def __init__(self, capsule, versioned):
        name = b"dltensor_versioned" if versioned else b"dltensor"
        kind = DLManagedTensorVersioned if versioned else DLManagedTensor
        self._address = _pointer(capsule, name)
        self._managed = kind.from_address(self._address)
        used = ctypes.create_string_buffer(b"used_" + name)
        _NAMES.append(used)
        _set_name(capsule, ctypes.cast(used, ctypes.c_char_p))
        tensor = self._managed.tensor
        assert tensor.lanes == 1 and tensor.byte_offset == 0
        assert not versioned or (self._managed.major, self._managed.flags) == (1, 0)
        self.device = (tensor.device_type, tensor.device_id)
        self.shape = tuple(tensor.shape[: tensor.ndim])
        self.dtype = np.dtype(_KINDS[tensor.code, tensor.bits])
        self.address = tensor.data
        packed = [int(np.prod(self.shape[i + 1 :])) for i in range(tensor.ndim)]
        assert list(tensor.strides[: tensor.ndim]) == packed

    def drop(self):
        if self._address:
            self._managed.deleter(self._address)
            self._address = None


class Consumer:
    """One device's context, and a stream of our own on it."""

    def __init__(self, device=0, blocking=True):
        self.lib = ctypes.CDLL(os.environ["MICROTOME_LIB_CUDA"])
        assert self.lib.fake_cuda_report_bytes() == ctypes.sizeof(Report), "Report is not control.h's"
        self.device = device
        self._do("cuInit", 0)
        context = ctypes.c_void_p()
        self._do("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self._do("cuCtxPushCurrent_v2", context)
        stream = ctypes.c_void_p()
        self._do("cuStreamCreate", ctypes.byref(stream), 0 if blocking else NON_BLOCKING)
        self.stream = stream.value

    def _do(self, name, *arguments):
        status = getattr(self.lib, name)(*arguments)
        if status != 0:
            raise RuntimeError(f"{name} answered {status}")

    def report(self):
        report = Report()
        self.lib.fake_cuda_report(ctypes.byref(report))
        return report

    def copy(self, address, shape, dtype):
        """The bytes at an address of the device, when the stream gets there."""
        host = np.empty(shape, dtype)
        self._do(
            "cuMemcpyDtoHAsync_v2",
            host.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_uint64(address),
            ctypes.c_size_t(host.nbytes),
            ctypes.c_void_p(self.stream),
        )
        self._do("cuStreamSynchronize", ctypes.c_void_p(self.stream))
        return host

    def asarray(self, array):
        """As cupy.asarray(array), and then to the host."""
        interface = array.__cuda_array_interface__
        assert interface["version"] == 3 and interface["stream"] is None and interface["strides"] is None
        address, read_only = interface["data"]
        assert not read_only
        return self.copy(address, interface["shape"], np.dtype(interface["typestr"]))

    def take(self, array, stream="own", max_version=None):
        """As torch.from_dlpack(array) on our stream, or on `stream`."""
        assert array.__dlpack_device__() == (2, self.device)
        options = {} if max_version is None else {"max_version": max_version}
        capsule = array.__dlpack__(stream=self.stream if stream == "own" else stream, **options)
        taken = Taken(capsule, max_version is not None and max_version[0] >= 1)
        assert taken.device == (2, self.device)
        return taken

    def from_dlpack(self, array, **options):
        taken = self.take(array, **options)
        host = self.copy(taken.address, taken.shape, taken.dtype)
        taken.drop()
        return host

    def empty(self, shape, dtype, stream=None):
        """Memory of our own, as an array that others may write to."""
        return Memory(self, shape, np.dtype(dtype), stream)

    def tensor(self, shape, dtype, strides=None):
        """The same, for those who take it by DLPack alone."""
        return Tensor(self, shape, np.dtype(dtype), strides)

    def fill(self, address, value, nbytes):
        """Queues it on our stream."""
        self._do(
            "cuMemsetD8Async",
            ctypes.c_uint64(address),
            ctypes.c_ubyte(value),
            ctypes.c_size_t(nbytes),
            ctypes.c_void_p(self.stream),
        )

    def order(self, stream, after):
        """What `stream` is given from now on comes after what `after` was given."""
        event = ctypes.c_void_p()
        self._do("cuEventCreate", ctypes.byref(event), 2)
        self._do("cuEventRecord", event, ctypes.c_void_p(after))
        self._do("cuStreamWaitEvent", ctypes.c_void_p(stream), event, 0)
        self._do("cuEventDestroy_v2", event)


class Memory:
    def __init__(self, consumer, shape, dtype, stream):
        self._consumer, self.shape, self.dtype = consumer, tuple(shape), dtype
        address = ctypes.c_uint64()
        consumer._do(
            "cuMemAlloc_v2",
            ctypes.byref(address),
            ctypes.c_size_t(int(np.prod(shape)) * dtype.itemsize),
        )
        self.address = address.value
        self.__cuda_array_interface__ = {
            "shape": self.shape,
            "typestr": dtype.str,
            "data": (self.address, False),
            "strides": None,
            "version": 3,
            "stream": stream,
        }

    def fill(self, value):
        """Queues it on the consumer's stream."""
        self._consumer.fill(self.address, value, int(np.prod(self.shape)) * self.dtype.itemsize)

    def to_host(self):
        return self._consumer.copy(self.address, self.shape, self.dtype)

    def free(self):
        self._consumer._do("cuMemFree_v2", ctypes.c_uint64(self.address))


class Tensor:
    """As one of a library that has no array interface. `taken` counts its capsules that are in use."""

    def __init__(self, consumer, shape, dtype, strides):
        self._memory = Memory(consumer, shape, dtype, None)
        self._consumer, self.shape, self.dtype, self.address = (
            consumer,
            tuple(shape),
            dtype,
            self._memory.address,
        )
        self.taken = 0
        packed = [int(np.prod(self.shape[i + 1 :])) for i in range(len(self.shape))]
        self._sides = (ctypes.c_int64 * len(shape))(*shape)
        self._strides = (ctypes.c_int64 * len(shape))(*(strides or packed))
        code = {"i": 0, "u": 1, "f": 2}[dtype.kind]
        self._managed = DLManagedTensor(
            DLTensor(
                self.address,
                *self.__dlpack_device__(),
                len(shape),
                code,
                8 * dtype.itemsize,
                1,
                self._sides,
                self._strides,
                0,
            ),
            None,
            DELETER(self._give_back),
        )
        self.fill, self.to_host, self.free = self._memory.fill, self._memory.to_host, self._memory.free

    def _give_back(self, managed):
        self.taken -= 1

    def __dlpack_device__(self):
        return 2, self._consumer.device

    def __dlpack__(self, stream=None):
        self._consumer.order(stream, after=self._consumer.stream)
        self.taken += 1
        return _new_capsule(ctypes.addressof(self._managed), b"dltensor", None)
