"""Positional file reads and writes into arrays, as ``cucim.clara.filesystem`` has them, on POSIX alone.

Everything goes through the page cache with pread and pwrite, without the GIL. There is no GPUDirect storage: buffers
are in host memory, and ``is_gds_available()`` says so.
"""

import builtins
import contextlib
import ctypes
import mmap
import operator
import os
import stat

import numpy as np

__all__ = ["CuFileDriver", "close", "discard_page_cache", "is_gds_available", "open", "pread", "pwrite"]

_MODES = {
    "r": os.O_RDONLY,
    "r+": os.O_RDWR,
    "w": os.O_RDWR | os.O_CREAT | os.O_TRUNC,
    "a": os.O_RDWR | os.O_CREAT,
}


class FilesystemError(ValueError, RuntimeError):
    """An argument cannot be right; cuCIM has RuntimeError for most of these."""


class MissingFileError(FileNotFoundError, ValueError):
    """There is no such file; cuCIM has ValueError."""

    def __str__(self):
        return str(self.args[0])


def open(file_path, flags="r", mode=0o644):
    """Opens a file.

    Parameters
    ----------
    file_path : str or os.PathLike
    flags : "r" (read), "r+" (read and write), "w" (the same, made or emptied) or "a" (the same, made if missing; not
        appending), followed by any of "p" and "n" (cuCIM's ways around GPUDirect and O_DIRECT, neither of which is used
        here) and "m" (through a memory map, for "r" alone).
    mode : permissions of a file that is made.

    Returns
    -------
    CuFileDriver
    """
    base = flags[:2] if flags[:2] == "r+" else flags[:1]
    extras = flags[len(base) :]
    if base not in _MODES or set(extras) - set("pnm"):
        raise FilesystemError(f"flags: expected r, r+, w or a, and then any of p, n and m; found {flags!r}")
    if "m" in extras and base != "r":
        raise FilesystemError(f"flags: 'm' is for reading alone, with 'r'; found {flags!r}")
    path = os.fspath(file_path)
    try:
        fd = os.open(path, _MODES[base] | os.O_CLOEXEC, mode)
    except FileNotFoundError as error:
        raise MissingFileError(f"File '{path}' doesn't exist!") from error
    try:
        driver = CuFileDriver(fd, no_gds=True, use_mmap="m" in extras, file_path=os.path.abspath(path))
    except BaseException:
        os.close(fd)
        raise
    driver._owns_fd = True
    return driver


class CuFileDriver:
    """A file with a descriptor.

    Parameters
    ----------
    fd : descriptor; it stays the caller's, and close() leaves it open.
    no_gds : as it is, whatever is given: there is no GPUDirect storage.
    use_mmap : read through a memory map; the descriptor must be read-only.
    file_path : shown by repr(); found from the descriptor by default.
    """

    def __init__(self, fd, no_gds=False, use_mmap=False, file_path=""):
        self._fd, self._owns_fd, self._map = None, False, None
        fd = operator.index(fd)
        try:
            information = os.fstat(fd)
        except OSError as error:
            raise FilesystemError(f"fd: {fd} is no open descriptor ({error.strerror})") from error
        if use_mmap:
            self._map = _memory_map(fd, information)
        self._path = os.fspath(file_path) or _path_of(fd)
        self._fd = fd

    def pread(self, buf, count, file_offset, buf_offset=0):
        """Reads up to `count` bytes at `file_offset` into `buf` from its byte `buf_offset`.

        Parameters
        ----------
        buf : an array in host memory, or an address (whose size nobody checks).

        Returns
        -------
        int : bytes read; fewer than `count` only where the file ends.
        """
        target = _bytes_of(buf, count, file_offset, buf_offset, writable=True)
        fd = self._open_fd()
        if self._map is not None:
            part = memoryview(self._map)[file_offset : file_offset + len(target)]
            target[: len(part)] = part
            return len(part)
        done = 0
        while done < len(target):
            got = os.preadv(fd, [target[done:]], file_offset + done)
            if got == 0:
                break
            done += got
        return done

    def pwrite(self, buf, count, file_offset, buf_offset=0):
        """Writes `count` bytes of `buf` from its byte `buf_offset` to `file_offset`; returns how many."""
        source = _bytes_of(buf, count, file_offset, buf_offset, writable=False)
        fd = self._open_fd()
        done = 0
        while done < len(source):
            done += os.pwritev(fd, [source[done:]], file_offset + done)
        return done

    def close(self):
        """Closes what open() opened; again, does nothing. Returns True."""
        fd, self._fd = self._fd, None
        if self._map is not None:
            self._map = None  # unmapped when the last read that uses it is done
        if fd is not None and self._owns_fd:
            os.close(fd)
        return True

    def _open_fd(self):
        if self._fd is None:
            raise FilesystemError(f"the file is closed ({self._path})")
        return self._fd

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def __del__(self):
        with contextlib.suppress(OSError):
            self.close()

    def __repr__(self):
        return f"<cucim.clara.filesystem.CuFileDriver path:{self._path if self._fd is not None else ''}>"


