"""Suites of the C++ core: tests with and without sanitizers, fuzzing, counts of instructions."""

import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from install_package import ROOT, cmake_options, make_environment

from suites.gtest import run_programs
from suites.running import BUILD, CORES, LOGS, Outcome, Run, junit

# What runs under the sanitizers in `make test`; `make asan` and `make tsan` run every layer.
# "cross" are the tests of tests/cpp, which read every real file; "gpu_fake" those that run on the fake CUDA driver.
ASAN_LAYERS = ["device", "gpu_fake", "tiff", "slide", "codec", "read", "c_api", "cross"]
TSAN_LAYERS = ["exec", "gpu_fake", "read", "loader", "runtime", "c_api"]


# The sanitizers of GCC 12 and Clang 14 place their shadow memory at fixed addresses, which newer kernels' address
# randomisation hits now and then; `setarch -R` turns it off for the command and what it starts.
def without_randomisation():
    prefix = ["setarch", "-R"]
    allowed = (
        shutil.which("setarch") and subprocess.run([*prefix, "true"], capture_output=True).returncode == 0
    )
    return prefix if allowed else []


def build(run, preset, targets=(), prefix=()):
    folder = BUILD / preset
    defines = [f"-D{name}={value}" for name, value in cmake_options().items()]
    run.must([*prefix, "cmake", "--preset", preset, "-B", folder, *defines])
    run.must(
        [
            *prefix,
            "cmake",
            "--build",
            folder,
            "--parallel",
            CORES,
            *(["--target", *targets] if targets else []),
        ]
    )
    return folder


def cpp(run, preset, layers=None, env=None):
    """The C++ tests of `layers` (all if None), built with `preset`."""
    prefix = without_randomisation() if layers is not None or run.options.all_layers else []
    layers = None if run.options.all_layers else layers
    folder = build(run, preset, [f"{layer}_tests" for layer in layers or ()], prefix)
    return run_programs(folder, layers, run.log, prefix, env)


def release(run):
    return cpp(run, "release")


def asan(run):
    options = {"ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1"}
    return cpp(run, "asan", ASAN_LAYERS, options | {"UBSAN_OPTIONS": "print_stacktrace=1"})


def tsan(run):
    bits = Path("/proc/sys/vm/mmap_rnd_bits")
    if not without_randomisation() and bits.exists() and int(bits.read_text()) > 28:
        return Outcome(
            skipped=1, notes=["skipped: the thread sanitizer cannot start here: setarch -R is not allowed"]
        )
    outcome = cpp(run, "tsan", TSAN_LAYERS, {"TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1"})
    outcome += python_under_tsan(run)
    return outcome


def python_under_tsan(run):
    """Python threads that share a slide, on an extension built with the thread sanitizer."""
    prefix, folder = without_randomisation(), BUILD / "tsan"
    make_environment(run.options.venv, sys.executable, ["test"], run.log)
    interpreter = run.options.venv / "bin" / "python"
    run.must([*prefix, "cmake", folder, "-DMICROTOME_PYTHON=ON", f"-DPython_EXECUTABLE={interpreter}"])
    run.must([*prefix, "cmake", "--build", folder, "--parallel", CORES, "--target", "_core"])
    package = folder / "package" / "microtome"
    shutil.copytree(ROOT / "python" / "microtome", package, dirs_exist_ok=True)
    for extension in (folder / "python" / "bindings").glob("_core.*.so"):
        shutil.copy(extension, package)
    library = subprocess.run(
        ["gcc", "-print-file-name=libtsan.so"], capture_output=True, text=True
    ).stdout.strip()
    # Python itself is not instrumented: only what our own code does is looked at.
    options = {"TSAN_OPTIONS": "exitcode=66:ignore_noninstrumented_modules=1", "LD_PRELOAD": library}
    report = BUILD / "pytest-tsan.xml"
    report.unlink(missing_ok=True)
    tests = ["tests/python/test_resources.py", "-k", "threads_share", "-p", "no:cacheprovider"]
    command = [*prefix, interpreter, "-m", "pytest", f"--junitxml={report}", *tests]
    status = run.status(command, options | {"PYTHONPATH": str(package.parent)})
    if not report.exists():
        raise RuntimeError(f"pytest under the thread sanitizer ended with {status} and wrote no report")
    outcome = junit(report)
    if status != 0 and outcome.failed == 0:
        outcome.add(False, f"the thread sanitizer found something: pytest ended with {status}")
    if outcome.passed + outcome.failed == 0:
        outcome.add(False, "no Python test ran under the thread sanitizer")
    return outcome


def fuzz(run):
    """Each fuzz target for --fuzz-seconds, from its checked-in corpus and what earlier runs found."""
    prefix = without_randomisation()
    folder = build(run, "fuzz", prefix=prefix)
    targets = sorted(file for file in folder.rglob("fuzz_*") if file.is_file() and os.access(file, os.X_OK))
    if not targets:
        raise RuntimeError("no fuzz target was built")

    def one(target):
        name = target.name.removeprefix("fuzz_")
        grown, findings = BUILD / "fuzz-corpus" / name, BUILD / "fuzz-findings" / name
        for place in (grown, findings):
            place.mkdir(parents=True, exist_ok=True)
        corpus = ROOT / "fuzz" / "corpus" / name
        limits = [f"-max_total_time={run.options.fuzz_seconds}", "-timeout=20", "-rss_limit_mb=4096"]
        with open(LOGS / f"fuzz-{name}.log", "w") as log:
            command = [
                *prefix,
                target,
                *limits,
                f"-artifact_prefix={findings}/",
                grown,
                *[c for c in [corpus] if c.is_dir()],
            ]
            status = Run(log, run.options).status(command)
        tail = (LOGS / f"fuzz-{name}.log").read_text(errors="replace").splitlines()[-25:]
        print(
            f"fuzz_{name}: exit {status}",
            *(tail if status else tail[-1:]),
            sep="\n",
            file=run.log,
            flush=True,
        )
        return status == 0, target.name

    outcome = Outcome()
    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        for ok, name in pool.map(one, targets):
            outcome.add(ok, name)
    return outcome


def counts(run):
    """Instructions of fixed jobs against bench/count/expected.json; each job is one test."""
    make_environment(run.options.venv, sys.executable, ["test", "demo"], run.log)
    folder, program = BUILD / "bench", "microtome_count"
    options = cmake_options() | {"MICROTOME_BENCH": "ON"}
    defines = [f"-D{name}={value}" for name, value in options.items()]
    run.must(["cmake", "--preset", "release", "-B", folder, *defines])
    run.must(["cmake", "--build", folder, "--parallel", CORES, "--target", program])
    report = BUILD / "count" / "report.json"
    report.unlink(missing_ok=True)
    command = [
        run.options.venv / "bin" / "python",
        "bench/count/count.py",
        folder / "bench" / "count" / program,
    ]
    update = ["--update"] if run.options.update_counts else []
    status = run.status([*command, "--report", report, *update])
    if not report.exists():
        raise RuntimeError(f"bench/count/count.py ended with {status} and wrote no report")
    outcome = counted(json.loads(report.read_text()))
    if status != 0 and outcome.failed == 0:
        outcome.add(False, f"bench/count/count.py ended with {status}")
    return outcome


def counted(report):
    """The Outcome of count.py's report: a passed or failed test for each verdict, a skip where there is none."""
    outcome = Outcome(notes=list(report["notes"]))
    for job, wrong in report["verdicts"]:
        outcome.add(wrong is None, wrong or job)
    if not report["verdicts"]:
        outcome.skipped += 1
    return outcome
