"""The raw loop over nvJPEG, by ctypes: what the library gives without anything of ours around it."""

from __future__ import annotations

import ctypes
import os
import sys
from ctypes import POINTER, byref, c_int, c_size_t, c_ubyte, c_uint, c_void_p
from pathlib import Path

from row import NotMeasurable

HARDWARE, GPU_HYBRID, HYBRID = 3, 2, 1
UNCHANGED = 0
SUCCESS, NOT_SUPPORTED, ARCH_MISMATCH = 0, 4, 7


class NvjpegImage(ctypes.Structure):
    _fields_ = [("channel", c_void_p * 4), ("pitch", c_size_t * 4)]


def library():
    """libnvjpeg, where Microtome would find it."""
    named = os.environ.get("MICROTOME_LIB_NVJPEG")
    wheels = [Path(path) / "nvidia" / "cu13" / "lib" / "libnvjpeg.so.13" for path in sys.path]
    for candidate in filter(
        None, [named, *(str(path) for path in wheels if path.exists()), "libnvjpeg.so.13"]
    ):
        try:
            return ctypes.CDLL(candidate)
        except OSError:
            continue
    raise NotMeasurable("no libnvjpeg.so.13: pip install nvidia-nvjpeg")


class Refused(Exception):
    """nvJPEG does not decode these streams in this way."""


class Decoder:
    """Batches of streams of one size to planes that nobody looks at."""

    def __init__(self, driver, backend):
        self._lib, self._driver = library(), driver
        self._handle, self._state = c_void_p(), c_void_p()
        status = self._lib.nvjpegCreateExV2(backend, None, None, 0, byref(self._handle))
        if status == ARCH_MISMATCH:
            raise NotMeasurable(
                "nvJPEG answers ARCH_MISMATCH: no decoding engines here (NVIDIA_DRIVER_CAPABILITIES=…,video?)"
            )
        self._check("nvjpegCreateExV2", status)
        self._check(
            "nvjpegJpegStateCreate", self._lib.nvjpegJpegStateCreate(self._handle, byref(self._state))
        )

    def close(self):
        self._lib.nvjpegJpegStateDestroy(self._state)
        self._lib.nvjpegDestroy(self._handle)

    def engines(self):
        """(engines, cores of each)."""
        engines, cores = c_uint(), c_uint()
        self._check(
            "nvjpegGetHardwareDecoderInfo",
            self._lib.nvjpegGetHardwareDecoderInfo(self._handle, byref(engines), byref(cores)),
        )
        return engines.value, cores.value

    def job(self, streams, width, height, memory, stream):
        """A function that decodes them and waits. `memory`: 3 * width * height bytes for each."""
        count, plane = len(streams), width * height
        data = (POINTER(c_ubyte) * count)(*(ctypes.cast(each, POINTER(c_ubyte)) for each in streams))
        lengths = (c_size_t * count)(*map(len, streams))
        images = (NvjpegImage * count)()
        for i, image in enumerate(images):
            for channel in range(3):
                image.channel[channel] = memory + (3 * i + channel) * plane
                image.pitch[channel] = width
        self._check(
            "nvjpegDecodeBatchedInitialize",
            self._lib.nvjpegDecodeBatchedInitialize(self._handle, self._state, c_int(count), 1, UNCHANGED),
        )

        def decode():
            status = self._lib.nvjpegDecodeBatched(
                self._handle, self._state, data, lengths, images, c_void_p(stream)
            )
            if status == NOT_SUPPORTED:
                raise Refused
            self._check("nvjpegDecodeBatched", status)
            self._driver.synchronize(stream)

        return decode

    @staticmethod
    def _check(name, status):
        if status != SUCCESS:
            raise NotMeasurable(f"{name} answered {status}")


def split(jpeg):
    """Tables and frame, scan header, scan without its end, restart interval."""
    at, head, interval = 2, [], 0
    while True:
        marker, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4], "big")
        segment = jpeg[at : at + 2 + length]
        if marker == 0xDA:
            return head, segment, jpeg[at + 2 + length : -2], interval
        if marker == 0xDD:
            interval = int.from_bytes(segment[4:6], "big")
        elif not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            head.append(segment)
        at += 2 + length


def stitch(tiles, mcus, tile_height):
    """One tall stream of tiles without restart markers that share their tables, joined by restart markers."""
    head, scan_header, _, interval = split(tiles[0])
    if interval:
        raise NotMeasurable("tiles with restart markers of their own")
    out = bytearray(b"\xff\xd8")
    for segment in map(bytearray, head):
        if segment[1] in (0xC0, 0xC1):
            segment[5:7] = (tile_height * len(tiles)).to_bytes(2, "big")
        out += segment
    out += b"\xff\xdd\x00\x04" + mcus.to_bytes(2, "big") + scan_header
    for i, tile in enumerate(tiles):
        if i:
            out += bytes((0xFF, 0xD0 + (i - 1) % 8))
        out += split(tile)[2]
    return bytes(out) + b"\xff\xd9"
