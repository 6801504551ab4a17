"""Exceptions that existing code catches by cuCIM's type and new code by the type that says what is wrong.

cuCIM raises ValueError and RuntimeError for nearly everything (and pybind11 TypeError for numbers it cannot convert).
Each class here is also that, so ``except`` clauses written for cuCIM keep working.
"""

import contextlib

from ..errors import CorruptSlideError, DeviceUnavailableError, UnsupportedError


class InvalidArgumentError(ValueError, RuntimeError):
    """An argument's value cannot be right; cuCIM has RuntimeError for some of them."""


class ArgumentTypeError(TypeError, RuntimeError):
    """An argument is of a type that cannot be converted; cuCIM has RuntimeError for items of a list."""


class ArgumentRangeError(ValueError, TypeError):
    """A number is outside its range, or a name is unknown; cuCIM has TypeError or ValueError."""


class LevelError(ValueError, IndexError):
    """There is no such level."""


class ImageClosedError(ValueError, RuntimeError):
    """The image was closed."""


class NoPixelsError(IndexError, ValueError):
    """The image is a file of which nothing has been read yet."""


class _PlainText:
    # OSError would prefix "[Errno 2]" and append the file name; cuCIM's texts begin with "Cannot open".
    def __str__(self):
        return str(self.args[0]) if self.args else ""


class MissingImageError(_PlainText, FileNotFoundError, ValueError):
    """There is no such file."""


class DirectoryImageError(_PlainText, IsADirectoryError, ValueError):
    """The path is a directory's."""


class ForbiddenImageError(_PlainText, PermissionError, ValueError):
    """The file may not be read."""


class UnreadableImageError(_PlainText, OSError, ValueError):
    """The file cannot be opened or read, for another reason of the operating system."""


class UnloadableImageError(UnsupportedError, ValueError, RuntimeError):
    """The file is no slide that can be read."""


class CorruptImageError(CorruptSlideError, ValueError, RuntimeError):
    """The file is damaged."""


class UnsupportedImageError(UnsupportedError, RuntimeError):
    """The file is sound and cannot be decoded, or not as cuCIM would give it."""


class DeviceError(DeviceUnavailableError, RuntimeError):
    """The device is not there or cannot be used."""


class _Translation:
    """A context that raises an exception of one class as one of another; the first row that fits counts."""

    def __init__(self, prefix, rows):
        self._prefix, self._rows = prefix, rows

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if error is not None:
            self.translate(error)

    def translate(self, error):
        """Raises `error` as the class that a row says; returns if none does."""
        for found, raised in self._rows:
            if isinstance(error, found) and not isinstance(error, raised):
                raise raised(f"{self._prefix}{error}") from error


_OPENING = (
    (FileNotFoundError, MissingImageError),
    (IsADirectoryError, DirectoryImageError),
    (PermissionError, ForbiddenImageError),
    (OSError, UnreadableImageError),
)
_LOADING = ((CorruptSlideError, CorruptImageError), (UnsupportedError, UnloadableImageError))
_READING = _Translation(
    "",
    (
        (CorruptSlideError, CorruptImageError),
        (DeviceUnavailableError, DeviceError),
        (UnsupportedError, UnsupportedImageError),
    ),
)


@contextlib.contextmanager
def opening(path):
    """Raises what happens while `path` is opened as the classes above, in cuCIM's words."""
    with _Translation(f"Cannot open {path}! ", _OPENING), _Translation(f"Cannot load {path}! ", _LOADING):
        yield


def reading():
    """Raises what happens while pixels are read as the classes above."""
    return _READING


translate_reading = _READING.translate  # for where even an empty context costs too much
