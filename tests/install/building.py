"""How the examples are built and run."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(*command, env=None):
    """What a command printed; AssertionError with all of it where it fails."""
    done = subprocess.run(
        [str(word) for word in command],
        env=os.environ | (env or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}"
    return done.stdout


def with_cmake(prefix, source, build):
    """Builds an example with CMake, which finds the library under `prefix`."""
    run("cmake", "-S", source, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", build)


def with_pkg_config(library_folder, compiler, source, program):
    """Builds an example of one file with the flags that pkg-config gives."""
    env = {"PKG_CONFIG_PATH": str(library_folder / "pkgconfig")}
    flags = run("pkg-config", "--cflags", "--libs", "microtome", env=env).strip()
    run("sh", "-c", f'{compiler} -Wall -Wextra -Werror -o "{program}" "{source}" {flags}')
