"""bench/gpu/accept.sh where there is no GPU: a dry run on the FAKE driver, and what it says without one."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FAKE = Path(os.environ.get("MICROTOME_FAKE_CUDA", ROOT / "build" / "release" / "tests" / "fake_cuda"))
DRIVER = FAKE / "driver" / "libcuda.so.1"

needs_fake = pytest.mark.skipif(
    not DRIVER.exists(), reason=f"no fake CUDA driver in {FAKE}; tools/run_tests.py builds it"
)


def accept(*arguments, script="accept.sh", **environment):
    start = (
        [ROOT / "bench" / "gpu" / script]
        if script.endswith(".sh")
        else [sys.executable, ROOT / "bench" / "gpu" / script]
    )
    return subprocess.run(
        [*start, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"MICROTOME_PYTHON": sys.executable} | environment,
    )


@needs_fake
def test_every_row_goes_its_way_in_a_dry_run_that_is_no_result(tmp_path):
    results = tmp_path / "results"
    done = accept("--dry-run", "--results", results, FAKE_CUDA="delay=20")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert all(line.startswith("DRY RUN on a fake driver, nothing is measured: ") for line in lines)
    names = [line.split(": ")[1].split()[0] for line in lines[:-1]]
    assert names == [f"A{number}" for number in range(1, 22)]
    assert lines[-1].endswith("21 rows, 0 of them broken")
    assert not re.search(r"\bpass|GP/s|gigapixel|\d\.\d", done.stdout)
    assert not results.exists()
    for name, line in zip(names, lines, strict=False):
        assert line.endswith("ran to its end"), f"{name}: {line}"


@needs_fake
def test_nothing_is_measured_on_the_fake():
    done = accept(script="accept.py", MICROTOME_LIB_CUDA=str(DRIVER))
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("accept.sh: 'FAKE GPU")
    assert "is no GPU to measure" in done.stderr


@pytest.mark.skipif(os.path.exists("/dev/nvidiactl"), reason="this machine has a GPU")
def test_without_a_gpu_it_says_what_is_missing():
    done = accept()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("accept.sh: there is no NVIDIA GPU that can be used")
    done = accept(script="accept.py", MICROTOME_LIB_CUDA="/nowhere/libcuda.so.1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("accept.sh: no NVIDIA driver: /nowhere/libcuda.so.1")


@needs_fake
def test_a_row_that_falls_over_is_broken(tmp_path):
    done = accept("--dry-run", "--rows", "A13", FAKE_CUDA="fail_in=cuLaunchKernel,fail_at=2")
    assert done.returncode == 1
    assert "A13  broken: " in done.stdout
    assert accept("--dry-run", "--rows", "A99").returncode == 1
