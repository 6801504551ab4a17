"""What `open` takes, and how failures to open are told."""

import io
import os
import stat

from . import _core


def open_core(source, image, channels, max_tile_bytes):
    """(`_core.Slide`, path or None, name for messages) of anything that `microtome.open` takes.

    The options have been checked.
    """
    options = (image, channels == "rgb", max_tile_bytes)
    if isinstance(source, (str, os.PathLike)):
        path = os.fsdecode(source)
        return _open_path(path, options), path, path
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _core.open_memory(source, *options), None, "<memory>"
    if all(callable(getattr(source, method, None)) for method in ("read", "seek", "tell")):
        return _open_file_object(source, options)
    raise TypeError(
        f"cannot open a {type(source).__name__}; expected a path (str or os.PathLike), a file's content (bytes) "
        "or a seekable binary file"
    )


def _open_path(path, options):
    if "\0" in path:
        raise ValueError(f"path {path!r} has a null character in it")
    try:
        return _core.open_path(os.fsencode(path), *options)
    except (OSError, ValueError):
        _raise_as_the_system_does(path)
        raise


def _raise_as_the_system_does(path):
    """Raises the OSError, with errno and file name, that Python's own open() would raise, if there is one."""
    mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        import errno

        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if stat.S_ISREG(mode):
        os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))


def _open_file_object(file, options):
    name = getattr(file, "name", None)
    name = f"<{name}>" if isinstance(name, str) else f"<{type(file).__name__}>"
    if getattr(file, "closed", False):
        raise ValueError(f"{name} is closed")
    if isinstance(file, io.TextIOBase) or not isinstance(file.read(0), bytes):
        raise TypeError(f"{name} is a text file, expected one opened in binary mode ('rb')")
    if not getattr(file, "seekable", lambda: True)():
        raise ValueError(f"{name} is not seekable, expected a seekable binary file")
    file.seek(0, io.SEEK_END)
    size = file.tell()
    return _core.open_python_file(file, name, size, _has_descriptor(file), *options), None, name


def _has_descriptor(file):
    """Whether the system keeps the file's position, which processes share after fork()."""
    try:
        file.fileno()
    except (AttributeError, OSError):
        return False
    return True
