"""Suites that look at sources: layers, format, declarations of NVIDIA's libraries, and the GPU kernel's image."""

import json
import sys

from install_package import ROOT, make_environment
from nvidia_wheels import UNREACHABLE

from suites.running import BUILD, Outcome


def layers(run):
    outcome = Outcome()
    outcome.add(run.status([sys.executable, "tools/check_layers.py"]) == 0, "tools/check_layers.py")
    return outcome


def formatting(run):
    """clang-format and ruff over our own sources; --fix rewrites them instead of complaining."""
    folders = [
        ROOT / name for name in ("src", "include", "examples", "python", "fuzz", "bench", "tests", "tools")
    ]
    ends = ("*.h", "*.hpp", "*.c", "*.cc", "*.cpp")
    files = sorted(file for top in folders for end in ends for file in top.rglob(end))
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


def against_nvidia(run, folder, tool, *options):
    """A tool of ours that needs what NVIDIA has on PyPI, kept in `folder`; each of its comparisons is one test."""
    # The system's Python may have no pip.
    make_environment(run.options.venv, sys.executable, ["test"], run.log)
    report = BUILD / folder / "report.json"
    report.unlink(missing_ok=True)
    interpreter = run.options.venv / "bin" / "python"
    status = run.status([interpreter, tool, "--report", report, *options])
    if status == UNREACHABLE:
        reason = f"skipped: PyPI cannot be reached, and what {tool} needs has not been fetched from it before"
        return Outcome(skipped=1, notes=[reason])
    if not report.exists():
        raise RuntimeError(f"{tool} ended with {status} and wrote no report")
    outcome = Outcome()
    for name, problem in json.loads(report.read_text()):
        outcome.add(problem is None, name)
    return outcome


def abi(run):
    """Our declarations of NVIDIA's libraries against NVIDIA's headers."""
    return against_nvidia(run, "abi", "tools/abi_check.py")


def kernels(run):
    """The GPU kernel, compiled anew by NVIDIA's compiler, against the image that is checked in."""
    return against_nvidia(run, "nvcc", "tools/make_kernels.py", "--check")
