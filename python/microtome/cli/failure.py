"""What can go wrong, as one line and an exit code.

A command raises `Failure`, or lets pass what the package raises; `explain` turns either into what the user sees. Errors
of the system mean different things for what is read and what is written, so writers say so with `writing`. What
`explain` does not know is a bug of ours and keeps its traceback.
"""

from __future__ import annotations

import contextlib
import enum
import errno
import importlib
import os
import unicodedata

from ..errors import CorruptSlideError, DeviceUnavailableError, UnsupportedError


class Exit(enum.IntEnum):
    """Exit codes. Part of the command line's contract: scripts rely on them."""

    OK = 0
    BUG = 1  # Python's own, with a traceback
    USAGE = 2  # what was asked for does not exist or makes no sense
    INPUT = 3  # the slide cannot be read at all
    BROKEN = 4  # the slide is damaged
    OUTPUT = 5  # what was asked for cannot be written
    PACKAGE = 6  # an optional package is missing
    INTERRUPTED = 130  # 128 + SIGINT, as shells say it
    PIPE = 141  # 128 + SIGPIPE
    TERMINATED = 143  # 128 + SIGTERM


class Failure(Exception):
    """Ends the command with `code` after the one line `message`: what is wrong; what to do."""

    def __init__(self, code: Exit, message: str) -> None:
        super().__init__(message)
        self.code = code


ADVICE = {
    errno.ENOENT: "check the path",
    errno.ENOTDIR: "check the path",
    errno.EISDIR: "give the path of a file",
    errno.EACCES: "ask its owner, or choose another",
    errno.EPERM: "ask its owner, or choose another",
    errno.EROFS: "choose another place",
    errno.ENOSPC: "free some space, or choose another place",
    errno.EDQUOT: "free some space, or choose another place",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EIO: "the disk or the network may be failing",
}


def one_line(text: str) -> str:
    """`text` without what would break a line or move the terminal's cursor; paths may have anything in them."""
    return "".join(
        repr(c)[1:-1] if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in str(text).strip()
    )


def system_error(error: OSError, path: object = None) -> str:
    """ "a.svs: No such file or directory; check the path"."""
    where = path if path is not None else error.filename
    if isinstance(where, bytes):
        where = os.fsdecode(where)
    problem = os.strerror(error.errno) if error.errno else str(error)
    parts = [f"{where}: {problem}" if where is not None else problem]
    if error.errno in ADVICE:
        parts.append(ADVICE[error.errno])
    return "; ".join(parts)


@contextlib.contextmanager
def writing(path: object, advice: str | None = None):
    """Errors of the system inside are about what is written to `path`. A closed pipe keeps its own exception."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        message = system_error(error, path)
        raise Failure(Exit.OUTPUT, f"{message}; {advice}" if advice else message) from error


@contextlib.contextmanager
def asking():
    """What the package refuses inside is the user's wish, not the slide: unsupported means impossible here."""
    try:
        yield
    except UnsupportedError as error:
        raise Failure(Exit.USAGE, str(error)) from error


def package(name: str, purpose: str):
    """Imports an optional package, or fails saying what it is for and how to get it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        top = name.partition(".")[0]
        wanted = {"PIL": "pillow"}.get(top, top)
        if error.name is not None and error.name.partition(".")[0] != top:
            raise  # installed, but broken: the traceback tells more than we could
        raise Failure(
            Exit.PACKAGE,
            f"{purpose} needs the package {wanted}, which is not installed; pip install {wanted}",
        ) from None


def explain(error: BaseException) -> tuple[Exit, str] | None:
    """(exit code, message) of what a user can bring about; None for a bug."""
    if isinstance(error, Failure):
        return error.code, one_line(str(error))
    if isinstance(error, CorruptSlideError):
        return Exit.BROKEN, one_line(f"{error}; 'microtome verify' lists all that is broken")
    if isinstance(error, (UnsupportedError, DeviceUnavailableError)):
        return Exit.INPUT, one_line(str(error))
    if isinstance(error, MemoryError):
        reason = f"{error}; " if str(error) else ""
        return Exit.USAGE, one_line(f"not enough memory: {reason}ask for fewer pixels or a smaller level")
    if isinstance(error, OSError):
        return Exit.INPUT, one_line(system_error(error))
    return None
