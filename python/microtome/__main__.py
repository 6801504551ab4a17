"""`python -m microtome`: the command line, where the script `microtome` is not on the PATH."""

import sys

from .cli import main

if __name__ == "__main__":  # processes that bench starts import this
    sys.exit(main())
