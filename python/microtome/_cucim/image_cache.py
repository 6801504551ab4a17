"""CuImage.cache: cuCIM's view of the process's one tile cache, ``microtome.cache``."""

import enum
import operator
import threading

from .. import cache as tile_cache
from .errors import ArgumentRangeError, InvalidArgumentError

_MIB = 1 << 20
_TILE_BYTES = 256 * 256 * 3  # cuCIM counts in tiles of this size
_DEFAULTS = {
    "memory_capacity": 1024,
    "capacity": None,  # from memory_capacity
    "mutex_pool_capacity": 100003,
    "list_padding": 10000,
    "extra_shared_memory_size": 100,
    "record_stat": False,
}


class CacheType(enum.IntEnum):
    """Kinds of cache."""

    NoCache = 0
    PerProcess = 1
    SharedMemory = 2


_TYPE_NAMES = {
    "nocache": CacheType.NoCache,
    "per_process": CacheType.PerProcess,
    "shared_memory": CacheType.SharedMemory,
}
_NAMES = {kind: name for name, kind in _TYPE_NAMES.items()}


def _parse_type(kind):
    if isinstance(kind, CacheType):
        kind = _NAMES[kind]
    if kind not in _TYPE_NAMES:
        raise ValueError(f"The first argument should be one of {list(_TYPE_NAMES)}. (found {kind!r})")
    if kind == "shared_memory":
        raise InvalidArgumentError(
            "the cache type 'shared_memory' is not offered: use 'per_process', which every process has for itself "
            "and children made by fork begin with"
        )
    return _TYPE_NAMES[kind]


def _count(name, value):
    try:
        count = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: expected an integer, found {value!r}") from None
    if not 0 <= count < 1 << 32:
        raise InvalidArgumentError(f"{name}: expected an integer from 0 to 2**32 - 1, found {count}")
    return count


def _check_names(options, known, where):
    for name in options:
        if name not in known:
            raise ArgumentRangeError(f"{where} has no argument {name!r}; expected {', '.join(known)}")


def _tiles_in(mebibytes):
    return mebibytes * _MIB // _TILE_BYTES


class ImageCache:
    """A cache of decoded tiles, as ``CuImage.cache()`` returns it. Made by that alone."""

    def __init__(self, kind, options):
        _check_names(options, _DEFAULTS, "CuImage.cache()")
        given = _DEFAULTS | options
        self._type = kind
        self._memory = _count("memory_capacity", given["memory_capacity"])
        self._has_own_capacity = given["capacity"] is not None
        self._capacity = (
            _count("capacity", given["capacity"]) if self._has_own_capacity else _tiles_in(self._memory)
        )
        # What these size in cuCIM (locks, list slack, segment) does not exist here; they are checked and shown.
        self._without_effect = {
            name: _count(name, given[name])
            for name in ("mutex_pool_capacity", "list_padding", "extra_shared_memory_size")
        }
        self._record_stat = bool(given["record_stat"])
        self._counted_from = None
        self._budget = self._budget_bytes()

    def _budget_bytes(self):
        # The tile cache counts bytes alone, so `capacity` is so many tiles' worth of them.
        if self._type is CacheType.NoCache:
            return 0
        memory = self._memory * _MIB
        return min(memory, self._capacity * _TILE_BYTES) if self._has_own_capacity else memory

    def _is_live(self):
        return self._type is CacheType.PerProcess and _current is self

    @property
    def type(self):
        """The `CacheType`."""
        return self._type

    @property
    def config(self):
        """A new dict of the seven settings."""
        return {
            "type": _NAMES[self._type],
            "memory_capacity": self._memory,
            "capacity": self._capacity,
            **self._without_effect,
            "record_stat": self._record_stat,
        }

    @property
    def memory_capacity(self):
        """Bytes."""
        return self._memory * _MIB if self._type is CacheType.PerProcess else 0

    @property
    def capacity(self):
        """Tiles of 256 x 256 RGB pixels that fit."""
        return self._capacity if self._type is CacheType.PerProcess else 0

    @property
    def size(self):
        """Tiles in the cache; 0 once another cache has replaced this one."""
        return tile_cache.info()["tiles"] if self._is_live() else 0

    @property
    def memory_size(self):
        """Bytes in the cache."""
        return tile_cache.info()["bytes"] if self._is_live() else 0

    @property
    def free_memory(self):
        """Bytes that are free."""
        return max(0, self.memory_capacity - self.memory_size)

    @property
    def hit_count(self):
        """Tiles found since record(True); 0 while nothing is recorded."""
        return self._count_since("hits")

    @property
    def miss_count(self):
        """Tiles not found since record(True); 0 while nothing is recorded."""
        return self._count_since("misses")

    def _count_since(self, what):
        if self._counted_from is None or not self._is_live():
            return 0
        return tile_cache.info()[what] - self._counted_from[what]

    def record(self, value=None):
        """Begins (True) or ends (False) to count, from zero; None asks. Returns whether it counts."""
        if value is None:
            return self._type is CacheType.PerProcess and self._counted_from is not None
        if not isinstance(value, (bool, int)):
            raise TypeError(f"value: expected True, False or None, found {value!r}")
        self._record_stat = bool(value)
        self._counted_from = dict(tile_cache.info()) if value else None
        return bool(value)

    def reserve(self, memory_capacity, **kwargs):
        """Grows to `memory_capacity` MiB and ``capacity=`` tiles; never shrinks. What is cached stays."""
        _check_names(kwargs, ("capacity",), "reserve()")
        memory = _count("memory_capacity", memory_capacity)
        capacity = _count("capacity", kwargs["capacity"]) if "capacity" in kwargs else _tiles_in(memory)
        if self._type is not CacheType.PerProcess:
            return
        with _lock:
            self._memory = max(self._memory, memory)
            self._capacity = max(self._capacity, capacity)
            if self._is_live():
                self._budget = self._budget_bytes()
                tile_cache.configure(capacity_bytes=self._budget)


