#!/usr/bin/env python3
"""Makes a virtual environment with this checkout's package in it, or brings one up to date; quick when it is.

    tools/install_package.py .venv [--python PYTHON] [--extras test demo]

What is installed comes from pyproject.toml: the build requirements, the package's dependencies, and the extras named.
The extension is built in build/py-<version>, which stays, so that a rebuild compiles only what changed. Two stamp
files in the environment say what it was made from. Standard library only: this runs before anything is installed.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OPENJPEG = ROOT / "build" / "third_party" / "openjpeg"
SOURCES = ["src", "python", "cmake", "CMakeLists.txt", "pyproject.toml"]

# One compiler name and paths relative to the build folder let the compiler cache serve every build of this checkout:
# the core is compiled once for the C++ tests and all Pythons (whose builds would name their own compilers).
os.environ.setdefault("CCACHE_BASEDIR", str(ROOT))
for variable, compiler in {"CC": "cc", "CXX": "c++"}.items():
    if path := shutil.which(compiler):
        os.environ.setdefault(variable, path)


class NoEnvironment(RuntimeError):
    """The environment or its dependencies cannot be made (as opposed to: our package does not build)."""


def call(*command, log=None):
    """Runs a command; output goes to `log` (a binary file) or to the terminal. Raises CalledProcessError."""
    subprocess.run(
        [str(c) for c in command], check=True, cwd=ROOT, stdout=log, stderr=log and subprocess.STDOUT
    )


def cmake_options():
    """CMake options that every build of this checkout gets: a compiler cache and our own OpenJPEG where they are."""
    options = {}
    if shutil.which("ccache"):
        options["CMAKE_CXX_COMPILER_LAUNCHER"] = options["CMAKE_C_COMPILER_LAUNCHER"] = "ccache"
    if (OPENJPEG / "CMakeLists.txt").exists():
        options["MICROTOME_OPENJPEG_SOURCE"] = str(OPENJPEG)
    return options


def make_environment(venv, python, extras, log=None, *, options=(), more=()):
    """Creates `venv` if it is missing or broken, installs the requirements it lacks and fetches OpenJPEG's sources.

    `options` are for the module venv, `more` are requirements besides those of pyproject.toml.
    """
    interpreter = venv / "bin" / "python"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = {*project["build-system"]["requires"], *project["project"]["dependencies"], *more}
    for extra in extras:
        wanted |= set(project["project"]["optional-dependencies"][extra])
    stamp = venv / ".microtome-requirements"
    try:
        works = interpreter.exists() and subprocess.run(
            [interpreter, "-m", "pip", "--version"], capture_output=True
        )
        if not works or works.returncode != 0:
            call(python, "-m", "venv", "--clear", *options, venv, log=log)
        installed = set(json.loads(stamp.read_text())) if stamp.exists() else set()
        if not wanted <= installed:
            call(interpreter, "-m", "pip", "install", "--quiet", *sorted(wanted), log=log)
            stamp.write_text(json.dumps(sorted(wanted | installed)))
        fetch_openjpeg(venv, log)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoEnvironment(str(error)) from error


def fetch_openjpeg(venv, log=None):
    """OpenJPEG's sources, which we build faster than distributions do; without them the system's library serves."""
    command = [ROOT / "tools" / "fetch_openjpeg.sh"]
    done = subprocess.run(
        command,
        env=os.environ | {"PYTHON": str(venv / "bin" / "python")},
        stdout=log or subprocess.DEVNULL,
        stderr=log and subprocess.STDOUT,
    )
    if done.returncode != 0:
        print(
            "OpenJPEG's sources cannot be fetched; the system's library is used, which is slower",
            file=sys.stderr,
        )


def fingerprint(options):
    """Changes when a source file, a build setting or this script does."""
    digest = hashlib.sha256(json.dumps(options, sort_keys=True).encode() + Path(__file__).read_bytes())
    for name in SOURCES:
        path = ROOT / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts:
                status = file.stat()
                digest.update(f"{file.relative_to(ROOT)} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def version_of(interpreter):
    """Of a Python, as "3.12"."""
    return subprocess.run(
        [interpreter, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def build_settings(tag):
    """pip's options for a build with the environment's own tools, in a folder that stays."""
    settings = [f"build-dir={ROOT / 'build' / ('py-' + tag)}"]
    settings.append(
        "cmake.define.MICROTOME_WERROR=ON"
    )  # as in the presets: the compiler cache then knows the objects
    settings += [f"cmake.define.{name}={value}" for name, value in cmake_options().items()]
    return [
        "--no-build-isolation",
        "--no-deps",
        *(word for s in settings for word in ("--config-settings", s)),
    ]


def install(venv, log=None):
    """Builds and installs the package into `venv` unless what is there was made from the same sources."""
    stamp, now = venv / ".microtome-package", fingerprint(cmake_options())
    if stamp.exists() and stamp.read_text() == now:
        return
    stamp.unlink(missing_ok=True)
    interpreter = venv / "bin" / "python"
    settings = build_settings(version_of(interpreter))
    call(interpreter, "-m", "pip", "install", "--quiet", *settings, ".", log=log)
    stamp.write_text(now)


def stable_wheel(venv, log=None):
    """The path of a wheel for the stable ABI, which each Python from 3.12 on can use: built once for all of them.

    `venv`: of any such Python.
    """
    folder, now = ROOT / "build" / "stable-wheel", fingerprint(cmake_options())
    stamp = folder / "made-from"
    if not stamp.exists() or stamp.read_text() != now:
        shutil.rmtree(folder, ignore_errors=True)
        settings = [*build_settings("stable"), "--config-settings", "wheel.py-api=cp312"]
        # The main environment's bindings are compiled a file at a time, which sees that each includes what it uses.
        settings += ["--config-settings", "cmake.define.MICROTOME_UNITY=tests"]
        call(venv / "bin" / "python", "-m", "pip", "wheel", "--quiet", *settings, "-w", folder, ".", log=log)
        stamp.write_text(now)
    (wheel,) = folder.glob("*.whl")
    return wheel


def install_wheel(venv, wheel, log=None):
    """Installs a wheel of stable_wheel() into `venv` unless it is there."""
    stamp, now = venv / ".microtome-package", (wheel.parent / "made-from").read_text()
    if stamp.exists() and stamp.read_text() == now:
        return
    stamp.unlink(missing_ok=True)
    options = ["--quiet", "--no-deps", "--force-reinstall"]
    call(venv / "bin" / "python", "-m", "pip", "install", *options, wheel, log=log)
    stamp.write_text(now)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("venv", type=Path)
    parser.add_argument(
        "--python", default=sys.executable, help="the interpreter that a new environment gets"
    )
    parser.add_argument("--extras", nargs="*", default=[])
    parser.add_argument("--requirements-only", action="store_true", help="do not build the package itself")
    options = parser.parse_args()
    venv = Path(os.path.abspath(options.venv))
    try:
        make_environment(venv, options.python, options.extras)
        if not options.requirements_only:
            install(venv)
    except NoEnvironment as error:
        sys.exit(f"The environment {venv} cannot be made: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(
            f"The package does not build: {' '.join(map(str, error.cmd[:5]))} … ended with {error.returncode}"
        )


if __name__ == "__main__":
    main()