def pread(fd, buf, count, file_offset, buf_offset=0):
    """CuFileDriver.pread"""
    return fd.pread(buf, count, file_offset, buf_offset)


def pwrite(fd, buf, count, file_offset, buf_offset=0):
    """CuFileDriver.pwrite"""
    return fd.pwrite(buf, count, file_offset, buf_offset)


def close(fd):
    """CuFileDriver.close"""
    return fd.close()


def discard_page_cache(file_path):
    """Asks the system to forget what it keeps of a file in memory. False where that fails."""
    try:
        with builtins.open(file_path, "rb") as file:
            os.fsync(file.fileno())  # pages that are not on disk yet stay
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError:
        return False
    return True


def is_gds_available():
    """False: files are not read straight to a GPU."""
    return False


def _path_of(fd):
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        return ""


def _memory_map(fd, information):
    import fcntl

    if fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY:
        raise FilesystemError("use_mmap: the descriptor is not read-only")
    if not stat.S_ISREG(information.st_mode):
        raise FilesystemError("use_mmap: not a regular file")
    # An empty file cannot be mapped, and reading it without a map gives as little.
    return mmap.mmap(fd, 0, access=mmap.ACCESS_READ) if information.st_size else None


def _bytes_of(buf, count, file_offset, buf_offset, *, writable):
    """`count` bytes of `buf` from `buf_offset`, as a memoryview; every argument checked."""
    for name, value in (("count", count), ("file_offset", file_offset), ("buf_offset", buf_offset)):
        if operator.index(value) < 0:
            raise FilesystemError(f"{name}: expected 0 or more, found {value}")
    if isinstance(buf, int):
        return memoryview((ctypes.c_ubyte * count).from_address(buf + buf_offset)).cast("B")
    if hasattr(buf, "__cuda_array_interface__"):
        raise FilesystemError("buf: expected an array in host memory, found one on a CUDA device")
    if not hasattr(buf, "__array_interface__"):
        try:
            buf = np.frombuffer(buf, np.uint8)
        except (TypeError, BufferError):
            raise FilesystemError(
                f"buf: Cannot Recognize the array object! (found {type(buf).__name__})"
            ) from None
    array = np.asarray(buf)
    if writable and not array.flags.writeable:
        raise FilesystemError("The buffer is readonly so cannot be used for pread!")
    if not array.flags.c_contiguous:
        raise FilesystemError("buf: expected memory without gaps (a C-contiguous array)")
    if buf_offset + count > array.nbytes:
        raise FilesystemError(
            f"[Error] 'count' ({count}) is larger than the size of the array object ({array.nbytes})"
            + (f" after 'buf_offset' ({buf_offset})!" if buf_offset else "!")
        )
    return memoryview(array.reshape(-1).view(np.uint8))[buf_offset : buf_offset + count]
