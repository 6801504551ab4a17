"""The process's tile cache, and the pool that pixel memory returns to.

Decoded tiles are kept while there is room, shared by all slides and loaders of the process, and each is decoded once
however many threads ask. Keys are the whole identity of the file (device, inode, size, modification time), level and
tile. The capacity is 0, which is off, until `configure` is called. Loaders need no cache for patches that share tiles.
"""

from __future__ import annotations

from . import _arguments, _core

__all__ = ["clear", "configure", "info"]


def configure(*, capacity_bytes: int | None = None, pool_bytes: int | None = None) -> None:
    """Sets sizes; what is not given stays.

    Parameters
    ----------
    capacity_bytes : int, optional
        Bytes of decoded tiles that the cache holds at most; 0 turns it off. Tiles beyond it go at once, those least
        recently used first.
    pool_bytes : int, optional
        Bytes of dropped arrays that are kept for the next ones, 512 MiB unless told. What no array has wanted for
        10 s is freed when the pool is used next.

    Examples
    --------
    >>> mt.cache.configure(capacity_bytes=64 << 20)
    >>> mt.cache.info()["capacity_bytes"]
    67108864
    >>> mt.cache.configure(capacity_bytes=0)
    """
    sizes = {"capacity_bytes": capacity_bytes, "pool_bytes": pool_bytes}
    _core.cache_configure(
        **{
            name: None if value is None else _arguments.integer_from(value, name, 0)
            for name, value in sizes.items()
        }
    )


def info() -> dict[str, int]:
    """Numbers of the cache and the pool.

    Returns
    -------
    dict of str to int
        hits, misses, evictions, bytes, capacity_bytes and tiles of the cache; pool_capacity_bytes, pool_idle_bytes,
        pool_reused and pool_fresh of the pool: how many arrays got used memory, and how many fresh.

    Examples
    --------
    >>> sorted(mt.cache.info())[:4]
    ['bytes', 'capacity_bytes', 'evictions', 'hits']
    """
    return _core.cache_info()


def clear() -> None:
    """Drops the tiles of the cache and the idle memory of the pool. Hits, misses and evictions stay."""
    _core.cache_clear()
