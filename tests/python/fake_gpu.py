"""Runs Python on the FAKE driver of tests/fake_cuda, each time in a process of its own.

`fake_cupy.Consumer` has CuPy's and PyTorch's part there. Nothing here says anything about a real driver or a real GPU.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FAKE = Path(os.environ.get("MICROTOME_FAKE_CUDA", ROOT / "build" / "release" / "tests" / "fake_cuda"))
DRIVER = FAKE / "driver" / "libcuda.so.1"

needed = pytest.mark.skipif(
    not DRIVER.exists(), reason=f"no fake CUDA driver in {FAKE}; tools/run_tests.py builds it"
)


PRELUDE = """
import sys
import time
sys.path.insert(0, {here!r})
import microtome as mt, numpy as np
from microtome import CuImage
from fake_cupy import Consumer

def same(device, host):
    assert device.dtype == host.dtype and device.shape == host.shape, (device.dtype, device.shape, host.shape)
    assert np.array_equal(device, host), "pixels differ"

def clean(consumer):
    report = consumer.report()
    assert report.races == 0, report.first_race
    assert report.foreign_calls == 0
    return report
"""


def run(code, settings="delay=100", again=False, **values):
    """What `code` prints in a process with the fake driver; it must end well and say nothing to stderr.

    `again`: tiles may be decoded more than once.
    """
    text = PRELUDE.format(here=str(Path(__file__).parent)) + code
    for name, value in (values | {"again": again}).items():
        text = text.replace(f"<{name}>", repr(value))
    environment = os.environ | {"MICROTOME_LIB_CUDA": str(DRIVER), "FAKE_CUDA": settings}
    environment["MICROTOME_LIB_NVJPEG"] = str(DRIVER.parent / "libnvjpeg.so.13")
    environment["MICROTOME_LIB_NVJPEG2K"] = str(DRIVER.parent / "libnvjpeg2k.so.0")
    environment["MICROTOME_LIB_CUFILE"] = str(DRIVER.parent / "libcufile.so.0")
    # From Python 3.12 on os.fork() warns in processes with threads; what becomes of those is what is tested.
    quiet = ["-W", "ignore:This process:DeprecationWarning"]
    done = subprocess.run(
        [sys.executable, *quiet, "-c", text], capture_output=True, text=True, env=environment, timeout=300
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout
