"""Exceptions that have no built-in counterpart.

Everything else raises the built-in exception that fits: `FileNotFoundError`, `OSError`, `ValueError`, `TypeError`,
`IndexError`, `MemoryError`. The message says what was found, what was expected and where.
"""


class Error(Exception):
    """Base of Microtome's own exceptions."""


class CorruptSlideError(Error):
    """The file's bytes break its format's rules: it is damaged, cut off, or was never such a file."""


class UnsupportedError(Error):
    """The file may be fine, but Microtome does not do this (yet); the message names the feature."""


class DeviceUnavailableError(Error):
    """A device or library was asked for that this machine or this version does not have, or cannot use any more.

    The message says what was looked for and where, what was found and what was expected.
    """


# Users catch microtome.Error and see it so in tracebacks.
for _class in (Error, CorruptSlideError, UnsupportedError, DeviceUnavailableError):
    _class.__module__ = "microtome"
