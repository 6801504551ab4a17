"""Suites that pytest runs: the package on each Python version, and the documentation."""

import concurrent.futures
import shutil
import subprocess
import sys
from pathlib import Path

from install_package import NoEnvironment, install, install_wheel, make_environment, stable_wheel

from suites.native import build
from suites.running import BUILD, CORES, LOGS, Outcome, Run, junit


def fake_cuda(run):
    """The environment that shows Python tests the fake CUDA driver, which is built."""
    folder = build(
        run, "release", ["fake_cuda", "fake_cuda_lacking", "fake_nvjpeg", "fake_nvjpeg2k", "fake_cufile"]
    )
    return {"MICROTOME_FAKE_CUDA": str(folder / "tests" / "fake_cuda")}


# What does not depend on the version of Python: decoders, the disk, memory, a GPU.
SAME_IN_EVERY_PYTHON = (
    "cli/test_cli_bench_cache.py",
    "cli/test_cli_resume.py",
    "test_codecs.py",
    "test_consistency.py",
    "test_gpu_direct.py",
    "test_gpu_exchange.py",
    "test_gpu_life.py",
    "test_gpu_output.py",
    "test_gpu_pixels.py",
    "test_layouts.py",
    "test_memory.py",
    "test_vendors.py",
    "test_ycbcr.py",
)


def pytest_in(run, venv, label, *paths, env=None, processes=CORES):
    """In several processes, a file in one: its tests may share what takes long, and add up what they found."""
    report = BUILD / f"pytest-{label}.xml"
    report.unlink(missing_ok=True)
    spread = ["-n", processes, "--dist", "loadfile"] if processes > 1 else []
    status = run.status(
        [venv / "bin" / "python", "-m", "pytest", f"--junitxml={report}", *spread, *paths], env
    )
    if not report.exists():
        raise RuntimeError(f"pytest ended with {status} and wrote no report")
    outcome = junit(report)
    if status != 0 and outcome.failed == 0:
        outcome.add(False, f"pytest ended with {status}")
    return outcome


def main_environment(run, extras):
    """The main environment, with the package in it."""
    make_environment(run.options.venv, sys.executable, extras, run.log)
    install(run.options.venv, run.log)


def python(run):
    main_environment(run, ["test", "demo"])
    elsewhere = ["--ignore=tests/docs", "--ignore=tests/install"]
    return pytest_in(run, run.options.venv, "main", *elsewhere, env=fake_cuda(run))


def installed(run):
    """The examples in C and C++, built on an installed tree, and what is in that."""
    main_environment(run, ["test", "demo"])
    env = {"MICROTOME_BUILD": str(build(run, "release", ["microtome"]))}
    return pytest_in(run, run.options.venv, "install", "tests/install", env=env, processes=1)


def examples(run):
    """tests/examples beside the libraries of the field: PyTorch from Debian, the others from PyPI."""
    venv = BUILD / "venvs" / "examples"
    # Debian's PyTorch is compiled for NumPy 1.
    more = ["numpy<2", "pyvips", "pyvips-binary", "lazy-loader"]
    make_environment(
        venv, sys.executable, ["test", "demo"], run.log, options=["--system-site-packages"], more=more
    )
    # Its own dependencies bring gigabytes of CUDA, which reading on the CPU does without.
    run.must([venv / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-deps", "cucim-cu12"])
    install(venv, run.log)
    return pytest_in(run, venv, "examples", "tests/examples", processes=1)


def docs(run):
    """The examples of README and documentation, the site's build without warnings, and its links."""
    main_environment(run, ["test", "demo", "docs"])
    return pytest_in(run, run.options.venv, "docs", "tests/docs", processes=1)


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
    outcome, environments = Outcome(), {}
    for version, interpreter in other_pythons().items():
        venv = BUILD / "venvs" / version
        try:
            make_environment(venv, interpreter, ["test", "demo"], run.log)
            environments[version] = venv
        except NoEnvironment as error:
            outcome.skipped += 1
            outcome.notes.append(f"Python {version}: skipped: no environment: {error}")
    # One extension for all of them: what the wheel of the stable ABI holds.
    stable = {version: venv for version, venv in environments.items() if version != "3.11"}
    for version, venv in environments.items():
        if version in stable:
            install_wheel(venv, stable_wheel(next(iter(stable.values())), run.log), run.log)
        else:
            install(venv, run.log)
    environment = fake_cuda(run)

    def one(found):
        version, venv = found
        with open(LOGS / f"python-{version}.log", "w") as log:
            try:
                rest = [f"--ignore=tests/python/{name}" for name in SAME_IN_EVERY_PYTHON]
                outcome = pytest_in(
                    Run(log, run.options), venv, version, "tests/python", *rest, env=environment, processes=1
                )
            except Exception as error:
                outcome = Outcome(failed=1, notes=[f"failed: could not run: {error}"])
        if outcome.failed:
            tail = (LOGS / f"python-{version}.log").read_text(errors="replace").splitlines()[-30:]
            print(f"Python {version}:", *tail, sep="\n", file=run.log, flush=True)
        outcome.notes = [f"Python {version}: {note}" for note in outcome.notes]
        return outcome

    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        for part in pool.map(one, environments.items()):
            outcome += part
    return outcome
