"""NVIDIA's driver as the rows need it beside Microtome: the device, memory, streams, a kernel that spins.

By ctypes, so that nothing has to be installed or compiled on the machine.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from ctypes import byref, c_int, c_size_t, c_uint64, c_void_p

FAKE = "FAKE"

# Runs for so many nanoseconds in each thread.
SPIN = b""".version 7.0
.target sm_70
.address_size 64
.visible .entry spin(.param .u64 nanoseconds)
{
  .reg .u64 %t<4>;
  .reg .pred %p;
  ld.param.u64 %t0, [nanoseconds];
  mov.u64 %t1, %globaltimer;
again:
  mov.u64 %t2, %globaltimer;
  sub.u64 %t3, %t2, %t1;
  setp.lt.u64 %p, %t3, %t0;
  @%p bra again;
  ret;
}
"""


class Missing(Exception):
    """There is no driver, or no device."""


class Driver:
    """Device 0 with its primary context current on the thread that makes this."""

    def __init__(self):
        path = os.environ.get("MICROTOME_LIB_CUDA", "libcuda.so.1")
        try:
            self._lib = ctypes.CDLL(path)
        except OSError as error:
            raise Missing(f"no NVIDIA driver: {error}") from None
        try:
            self.call("cuInit", 0)
            name = ctypes.create_string_buffer(256)
            self.call("cuDeviceGetName", name, 255, 0)
            context, version = c_void_p(), c_int()
            self.call("cuDevicePrimaryCtxRetain", byref(context), 0)
            self.call("cuCtxPushCurrent_v2", context)
            self.call("cuDriverGetVersion", byref(version))
        except RuntimeError as error:
            raise Missing(f"no CUDA device that can be used: {error}") from None
        self.name = name.value.decode()
        self.version = version.value

    @property
    def is_fake(self):
        return self.name.startswith(FAKE)

    def call(self, name, *arguments):
        status = getattr(self._lib, name)(*arguments)
        if status != 0:
            raise RuntimeError(f"{name} answered {status}")

    def free_bytes(self):
        free, total = c_size_t(), c_size_t()
        self.call("cuMemGetInfo_v2", byref(free), byref(total))
        return free.value

    @contextlib.contextmanager
    def memory(self, nbytes):
        """Address of device memory."""
        address = c_uint64()
        self.call("cuMemAlloc_v2", byref(address), c_size_t(nbytes))
        try:
            yield address.value
        finally:
            self.call("cuMemFree_v2", address)

    @contextlib.contextmanager
    def stream(self):
        """A stream that waits for no other."""
        stream = c_void_p()
        self.call("cuStreamCreate", byref(stream), 1)
        try:
            yield stream.value
        finally:
            self.call("cuStreamDestroy_v2", stream)

    def synchronize(self, stream):
        self.call("cuStreamSynchronize", c_void_p(stream))

    def fill(self, address, nbytes, stream):
        self.call("cuMemsetD8Async", c_uint64(address), ctypes.c_ubyte(0), c_size_t(nbytes), c_void_p(stream))

    def spinner(self):
        """Function of (stream, milliseconds, blocks) that keeps the device busy; None on the fake, which cannot."""
        if self.is_fake:
            return None
        module, kernel = c_void_p(), c_void_p()
        self.call("cuModuleLoadData", byref(module), SPIN)
        self.call("cuModuleGetFunction", byref(kernel), module, b"spin")

        def spin(stream, milliseconds, blocks):
            nanoseconds = c_uint64(int(milliseconds * 1e6))
            arguments = (c_void_p * 1)(ctypes.addressof(nanoseconds))
            self.call(
                "cuLaunchKernel", kernel, blocks, 1, 1, 1024, 1, 1, 0, c_void_p(stream), arguments, None
            )

        return spin
