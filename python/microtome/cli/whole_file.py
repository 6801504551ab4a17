"""Files that appear under their name only when they are whole."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import stat
import sys
from collections.abc import Iterator
from typing import BinaryIO

from .failure import Exit, Failure, writing

STDOUT = "-"


def may_write(path: str, overwrite: bool) -> None:
    """Fails, before any work is done, where `path` exists and is not to be replaced, or its folder does not."""
    if path == STDOUT:
        if sys.stdout.isatty():
            raise Failure(
                Exit.USAGE, "standard output is a terminal: redirect it, or give a file instead of -"
            )
        return
    with writing(path):
        try:
            mode = os.stat(path).st_mode
        except FileNotFoundError:
            mode = None
    if mode is None:
        if path.endswith("/"):
            raise Failure(Exit.OUTPUT, f"{path} is a folder's name; give the path of a file")
        folder = os.path.dirname(path) or "."
        if not os.path.isdir(folder):
            raise Failure(Exit.OUTPUT, f"{path}: there is no folder {folder}; create it first")
    elif stat.S_ISDIR(mode):
        raise Failure(Exit.OUTPUT, f"{path} is a folder; give the path of a file")
    elif stat.S_ISREG(mode) and not overwrite:
        raise Failure(Exit.OUTPUT, f"{path} exists; --overwrite replaces it, or choose another name")


@contextlib.contextmanager
def whole_file(path: str, *, overwrite: bool = False) -> Iterator[BinaryIO]:
    """A seekable binary file whose content becomes `path` when the block ends well, and is dropped when it does not.

    It is written beside `path` under a name of its own. `-` is standard output, and gets the content at the end of the
    block; devices and pipes are written to as they are. What the system refuses is a Failure.
    """
    may_write(path, overwrite)
    if path == STDOUT or _is_special(path):
        content = io.BytesIO()
        yield content
        # Not getbuffer(): views of a BytesIO that end in a reference cycle crash CPython up to 3.12.1.
        with writing("standard output" if path == STDOUT else path):
            if path == STDOUT:
                sys.stdout.buffer.write(content.getvalue())
                sys.stdout.buffer.flush()
            else:
                with open(path, "wb") as file:
                    file.write(content.getvalue())
        return
    target = os.path.realpath(path)  # a symbolic link stays one
    partial = os.path.join(
        os.path.dirname(target), f".microtome-{os.getpid()}-{secrets.token_hex(4)}.partial"
    )
    try:
        with writing(path):
            with open(partial, "xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            may_write(path, overwrite)  # it may have come into being meanwhile
            os.replace(partial, target)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(partial)


def _is_special(path):
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode)
