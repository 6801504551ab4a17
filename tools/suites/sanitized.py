"""Suites of the sanitizers: C++ tests, and Python tests of the extension, both built with one of them."""

import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from install_package import ROOT, make_environment

from suites.native import SYMBOLIZER, cpp, without_randomisation
from suites.running import BUILD, CORES, Outcome, junit

# What runs in `make test`; `make asan` and `make tsan` run every layer.
# "cross" are the tests of tests/cpp, which read every real file; "gpu_fake" those that run on the fake CUDA driver.
ASAN_LAYERS = ["device", "gpu_fake", "tiff", "slide", "codec", "read", "c_api", "cross"]
TSAN_LAYERS = ["exec", "gpu_fake", "read", "loader", "runtime", "c_api"]

# Of the Python tests: threads that share a slide always, all that is done on the fake GPU with every layer.
SHARED_SLIDES = ("tests/python/test_resources.py", "-k", "threads_share")
ON_THE_FAKE = tuple(
    f"tests/python/test_gpu_{name}.py" for name in ("direct", "exchange", "life", "output", "pixels")
)


@dataclass(frozen=True)
class Sanitizer:
    """`libraries`, of `compiler`, come before Python's own: Python is not built with the sanitizer."""

    preset: str
    compiler: str
    libraries: tuple
    options: dict  # environment variables
    python_options: dict


ADDRESS = Sanitizer(
    "asan",
    "clang-14",
    # The first looks for exceptions' functions in the second.
    (f"libclang_rt.asan-{platform.machine()}.so", "libstdc++.so"),
    SYMBOLIZER
    | {
        "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    },
    # What an interpreter holds when it ends is no leak.
    {"ASAN_OPTIONS": "detect_leaks=0:detect_stack_use_after_return=1:strict_string_checks=1"},
)
THREAD = Sanitizer(
    "tsan",
    "gcc",
    ("libtsan.so",),
    {"TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1"},
    # Only what our own code does is looked at; a child made by fork goes on.
    {"TSAN_OPTIONS": "exitcode=66:ignore_noninstrumented_modules=1:die_after_fork=0"},
)


def asan(run):
    outcome = cpp(run, ADDRESS.preset, ASAN_LAYERS, ADDRESS.options)
    if run.options.all_layers:
        outcome += python_under(run, ADDRESS, ON_THE_FAKE)
    return outcome


def tsan(run):
    bits = Path("/proc/sys/vm/mmap_rnd_bits")
    if not without_randomisation() and bits.exists() and int(bits.read_text()) > 28:
        return Outcome(
            skipped=1, notes=["skipped: the thread sanitizer cannot start here: setarch -R is not allowed"]
        )
    outcome = cpp(run, THREAD.preset, TSAN_LAYERS, THREAD.options)
    outcome += python_under(run, THREAD, SHARED_SLIDES)
    if run.options.all_layers:
        outcome += python_under(run, THREAD, ON_THE_FAKE)
    return outcome


def python_under(run, sanitizer, tests):
    """pytest's `tests`, on an extension and a fake GPU that are built with the sanitizer."""
    prefix, package = without_randomisation(), built_package(run, sanitizer)
    libraries = [
        subprocess.run(
            [sanitizer.compiler, f"-print-file-name={name}"], capture_output=True, text=True
        ).stdout.strip()
        for name in sanitizer.libraries
    ]
    environment = sanitizer.options | sanitizer.python_options
    environment |= {"LD_PRELOAD": ":".join(libraries), "PYTHONPATH": str(package.parent)}
    environment["MICROTOME_FAKE_CUDA"] = str(BUILD / sanitizer.preset / "tests" / "fake_cuda")
    report = BUILD / f"pytest-{sanitizer.preset}.xml"
    report.unlink(missing_ok=True)
    interpreter = run.options.venv / "bin" / "python"
    command = [*prefix, interpreter, "-m", "pytest", f"--junitxml={report}", *tests, "-p", "no:cacheprovider"]
    status = run.status(command, environment)
    if not report.exists():
        raise RuntimeError(f"pytest under {sanitizer.preset} ended with {status} and wrote no report")
    outcome = junit(report)
    if status != 0 and outcome.failed == 0:
        outcome.add(False, f"{sanitizer.preset} found something: pytest ended with {status}")
    if outcome.passed + outcome.failed == 0:
        outcome.add(False, f"no Python test ran under {sanitizer.preset}")
    return outcome


def built_package(run, sanitizer):
    """The folder of a package with the extension that is built with the sanitizer."""
    prefix, folder = without_randomisation(), BUILD / sanitizer.preset
    make_environment(run.options.venv, sys.executable, ["test"], run.log)
    interpreter = run.options.venv / "bin" / "python"
    run.must([*prefix, "cmake", folder, "-DMICROTOME_PYTHON=ON", f"-DPython_EXECUTABLE={interpreter}"])
    run.must([*prefix, "cmake", "--build", folder, "--parallel", CORES, "--target", "_core"])
    package = folder / "package" / "microtome"
    shutil.copytree(ROOT / "python" / "microtome", package, dirs_exist_ok=True)
    for extension in (folder / "python" / "bindings").glob("_core.*.so"):
        shutil.copy(extension, package)
    return package
