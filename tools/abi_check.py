#!/usr/bin/env python3
"""Compares our declarations of NVIDIA's libraries with NVIDIA's own headers and libraries, of CUDA 12 and CUDA 13.

    tools/abi_check.py [--report FILE] [--compiler c++]

Fetches small wheels from PyPI once, into build/abi; headers and libraries are used there and become part of nothing.
Then, for each CUDA version: tests/abi/*_check.cc must compile (signatures, values, sizes, offsets), the libraries must
have every function in our lists, and our loader must open them and read their versions, which needs no GPU. Deliberate
mistakes (wrong_check.cc) must not compile. Exit status: 0 all held, 1 something did not, 77 PyPI cannot be reached.
Standard library only.
"""

import argparse
import ctypes
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from nvidia_wheels import UNREACHABLE, Unreachable, unpack

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "build" / "abi"
SOURCES = ROOT / "tests" / "abi"

# Exact versions, so that a new release fails nobody's build; raise them to compare with newer ones.
WHEELS = {
    "cu12": [
        "nvidia-cuda-runtime-cu12==12.9.79",  # cuda.h, and what the others include
        "nvidia-nvjpeg-cu12==12.4.0.76",
        "nvidia-nvjpeg2k-cu12==0.11.0.51",
        "nvidia-cufile-cu12==1.14.1.1",
        "nvidia-cuda-crt==13.5.37",  # crt/host_defines.h, which CUDA 12 has in a wheel of 40 MB; compared with nothing
    ],
    "cu13": [
        "nvidia-cuda-runtime==13.5.37",
        "nvidia-cuda-crt==13.5.37",
        "nvidia-nvjpeg==13.3.2.43",
        "nvidia-nvjpeg2k-cu13==0.11.0.51",
        "nvidia-cufile==1.20.0.107",
    ],
}
VERSIONS = {
    "cu12": {"nvjpeg": "12.4.0", "nvjpeg2k": "0.11.0", "cufile": "1.14"},
    "cu13": {"nvjpeg": "13.3.2", "nvjpeg2k": "0.11.0", "cufile": "1.20"},
}
CHECKS = ["driver_check.cc", "nvjpeg_check.cc", "cufile_check.cc"]
MISTAKES = 7  # WRONG=1 … in wrong_check.cc; 0 is right
LISTED = re.compile(r"X\((?:required|optional),\s*(\w+),")


def fetch(cuda):
    """The folder with the headers and libraries of WHEELS[cuda]; downloads what is not there."""

    def wanted(wheel, member):
        # CUDA 12's own runtime headers must not be replaced by those beside crt in CUDA 13's wheel.
        only = "/crt/" if cuda == "cu12" and "cuda_crt" in wheel else ""
        return only in member and re.search(r"/include/|\.so(\.\d+)*$", member)

    unpack(WHEELS[cuda], CACHE / cuda, wanted)
    return CACHE / cuda


def compile_check(compiler, folder, source, *options):
    """None if `source` compiles against the headers under `folder`, else what the compiler said."""
    includes = sorted({str(p) for p in folder.rglob("include") if p.is_dir()})
    command = [compiler, "-std=c++20", "-fsyntax-only", "-Wall", f"-I{ROOT}", f"-I{ROOT / 'src'}", *options]
    command += [word for path in includes for word in ("-isystem", path)]
    done = subprocess.run([*command, str(SOURCES / source)], capture_output=True, text=True)
    return None if done.returncode == 0 else done.stderr


def listed(name):
    """Functions in the list of src/microtome/device/cuda/<name>_api.h."""
    names = LISTED.findall((ROOT / "src/microtome/device/cuda" / f"{name}_api.h").read_text())
    if not names:
        raise RuntimeError(f"{name}_api.h lists no function")
    return names


def the_library(folder, name):
    (path,) = folder.rglob(f"lib{name}.so.*")
    return path


def missing_functions(folder, name):
    library = ctypes.CDLL(str(the_library(folder, name)))
    lacking = [function for function in listed(name) if not hasattr(library, function)]
    return f"lacks {', '.join(lacking)}" if lacking else None


def build_opener(compiler):
    """open_libraries.cc with the sources it needs: the loader as it is."""
    program = CACHE / "open_libraries"
    core = ["base/error.cc", "device/library.cc", "device/cuda/libraries.cc"]
    sources = [str(SOURCES / "open_libraries.cc"), *(str(ROOT / "src/microtome" / name) for name in core)]
    subprocess.run(
        [compiler, "-std=c++20", f"-I{ROOT / 'src'}", *sources, "-o", str(program), "-lfmt", "-ldl"],
        check=True,
    )
    return program


def opened_wrongly(program, cuda, folder):
    """What is not as expected of our loader's report on the libraries under `folder`."""
    paths = {f"MICROTOME_LIB_{name.upper()}": str(the_library(folder, name)) for name in VERSIONS[cuda]}
    done = subprocess.run([program], env=os.environ | paths, capture_output=True, text=True, check=True)
    found = {
        name: (version, problem)
        for name, version, problem in (x.split("\t") for x in done.stdout.splitlines())
    }
    expected = {name: (version, "") for name, version in VERSIONS[cuda].items()}
    return None if found == expected else f"found {found}, expected {expected}"


def verdicts(compiler):
    """(name, what is wrong or None) for each check."""
    program = build_opener(compiler)
    for cuda in WHEELS:
        folder = fetch(cuda)
        for source in CHECKS:
            yield f"{cuda} {source}", compile_check(compiler, folder, source)
        for name in VERSIONS[cuda]:
            yield f"{cuda} functions of lib{name}", missing_functions(folder, name)
        yield f"{cuda} libraries opened by our loader", opened_wrongly(program, cuda, folder)
        for wrong in range(MISTAKES + 1):
            said = compile_check(compiler, folder, "wrong_check.cc", f"-DWRONG={wrong}")
            if wrong and said is None:
                said = "compiled"
            elif wrong and ("static assertion failed" in said or "static_assert failed" in said):
                said = None
            yield f"{cuda} wrong_check.cc {wrong}", said


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--report", type=Path, help="write [[name, problem or null], …] as JSON here")
    parser.add_argument("--compiler", default=os.environ.get("CXX", "c++"))
    options = parser.parse_args()
    CACHE.mkdir(parents=True, exist_ok=True)
    found = []
    try:
        for name, problem in verdicts(options.compiler):
            print("ok    " if problem is None else "FAILED", name, "" if problem is None else f"\n{problem}")
            found.append((name, problem))
    except Unreachable as error:
        print(f"PyPI cannot be reached: {error}")
        return UNREACHABLE
    if options.report:
        options.report.write_text(json.dumps(found))
    return 1 if any(problem for _, problem in found) else 0


if __name__ == "__main__":
    sys.exit(main())