_lock = threading.RLock()
_current = None


def cache(kind=None, options=None):
    """The current cache, or a new and empty one in its place. See CuImage.cache."""
    global _current
    options = options or {}
    with _lock:
        if kind is None:
            if options:
                raise ArgumentRangeError(
                    f"{', '.join(options)}: settings belong to a new cache; name its type, such as 'per_process', first"
                )
            capacity_bytes = tile_cache.info()["capacity_bytes"]
            if _current is None or _current._budget != capacity_bytes:
                _current = _of_tile_cache(capacity_bytes)
            return _current
        new = ImageCache(_parse_type(kind), options)
        tile_cache.configure(capacity_bytes=0)  # drops what the old one held
        tile_cache.configure(capacity_bytes=new._budget)
        _current = new
        if new._record_stat:
            new.record(True)
        return new


def _of_tile_cache(capacity_bytes):
    """What describes a tile cache that microtome.cache.configure() was asked for."""
    kind = CacheType.PerProcess if capacity_bytes else CacheType.NoCache
    described = ImageCache(kind, {"memory_capacity": capacity_bytes // _MIB} if capacity_bytes else {})
    described._budget = capacity_bytes
    return described


def preferred_memory_capacity(img=None, image_size=None, tile_size=None, patch_size=None, bytes_per_pixel=3):
    """MiB that hold the tiles of one row of patches across an image.

    Parameters
    ----------
    img : CuImage that says image_size, tile_size and bytes_per_pixel; what is given of these is then not used.
    image_size : (width, height)
    tile_size, patch_size : (width, height); (256, 256) by default.
    bytes_per_pixel : 3 for RGB.
    """
    if img is not None:
        image_size, tile_size = img.size("XY"), img.resolutions["level_tile_sizes"][0]
        bytes_per_pixel = img.shape[-1]
    if image_size is None or len(image_size) != 2:
        raise ValueError(
            f"Please specify 'image_size' parameter (e.g., 'image_size=(100000, 100000)')! (found {image_size!r})"
        )
    width, height = image_size
    tile_width, tile_height = _pair("tile_size", tile_size)
    _, patch_height = _pair("patch_size", patch_size)
    columns = -(-width // tile_width)
    rows = min(height + tile_height - 1, patch_height + tile_height - 1) // tile_height + 1
    return -(-columns * rows * tile_width * tile_height * bytes_per_pixel // _MIB)


def _pair(name, size):
    if size is None:
        return 256, 256
    if len(size) != 2 or min(size) < 1:
        raise ValueError(f"{name}: expected a width and a height of at least 1, found {tuple(size)}")
    return size
