"""Suites of the C++ core: tests, fuzzing, counts of instructions."""

import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from install_package import ROOT, cmake_options, make_environment

from suites.gtest import run_programs
from suites.running import BUILD, CORES, LOGS, Outcome, Run

# Names functions and lines in reports of Clang's sanitizers, which do not know it by the name that Debian gives it.
SYMBOLIZER = {"ASAN_SYMBOLIZER_PATH": "/usr/lib/llvm-14/bin/llvm-symbolizer"}


# The sanitizers of GCC 12 and Clang 14 place their shadow memory at fixed addresses, which newer kernels' address
# randomisation hits now and then; `setarch -R` turns it off for the command and what it starts.
def without_randomisation():
    prefix = ["setarch", "-R"]
    allowed = (
        shutil.which("setarch") and subprocess.run([*prefix, "true"], capture_output=True).returncode == 0
    )
    return prefix if allowed else []


def made_by_another_compiler(folder, preset):
    """Whether a build folder is of a compiler that the preset does not name.

    CMake would begin it anew, without the preset's other settings: a sanitizer's build without the sanitizer.
    """
    presets = json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]
    wanted = {p["name"]: p.get("cacheVariables", {}).get("CMAKE_CXX_COMPILER") for p in presets}[preset]
    cache = folder / "CMakeCache.txt"
    if wanted is None or not cache.exists():
        return False
    used = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)$", cache.read_text(), re.M)
    return used is None or Path(used[1]).name != wanted


def build(run, preset, targets=(), prefix=()):
    folder = BUILD / preset
    if made_by_another_compiler(folder, preset):
        shutil.rmtree(folder)
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


def forks(run):
    """The C++ tests that fork, under valgrind.

    What a forked child does with memory the address sanitizer cannot watch: its allocator may stay locked in the
    child (base/fork_for_test.h). Tests have an `operator new` of their own here and there, which is no mismatch.
    """
    valgrind = ["valgrind", "--quiet", "--error-exitcode=9", "--show-mismatched-frees=no"]
    return run_programs(build(run, "release"), None, run.log, named="Fork", under=valgrind)


def fuzz(run):
    """Each fuzz target for --fuzz-seconds, from its checked-in corpus and what earlier runs found."""
    prefix = without_randomisation()
    folder = build(run, "asan", ["fuzzers"], prefix)
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
            status = Run(log, run.options).status(command, SYMBOLIZER)
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
    program = "microtome_count"
    folder = build(run, "release", [program])
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
