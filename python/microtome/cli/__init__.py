"""The command line `microtome`: one file for each command, all of them thin over the package's public functions.

Nothing of the package imports this. Exit codes and messages are those of failure.py; docs/cli.md explains them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]

MISSING_PACKAGE = 6  # failure.Exit.PACKAGE, which must not be needed to say that click is missing


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code; `arguments` are sys.argv's unless given."""
    try:
        from .program import run
    except ImportError as error:
        if error.name not in ("click", "rich"):
            raise
        print(
            f"microtome: the command line needs {error.name}, which is not installed; "
            f"pip install {error.name}",
            file=sys.stderr,
        )
        return MISSING_PACKAGE
    return run(sys.argv[1:] if arguments is None else arguments)
