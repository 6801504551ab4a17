#!/usr/bin/env python3
"""Builds bench/floors (bare codec loops, the race of decoders) with the libraries that the package is built with.

In build/release, whose objects of the core they share with the C++ tests. Prints the path of the loops.

python bench/build_floor.py
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from install_package import cmake_options  # noqa: E402


def main():
    build = ROOT / "build" / "release"
    configure = [
        "cmake",
        "--preset",
        "release",
        "-B",
        build,
        *(f"-D{k}={v}" for k, v in cmake_options().items()),
    ]
    targets = ["microtome_floor", "microtome_tile_race"]
    for command in (configure, ["cmake", "--build", build, "--target", *targets]):
        done = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"The bare codec loops do not build:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    print(build / "bench" / "floors" / "microtome_floor")


if __name__ == "__main__":
    main()
