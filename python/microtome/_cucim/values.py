"""Small values of the interface: devices and sample types."""

import enum
import re

from .errors import InvalidArgumentError


class DeviceType(enum.IntEnum):
    """Kinds of memory, with DLPack's numbers where DLPack has one."""

    CPU = 1
    CUDA = 2
    CUDAHost = 3
    CUDAManaged = 13
    CPUShared = 101
    CUDAShared = 102


_DEVICE_WORDS = {
    "cpu": DeviceType.CPU,
    "cuda": DeviceType.CUDA,
    "cuda_host": DeviceType.CUDAHost,
    "cuda_managed": DeviceType.CUDAManaged,
    "cpu_shared": DeviceType.CPUShared,
    "cuda_shared": DeviceType.CUDAShared,
}


class Device:
    """Where pixels are: ``Device("cpu")``, ``Device("cuda")``, ``Device("cuda:1")``.

    Raises
    ------
    ValueError, RuntimeError : an unknown word. (cuCIM takes "gpu" for the CPU.)
    """

    __slots__ = ("_index", "_type")

    def __init__(self, name):
        if not isinstance(name, str):
            raise TypeError(f"device: expected a name such as 'cpu' or 'cuda:0', found {name!r}")
        found = re.fullmatch(r"([a-z_]+)(?::(\d+))?", name)
        self._type = self.parse_type(found[1] if found else name)
        self._index = int(found[2]) if found[2] else -1

    @staticmethod
    def parse_type(name):
        """The `DeviceType` that a word such as "cuda" names."""
        if name not in _DEVICE_WORDS:
            raise InvalidArgumentError(
                f"device: {name!r} is none; expected {', '.join(_DEVICE_WORDS)}, with ':N' for one of several"
            )
        return _DEVICE_WORDS[name]

    @property
    def type(self):
        """The `DeviceType`."""
        return self._type

    @property
    def index(self):
        """Which of several; -1 where none was given."""
        return self._index

    def __eq__(self, other):
        if not isinstance(other, Device):
            return NotImplemented
        return (self._type, self._index) == (other._type, other._index)

    def __hash__(self):
        return hash((self._type, self._index))

    def __reduce__(self):
        return Device, (repr(self),)

    def __repr__(self):
        word = next(word for word, kind in _DEVICE_WORDS.items() if kind is self._type)
        return word if self._index < 0 else f"{word}:{self._index}"


CPU = Device("cpu")


def as_device(device):
    """A device from a `Device` or its name."""
    return device if isinstance(device, Device) else Device(device)


class DLDataTypeCode(enum.IntEnum):
    """DLPack's kinds of numbers."""

    DLInt = 0
    DLUInt = 1
    DLFloat = 2
    DLBfloat = 4


class DLDataType:
    """DLPack's type of a sample: kind, bits and lanes."""

    __slots__ = ("_bits", "_code", "_lanes")

    def __init__(self, code, bits, lanes):
        self._code, self._bits, self._lanes = DLDataTypeCode(code), bits, lanes

    @property
    def code(self):
        """A `DLDataTypeCode`."""
        return self._code

    @property
    def bits(self):
        """Bits of one lane."""
        return self._bits

    @property
    def lanes(self):
        """Lanes of a vector type; 1."""
        return self._lanes

    def _key(self):
        return self._code, self._bits, self._lanes

    def __eq__(self, other):
        return self._key() == other._key() if isinstance(other, DLDataType) else NotImplemented

    def __hash__(self):
        return hash(self._key())

    def __reduce__(self):
        return DLDataType, self._key()

    def __repr__(self):
        return (
            f"<cucim.clara.DLDataType code:{self._code.name}({self._code.value}) bits:{self._bits} "
            f"lanes:{self._lanes}>"
        )
