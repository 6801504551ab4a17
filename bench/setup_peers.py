#!/usr/bin/env python3
"""Makes an environment with the readers that Microtome is measured with, or completes one.

    python bench/setup_peers.py build/peers-venv

Each package is installed by itself; one that cannot be is reported and its contender is left out of the runs. What is
there stays as it is: remove the folder to get newer versions.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

# What pip is told for each. cuCIM's own dependencies bring gigabytes of CUDA, which reading on the CPU does without.
PACKAGES = {
    "numpy": ["numpy"],
    "tifffile": ["tifffile", "imagecodecs", "zarr"],
    "openslide": ["openslide-python", "openslide-bin"],
    "tiffslide": ["tiffslide"],
    "fastslide": ["fastslide"],
    "slideio": ["slideio"],
    "pyvips": ["pyvips", "pyvips-binary"],
    "cucim's needs": ["click", "lazy-loader"],
    "cucim": ["--no-deps", "cucim-cu12"],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("venv", type=Path)
    venv = parser.parse_args().venv
    python = venv / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    stamp = venv / ".installed"
    installed = json.loads(stamp.read_text()) if stamp.exists() else []
    missing = []
    for name, arguments in PACKAGES.items():
        if arguments in installed:
            continue
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            reason = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
            missing.append(name)
            print(f"{name} is left out: {reason}", flush=True)
        else:
            installed.append(arguments)
    stamp.write_text(json.dumps(installed))
    print(f"{venv}: {len(PACKAGES) - len(missing)} of {len(PACKAGES)} groups of packages are installed")


if __name__ == "__main__":
    main()
