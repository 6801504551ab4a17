"""Fetches what a few of NVIDIA's wheels hold, once, for tools that compare with it or compile with it.

Standard library only.
"""

import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

UNREACHABLE = 77  # the exit status of a tool that cannot go on without PyPI


class Unreachable(RuntimeError):
    """PyPI cannot be reached."""


def unpack(wheels, folder, wanted):
    """Makes `folder` hold the members of `wheels` ("name==version") for which wanted(wheel's file, member) is true.

    Downloads only what another call has not. Errors: Unreachable; RuntimeError, whatever else pip says.
    """
    stamp = folder / "wheels.txt"
    names = "\n".join(wheels)
    if stamp.exists() and stamp.read_text() == names:
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as files:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--retries", "2"]
        command += ["--disable-pip-version-check", "--only-binary=:all:", "-d", files, *wheels]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            if re.search(
                r"connection broken|Connection(Error| refused)|Read timed out|name resolution", done.stderr
            ):
                raise Unreachable(done.stderr.strip().splitlines()[-1])
            raise RuntimeError(f"pip download of {' '.join(wheels)}: {done.stderr.strip()}")
        for wheel in Path(files).glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(folder, [m for m in archive.namelist() if wanted(wheel.name, m)])
    stamp.write_text(names)
