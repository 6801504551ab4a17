#!/usr/bin/env python3
"""Runs the project's test suites and adds up their counts; `make test` calls it without arguments.

    tools/run_tests.py [SUITE ...] [--list] [--fuzz-seconds N] [--all-layers] [--fix] [--update-counts] [--venv DIR]

Each suite is a function of tools/suites that returns an Outcome read from its own runner's report: XML files of
GoogleTest and pytest; a fuzz target that ends without a finding is one passed test. A suite that cannot run counts as
one failure. What a suite printed is in build/test-logs/<suite>.log and, when it failed, its end here. The last line
is always `N passed, N failed, N skipped`; the exit status is 1 if anything failed. Standard library only.
"""

import argparse
import contextlib
import os
import re
import sys
import time
import traceback
from pathlib import Path

from install_package import ROOT
from suites import checks, native, python, sanitized
from suites.running import LOGS, Outcome, Run

# name: (what it is, the function). In this order, cheap ones first.
SUITES = {
    "layers": ("every include keeps to the layer graph", checks.layers),
    "format": ("clang-format and ruff", checks.formatting),
    "abi": ("our declarations of NVIDIA's libraries against NVIDIA's headers", checks.abi),
    "kernels": ("the GPU kernel compiled anew, against the one that is checked in", checks.kernels),
    "cpp": ("C++ tests, release build", native.release),
    "forks": ("C++ tests that fork, release build, under valgrind", native.forks),
    "python": ("Python tests in the main environment", python.python),
    "install": ("the C and C++ examples, built on the installed library", python.installed),
    "docs": ("the documentation: its examples, its build, its links", python.docs),
    "pythons": ("tests/python on the other Python versions found", python.more_pythons),
    "asan": (
        f"C++ tests of {', '.join(sanitized.ASAN_LAYERS)}: address and undefined-behaviour sanitizers",
        sanitized.asan,
    ),
    "tsan": (
        f"C++ tests of {', '.join(sanitized.TSAN_LAYERS)}, Python threads: thread sanitizer",
        sanitized.tsan,
    ),
    "count": ("instructions of fixed jobs, under callgrind", native.counts),
    "fuzz": ("each fuzz target for a short while", native.fuzz),
}

# Run only when they are named.
BY_NAME = {
    "examples": ("examples/python, and Microtome beside other libraries in every order", python.examples),
}


def run_suite(name, options):
    path = LOGS / f"{name}.log"
    about, suite = (SUITES | BY_NAME)[name]
    print(f"== {name}: {about}", flush=True)
    begin, cpu_begin = time.monotonic(), cpu_time()
    with open(path, "w") as log:
        try:
            outcome = suite(Run(log, options))
        except Exception as error:
            traceback.print_exc(file=log)
            outcome = Outcome(failed=1, notes=[f"failed: the suite could not run: {error}"])
    seconds, cpu_seconds = time.monotonic() - begin, cpu_time() - cpu_begin
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
    return outcome, seconds, cpu_seconds


def cpu_time():
    """Seconds of all CPUs together, of this process and of the children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


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
        print(*(f"{name:10} {text}" for name, (text, _) in (SUITES | BY_NAME).items()), sep="\n")
        return 0
    if unknown := set(options.suites) - set(SUITES | BY_NAME):
        parser.error(f"no suite {', '.join(sorted(unknown))}; there are {', '.join(SUITES | BY_NAME)}")
    LOGS.mkdir(parents=True, exist_ok=True)
    results = {name: run_suite(name, options) for name in options.suites or SUITES}
    total = Outcome()
    print(f"\n{'suite':10} {'passed':>7} {'failed':>7} {'skipped':>7} {'seconds':>8} {'of CPU':>8}")
    for name, (outcome, seconds, cpu_seconds) in results.items():
        print(
            f"{name:10} {outcome.passed:7} {outcome.failed:7} {outcome.skipped:7} {seconds:8.0f} {cpu_seconds:8.0f}"
        )
        total += outcome
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return 1 if total.failed or total.passed == 0 else 0


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main())
