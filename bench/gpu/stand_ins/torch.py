"""Has PyTorch's part in a dry run: what the rows call of it, on the fake driver, with NumPy to calculate.

Its networks are of any layers and give zeros; all else does what PyTorch does.
"""

import contextlib
import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[3] / "tests" / "python"))

from fake_cupy import Consumer  # noqa: E402

uint8 = np.dtype(np.uint8)
no_grad = contextlib.nullcontext


class Tensor:
    """Values on the host. `source`: what they were copied from, which lives as long."""

    def __init__(self, values, source=None):
        self._values, self._source = values, source

    def float(self):
        return Tensor(self._values.astype(np.float32))

    def half(self):
        return Tensor(self._values.astype(np.float16))

    def sum(self):
        return Tensor(self._values.sum(dtype=np.float64))

    def permute(self, *axes):
        return Tensor(self._values.transpose(axes))

    def cuda(self):
        return self

    def cpu(self):
        return self

    def numpy(self):
        return self._values

    def __sub__(self, number):
        return Tensor(self._values - number)

    def __truediv__(self, number):
        return Tensor(self._values / number)

    def __float__(self):
        return float(self._values)


class Empty:
    """Memory of the device that others write to, by DLPack alone."""

    def __init__(self, shape, dtype):
        self._tensor = cuda.consumer().tensor(shape, dtype)
        self.__dlpack__, self.__dlpack_device__ = self._tensor.__dlpack__, self._tensor.__dlpack_device__

    def cpu(self):
        tensor = self._tensor
        return Tensor(cuda.consumer().copy(tensor.address, tensor.shape, tensor.dtype))


def empty(shape, *, dtype, device):
    assert device == "cuda"
    return Empty(shape, dtype)


def from_numpy(array):
    return Tensor(array)


class Loan:
    """Gives back what was taken by DLPack when it goes."""

    def __init__(self, taken):
        self._taken = taken

    def __del__(self):
        self._taken.drop()


def from_dlpack(batch):
    taken = cuda.consumer().take(batch)
    return Tensor(cuda.consumer().copy(taken.address, taken.shape, taken.dtype), Loan(taken))


class cuda:  # noqa: N801
    """torch.cuda. A stream is a Consumer's, and the current one is used by all."""

    _current = []

    @staticmethod
    def Stream():  # noqa: N802
        return Consumer(blocking=False)

    @staticmethod
    @contextlib.contextmanager
    def stream(stream):
        cuda._current.append(stream)
        try:
            yield
        finally:
            cuda._current.pop()

    @staticmethod
    def consumer():
        if not cuda._current:
            cuda._current.append(Consumer())
        return cuda._current[-1]

    @staticmethod
    def synchronize():
        pass  # copies have waited


class Layers:
    """Any layers: takes images as the first of them does, gives two numbers for each."""

    def __init__(self, *layers, **options):
        pass

    def cuda(self):
        return self

    def half(self):
        return self

    def __call__(self, images):
        values = images.numpy()
        assert values.dtype == np.float16 and values.ndim == 4 and values.shape[1] == 3, values.shape
        return Tensor(np.zeros((len(values), 2), np.float16))


class nn:  # noqa: N801
    Sequential = Conv2d = ReLU = AdaptiveAvgPool2d = Flatten = Linear = Layers
