"""Runs a command where the system's codec libraries cannot be loaded.

In a mount namespace of its own, each of their files has /dev/null over it: whatever would load one fails, whichever
way it looks for it (the loader's cache, a path in the file, LD_LIBRARY_PATH, dlopen). Needs root, or user
namespaces.
"""

import os
import re
import subprocess
import sys

# By the beginning of their file names, behind "lib".
NAMES = ["Lerc", "brotli", "deflate", "fmt", "hwy", "jpeg", "jxl", "lcms2", "lzma", "openjp2", "sharpyuv", "turbojpeg",
         "webp", "zstd"]  # fmt: skip

# Hides the files named before "--" and runs what stands behind it.
SCRIPT = """
while [ "$1" != -- ]; do mount --bind /dev/null "$1" || exit 125; shift; done
shift; exec "$@"
"""

# Prints those of its arguments that can be loaded.
TRY_EACH = """
import ctypes, sys
for name in sys.argv[1:]:
    try:
        ctypes.CDLL(name)
    except OSError:
        continue
    print(name)
"""


def system_libraries():
    """{name that the loader knows: file} of the codec libraries."""
    listed = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    pattern = rf"^\s(lib(?:{'|'.join(NAMES)})[^/\s]*) \(.*\) => (\S+)$"
    return {name: os.path.realpath(path) for name, path in re.findall(pattern, listed, re.MULTILINE)}


def prefix(libraries):
    """The words to put before a command."""
    namespace = ["unshare", "--mount", "--propagation", "private"]
    if os.geteuid() != 0:
        namespace[1:1] = ["--user", "--map-root-user"]
    return [*namespace, "sh", "-c", SCRIPT, "sh", *sorted(set(libraries.values())), "--"]


def check_hidden(libraries):
    """Raises RuntimeError unless not one of them can be loaded behind `prefix`, and all can without it."""
    command = [sys.executable, "-c", TRY_EACH, *libraries]

    def loaded(before):
        done = subprocess.run([*before, *command], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"the system's libraries cannot be hidden here: {done.stderr.strip()}")
        return set(done.stdout.split())

    if not libraries or loaded([]) != set(libraries):
        raise RuntimeError("not all of the system's codec libraries can be loaded even without hiding them")
    if still := loaded(prefix(libraries)):
        raise RuntimeError(f"still to be loaded, though hidden: {', '.join(sorted(still))}")
