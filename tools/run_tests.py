#!/usr/bin/env python3
"""Runs the project's test suites and adds up their counts; `make test` calls it without arguments.

    tools/run_tests.py [SUITE ...] [--list] [--fuzz-seconds N] [--all-layers] [--fix] [--update-counts] [--venv DIR]

Each suite is a function in SUITES that returns an Outcome read from its own runner's report: CTest's and pytest's
JUnit files; a fuzz target that ends without a finding is one passed test. A suite that cannot run counts as one
failure. What a suite printed is in build/test-logs/<suite>.log and, when it failed, its end here. The last line is
always `N passed, N failed, N skipped`; the exit status is 1 if anything failed. Standard library only.
"""

import argparse
import concurrent.futures
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import traceback
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

import abi_check
from install_package import ROOT, NoEnvironment, cmake_options, install, make_environment

BUILD = ROOT / "build"
LOGS = BUILD / "test-logs"
CORES = len(os.sched_getaffinity(0))
# What runs under the sanitizers in `make test`; `make asan` and `make tsan` run every layer.
# "cross" are the tests of tests/cpp, which read every real file; "gpu_fake" those that run on the fake CUDA driver.
ASAN_LAYERS = ["device", "gpu_fake", "tiff", "slide", "codec", "read", "cross"]
TSAN_LAYERS = ["exec", "gpu_fake", "read", "loader"]
COMMAND_TIMEOUT_S = 1200


