"""Instructions of a program's function and all it calls, by where they were spent, from callgrind.

Source: "Callgrind Format Specification" in Valgrind's manual.
"""

import re
import shutil
import subprocess
from pathlib import Path

# Nothing around a program may change its count: libjpeg-turbo walks the whole environment for each tile, the linker
# finds functions when they are first called, and the C library copies and clears memory as the processor's caches and
# its rep instructions (which count once a byte) suggest.
TUNABLES = (
    "glibc.cpu.hwcaps=-ERMS",
    "glibc.cpu.x86_data_cache_size=0x8000",
    "glibc.cpu.x86_shared_cache_size=0x100000",
    "glibc.cpu.x86_non_temporal_threshold=0xc0000",
)
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LC_ALL": "C",
    "LD_BIND_NOW": "1",
    "GLIBC_TUNABLES": ":".join(TUNABLES),
}
COUNTED = "microtome_counted_job"
CODEC_LIBRARIES = ("libjpeg", "libopenjp2", "libdeflate")
NAME = re.compile(r"(c?)(ob|fn)=\((\d+)\)(?: (.*))?")


class Failed(Exception):
    """A job could not be counted."""


def self_costs(text):
    """{(object, function): instructions spent in itself} from the text of a callgrind.out file."""
    names, here, costs, call_follows = {}, {"ob": "", "fn": ""}, {}, False
    for line in text.splitlines():
        if match := NAME.fullmatch(line):
            called, kind, number, name = match.groups()
            if name is not None:
                names[kind, number] = name
            if not called:
                here[kind] = names[kind, number]
        elif line.startswith("calls="):
            call_follows = True
        elif line[:1].isdigit() or line[:1] in ("+", "-", "*"):
            if not call_follows:  # else: what the call took, which stands with the called function
                key = here["ob"], here["fn"]
                costs[key] = costs.get(key, 0) + int(line.split()[1])
            call_follows = False
    return costs


def part_of(library, function, program):
    """Whose instructions these are: "own" (the program's, but for the OpenJPEG that may be built into it), "codec", or
    "system" for everything else: the C and C++ libraries, and Highway's and fmt's."""
    name = Path(library).name
    if name.startswith(CODEC_LIBRARIES) or (name == program and function.startswith("opj_")):
        return "codec"
    return "own" if name == program else "system"


def parts(text, program):
    """{"own": instructions, "system": …, "codec": …}"""
    sums = {"own": 0, "system": 0, "codec": 0}
    for (library, function), instructions in self_costs(text).items():
        sums[part_of(library, function, program)] += instructions
    return sums


def without_randomisation():
    """What to put before a command so that its memory lies at the same addresses each time, where that is allowed:
    the C library's allocator takes other ways otherwise, now and then."""
    prefix = ["setarch", "-R"]
    usable = (
        shutil.which("setarch") and subprocess.run([*prefix, "true"], capture_output=True).returncode == 0
    )
    return prefix if usable else []


def count(program, job, slides, out):
    """Counts `job` of `program` under callgrind, whose file is left at `out`; returns its parts. Raises Failed."""
    command = ["valgrind", "--tool=callgrind", f"--toggle-collect={COUNTED}", f"--callgrind-out-file={out}"]
    command = [*without_randomisation(), *command, program, job, slides]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=300)
    if done.returncode != 0:
        raise Failed(f"{job} ended with {done.returncode}: {done.stderr[-2000:]}")
    found = parts(Path(out).read_text(), Path(program).name)
    if found["own"] == 0:
        raise Failed(f"{job}: nothing was counted inside {COUNTED}()")
    return found
