# Written by tools/make_stubs.py.
# fmt: off
# ruff: noqa
"""Bindings of Microtome's C++ core. Private: use the package microtome."""

from collections.abc import Sequence
from typing import Annotated

import numpy
from numpy.typing import NDArray


class Slide:
    """An open slide. microtome.Slide checks arguments and explains."""

    def describe(self) -> dict:
        """Everything the slide says about itself but pixels."""

    def to_level(self, level: int, location: tuple[int, int]) -> tuple[int, int]:
        """
        A level-0 location in pixels of an existing level: the nearest, halves up.
        """

    def read(self, image: int, location: tuple[int, int], size: tuple[int, int], out: numpy.ndarray | None, fill: Sequence[float], workers: int, fill_broken: bool) -> tuple[numpy.ndarray | None, list[tuple[int, str]]]:
        """
        Reads a region, in pixels of image `image` itself: ((h, w, C) array, or None with `out`; [(0, message), …] of tiles that were broken and filled).
        """

def open_path(path: bytes, image: int, rgb: bool, max_tile_bytes: int) -> Slide:
    """
    Opens image number `image` of a file; with `rgb` for what its samples look like.
    """

def open_memory(content: bytes | bytearray | memoryview, image: int, rgb: bool, max_tile_bytes: int) -> Slide:
    """
    Opens an image of the file whose bytes these are, without copying them.
    """

def open_python_file(file: object, name: str, size: int, shares_position: bool, image: int, rgb: bool, max_tile_bytes: int) -> Slide:
    """
    Opens an image of a seekable binary file object. `shares_position`: a forked child's file is the parent's.
    """

class Patches:
    """A list of patches of slides, each at a level."""

    def __init__(self, slides: Sequence[Slide], levels: Sequence[int], slide_of: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], locations: Annotated[NDArray[numpy.int64], dict(shape=(None, 2), order='C', device='cpu', writable=False)]) -> None:
        """`locations` are level-0 pixels; `levels` has one for each slide."""

    def __len__(self) -> int: ...

class Meter:
    """What is counted of a pass; lives on without it."""

    def stats(self) -> tuple[int, int, int, int, int, int, int, int, float, float, int, int, int, int]:
        """The values of a LoaderStats."""

class Pass:
    """One walk over patches, batch by batch."""

    def __init__(self, patches: Patches, order: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], size: tuple[int, int], batch_size: int, drop_last: bool, prefetch: int, threads: int, fill_broken: bool, fill: Sequence[float]) -> None:
        """
        `order`: positions in the list, in order of delivery. `threads`: beside the caller's.
        """

    def __len__(self) -> int:
        """Number of batches."""

    def meter(self) -> Meter: ...

    def next(self) -> tuple[numpy.ndarray, numpy.ndarray, list[tuple[int, str]], int] | None:
        """
        (pixels (N, h, w, C), indices (N,) int64, [(row, message), …], number), or None after the last.
        """

def order(count: int, shuffle: bool, seed: int, epoch: int, rank: int, world_size: int) -> NDArray:
    """This rank's positions of 0 … count-1, in order of delivery."""

def cache_configure(capacity_bytes: int | None, pool_bytes: int | None) -> None:
    """Sets what is not None."""

def cache_info() -> dict:
    """Numbers of the tile cache and of the pool."""

def cache_clear() -> None:
    """Drops cached tiles and idle memory; counters stay."""

def cache_reset_counters() -> None:
    """Sets hits, misses and evictions to 0."""

def require_cuda_device(ordinal: int) -> dict:
    """
    What is known of a CUDA device, or DeviceUnavailableError. Opens it, as reading would.
    """

def find_cuda_driver() -> dict:
    """The driver and its devices, or its problem."""

def find_cuda_libraries(nvjpeg: Sequence[str], nvjpeg2k: Sequence[str], cufile: Sequence[str], last: Sequence[str]) -> dict:
    """
    {library: path, version, problem}, looked for in folders before the system's, and `last` after those.
    """

class DeviceArray:
    """Memory of a GPU. microtome.DeviceArray explains."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> str: ...

    @property
    def ordinal(self) -> int: ...

    def dlpack(self, stream: int | None, versioned: bool) -> object:
        """A capsule; `stream` is the consumer's, or None."""

    def address(self) -> int:
        """For the array interface: the consumer's stream is not known."""

    def row(self, number: int) -> DeviceArray: ...

    def to_host(self) -> numpy.ndarray:
        """A copy."""

class DevicePass:
    """One walk over patches, batch by batch, onto a GPU."""

    def __init__(self, patches: Patches, order: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], size: tuple[int, int], batch_size: int, drop_last: bool, prefetch: int, threads: int, fill_broken: bool, fill: Sequence[float], ordinal: int, memory_bytes: int, stream: int, format: tuple[str, bool, Sequence[float], Sequence[float]], decode: tuple[str, Sequence[str], Sequence[str], Sequence[str]], gds: tuple[str, Sequence[str], Sequence[str]] = ('off', [], [])) -> None:
        """
        As Pass; `memory_bytes` of the device for decoded tiles, 0: as much as is usual; `stream`: what an export that names none is used on; `format`: dtype ("" for the slides' own), planar, mean, std; `decode`: "exact", "any" or "device", and folders of nvJPEG, of nvJPEG2000 and to search last; `gds`: "off", "any" or "only", and folders of cuFile and to search last.
        """

    def __len__(self) -> int:
        """Number of batches."""

    def meter(self) -> Meter: ...

    @property
    def direct(self) -> tuple[str, str]:
        """
        How cuFile reads: "direct", "compat" or not at all; and what was in its way, or nothing.
        """

    @property
    def lacking(self) -> str:
        """Why a library is not used that "any" would use; empty otherwise."""

    def next(self) -> tuple[DeviceArray, numpy.ndarray, list[tuple[int, str]], int] | None:
        """
        (pixels (N, h, w, C), indices (N,) int64, [(row, message), …], number), or None after the last.
        """

def read_to_device(slide: Slide, image: int, location: tuple[int, int], size: tuple[int, int], target: tuple[int, int | None] | None, fill: Sequence[float], workers: int, fill_broken: bool, ordinal: int, stream: int, format: tuple[str, bool, Sequence[float], Sequence[float]]) -> tuple[DeviceArray | None, list[tuple[int, str]]]:
    """
    As Slide.read, onto a GPU; `target`: an address there and the stream whose work on it comes first; `stream`, `format`: as for DevicePass.
    """

class DlpackArray:
    """An array that was taken by DLPack; dropping it gives it back."""

    def __init__(self, capsule: NDArray) -> None: ...

    @property
    def address(self) -> int: ...

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def strides(self) -> tuple[int, ...]:
        """In elements."""

    @property
    def dtype(self) -> tuple[int, int, int]:
        """DLPack's code, bits and lanes."""

def cuslide_permutation(count: int, seed: int) -> NDArray:
    """Positions 0 … count-1 in cuslide's shuffled order."""

def available_cpus() -> int:
    """How many threads this process may run at once."""

def codec_versions() -> dict:
    """{codec: library and version}"""

def build_versions() -> dict:
    """{library: version} of those that no codec names."""

def counters() -> dict:
    """How many tiles went which way since the process began."""

def simd() -> dict:
    """The instruction set in use, and all that could be."""

def cpu_features() -> list:
    """Instruction sets of this machine that decoders choose between."""

def thread_count() -> int:
    """Worker threads started so far."""