@dataclass
class Outcome:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    notes: list = field(default_factory=list)  # a line for each failure and each skip

    def add(self, ok, name):
        self.passed += ok
        self.failed += not ok
        if not ok:
            self.notes.append(f"failed: {name}")

    def __iadd__(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.notes += other.notes
        return self


@dataclass
class Run:
    """What a suite gets: where its output goes, and the options of the command line."""

    log: object
    options: argparse.Namespace

    def status(self, command, env=None):
        """The exit status of `command`, its output in the log. A command that hangs is ended and is a failure."""
        command = [str(word) for word in command]
        print("$", " ".join(command), file=self.log, flush=True)
        try:
            return subprocess.run(
                command,
                cwd=ROOT,
                env=os.environ | (env or {}),
                stdin=subprocess.DEVNULL,
                stdout=self.log,
                stderr=subprocess.STDOUT,
                timeout=COMMAND_TIMEOUT_S,
            ).returncode
        except subprocess.TimeoutExpired:
            print(f"ended after {COMMAND_TIMEOUT_S} s", file=self.log, flush=True)
            return 124

    def must(self, command, env=None):
        if (status := self.status(command, env)) != 0:
            raise RuntimeError(f"{' '.join(str(word) for word in command[:4])} … ended with {status}")


def junit(path):
    """Counts of a JUnit file, by test case, as both CTest and pytest write it."""
    outcome = Outcome()
    for case in ElementTree.parse(path).iter("testcase"):
        name = ".".join(dict.fromkeys(filter(None, (case.get("classname"), case.get("name")))))
        if case.find("failure") is not None or case.find("error") is not None:
            outcome.add(False, name)
        elif (skip := case.find("skipped")) is not None or case.get("status") in ("disabled", "notrun"):
            outcome.skipped += 1
            said = re.search(r"Skipped\n(.+)", case.findtext("system-out") or "")  # GoogleTest's reason
            reason = said[1] if said else skip.get("message") if skip is not None else case.get("status")
            outcome.notes.append(f"skipped: {name}: {reason}")
        else:
            outcome.add(True, name)
    return outcome


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
    """The C++ tests of `layers` (all if None), built with `preset`, through CTest."""
    prefix = without_randomisation() if layers is not None or run.options.all_layers else []
    layers = None if run.options.all_layers else layers
    folder = build(run, preset, [f"{layer}_tests" for layer in layers or ()], prefix)
    report = folder / "junit.xml"
    report.unlink(missing_ok=True)
    select = ["--tests-regex", rf"^({'|'.join(layers)})\."] if layers else []
    command = ["ctest", "--test-dir", folder, "--parallel", CORES, "--no-tests=error", "--output-on-failure"]
    status = run.status([*prefix, *command, *select, "--output-junit", report], env)
    if not report.exists():
        raise RuntimeError(f"ctest ended with {status} and wrote no report")
    outcome = junit(report)
    if status != 0 and outcome.failed == 0:
        outcome.add(False, f"ctest ended with {status}")
    return outcome


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


def layers(run):
    outcome = Outcome()
    outcome.add(run.status([sys.executable, "tools/check_layers.py"]) == 0, "tools/check_layers.py")
    return outcome


def formatting(run):
    """clang-format and ruff over our own sources; --fix rewrites them instead of complaining."""
    folders = [ROOT / name for name in ("src", "python", "fuzz", "bench", "tests")]
    files = sorted(file for top in folders for end in ("*.h", "*.cc") for file in top.rglob(end))
    fix = run.options.fix
    make_environment(run.options.venv, sys.executable, ["test"], run.log)
    ruff = run.options.venv / "bin" / "ruff"
    outcome = Outcome()
    for name, command in {
        "clang-format": ["clang-format-14", *(["-i"] if fix else ["--dry-run", "-Werror"]), *files],
        "ruff check": [ruff, "check", *(["--fix"] if fix else []), "."],
        "ruff format": [ruff, "format", *([] if fix else ["--check"]), "."],
    }.items():
        outcome.add(run.status(command) == 0, name)
    return outcome


def abi(run):
    """Our declarations of NVIDIA's libraries against NVIDIA's headers; each comparison is one test."""
    # The system's Python may have no pip.
    make_environment(run.options.venv, sys.executable, ["test"], run.log)
    report = BUILD / "abi" / "report.json"
    report.unlink(missing_ok=True)
    interpreter = run.options.venv / "bin" / "python"
    status = run.status([interpreter, "tools/abi_check.py", "--report", report])
    if status == abi_check.UNREACHABLE:
        reason = "skipped: PyPI cannot be reached, and NVIDIA's headers have not been fetched from it before"
        return Outcome(skipped=1, notes=[reason])
    if not report.exists():
        raise RuntimeError(f"tools/abi_check.py ended with {status} and wrote no report")
    outcome = Outcome()
    for name, problem in json.loads(report.read_text()):
        outcome.add(problem is None, name)
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


def fake_cuda(run):
    """The environment that shows Python tests the fake CUDA driver, which is built."""
    folder = build(run, "release", ["fake_cuda", "fake_cuda_lacking"])
    return {"MICROTOME_FAKE_CUDA": str(folder / "tests" / "fake_cuda")}


def pytest_in(run, venv, label, *paths, env=None):
    install(venv, run.log)
    report = BUILD / f"pytest-{label}.xml"
    report.unlink(missing_ok=True)
    status = run.status([venv / "bin" / "python", "-m", "pytest", f"--junitxml={report}", *paths], env)
    if not report.exists():
        raise RuntimeError(f"pytest ended with {status} and wrote no report")
    outcome = junit(report)
    if status != 0 and outcome.failed == 0:
        outcome.add(False, f"pytest ended with {status}")
    return outcome


def python(run):
    make_environment(run.options.venv, sys.executable, ["test", "demo"], run.log)
    return pytest_in(run, run.options.venv, "main", "--ignore=tests/docs", env=fake_cuda(run))


def docs(run):
    """The examples of README and documentation, the site's build without warnings, and its links."""
    make_environment(run.options.venv, sys.executable, ["test", "demo", "docs"], run.log)
    return pytest_in(run, run.options.venv, "docs", "tests/docs")


def other_pythons():
    """{'3.12': path, …}: interpreters of other supported versions, from PATH and from pyenv."""
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    found = {}
    for version in ("3.11", "3.12", "3.13"):
        named = [shutil.which(f"python{version}")]
        pyenv = sorted(
            (Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python{version}"), reverse=True
        )
        for candidate in filter(None, [*named, *pyenv]):
            probe = [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
            done = subprocess.run(probe, capture_output=True, text=True)
            if done.returncode == 0 and done.stdout.strip() == version != own:
                found.setdefault(version, Path(candidate))
    return found


def more_pythons(run):
    """The versions beside one another: each is mostly one thread's work."""

    def one(found):
        version, interpreter = found
        venv = BUILD / "venvs" / version
        with open(LOGS / f"python-{version}.log", "w") as log:
            try:
                make_environment(venv, interpreter, ["test", "demo"], log)
                outcome = pytest_in(Run(log, run.options), venv, version, "tests/python", env=environment)
            except NoEnvironment as error:
                outcome = Outcome(skipped=1, notes=[f"skipped: no environment: {error}"])
            except Exception as error:
                outcome = Outcome(failed=1, notes=[f"failed: could not run: {error}"])
        if outcome.failed:
            tail = (LOGS / f"python-{version}.log").read_text(errors="replace").splitlines()[-30:]
            print(f"Python {version}:", *tail, sep="\n", file=run.log, flush=True)
        outcome.notes = [f"Python {version}: {note}" for note in outcome.notes]
        return outcome

    outcome = Outcome()
    environment = fake_cuda(run)
    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        for part in pool.map(one, other_pythons().items()):
            outcome += part
    return outcome


# name: (what it is, the function). In this order, cheap ones first.
SUITES = {
    "layers": ("every include keeps to the layer graph", layers),
    "format": ("clang-format and ruff", formatting),
    "abi": ("our declarations of NVIDIA's libraries against NVIDIA's headers", abi),
    "cpp": ("C++ tests, release build", release),
    "python": ("Python tests in the main environment", python),
    "docs": ("the documentation: its examples, its build, its links", docs),
    "pythons": ("tests/python on the other Python versions found", more_pythons),
    "asan": (f"C++ tests of {', '.join(ASAN_LAYERS)}: address and undefined-behaviour sanitizers", asan),
    "tsan": (f"C++ tests of {', '.join(TSAN_LAYERS)}, Python threads: thread sanitizer", tsan),
    "count": ("instructions of fixed jobs, under callgrind", counts),
    "fuzz": ("each fuzz target for a short while", fuzz),
}


def run_suite(name, options):
    path = LOGS / f"{name}.log"
    print(f"== {name}: {SUITES[name][0]}", flush=True)
    begin = time.monotonic()
    with open(path, "w") as log:
        try:
            outcome = SUITES[name][1](Run(log, options))
        except Exception as error:
            traceback.print_exc(file=log)
            outcome = Outcome(failed=1, notes=[f"failed: the suite could not run: {error}"])
    seconds = time.monotonic() - begin
    for note in outcome.notes:
        print("   ", note)
    if outcome.failed:
        lines = [
            line
            for line in path.read_text(errors="replace").splitlines()
            if not re.match(r"^\[\d+/\d+\]", line)
        ]
        print(f"    the end of {path.relative_to(ROOT)}:", *lines[-60:], sep="\n    | ")
    print(
        f"   {outcome.passed} passed, {outcome.failed} failed, {outcome.skipped} skipped in {seconds:.0f} s",
        flush=True,
    )
    return outcome, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "suites", nargs="*", metavar="SUITE", help=f"of {', '.join(SUITES)}; all of them unless told"
    )
    parser.add_argument("--list", action="store_true", help="print the suites and stop")
    parser.add_argument("--fuzz-seconds", type=int, default=5, help="time for each fuzz target")
    parser.add_argument("--all-layers", action="store_true", help="sanitizer suites: every layer")
    parser.add_argument("--fix", action="store_true", help="format suite: rewrite the files")
    parser.add_argument("--update-counts", action="store_true", help="count suite: write the values anew")
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv", help="the main environment")
    options = parser.parse_args()
    options.venv = Path(os.path.abspath(options.venv))
    if options.list:
        print(*(f"{name:10} {text}" for name, (text, _) in SUITES.items()), sep="\n")
        return 0
    if unknown := set(options.suites) - set(SUITES):
        parser.error(f"no suite {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
    LOGS.mkdir(parents=True, exist_ok=True)
    results = {name: run_suite(name, options) for name in options.suites or SUITES}
    total = Outcome()
    print(f"\n{'suite':10} {'passed':>7} {'failed':>7} {'skipped':>7} {'seconds':>8}")
    for name, (outcome, seconds) in results.items():
        print(f"{name:10} {outcome.passed:7} {outcome.failed:7} {outcome.skipped:7} {seconds:8.0f}")
        total += outcome
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return 1 if total.failed or total.passed == 0 else 0


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main())
