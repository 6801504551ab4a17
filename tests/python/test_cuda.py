"""device="cuda" where it cannot be used: what was looked for, at once, and the CPU goes on, asked for by name.

The first half runs without any library of NVIDIA's. The second runs on a FAKE driver, tests/fake_cuda, in processes of
their own; it says nothing about a real one.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import microtome as mt
import numpy as np
import pytest
from conftest import ROOT
from microtome import CuImage, _cuda

FAKE = Path(os.environ.get("MICROTOME_FAKE_CUDA", ROOT / "build" / "release" / "tests" / "fake_cuda"))
LIBRARIES = ("MICROTOME_LIB_CUDA", "MICROTOME_LIB_NVJPEG", "MICROTOME_LIB_NVJPEG2K", "MICROTOME_LIB_CUFILE")

needs_no_driver = pytest.mark.skipif(
    os.path.exists("/dev/nvidiactl") or os.path.exists("/dev/dxg"), reason="this machine has a GPU's driver"
)
needs_fake = pytest.mark.skipif(
    not (FAKE / "driver" / "libcuda.so.1").exists(),
    reason=f"no fake CUDA driver in {FAKE}; tools/run_tests.py builds it",
)


def ask_slide(slide, path, device):
    slide.read((0, 0), (64, 64), device=device)


def ask_loader(slide, path, device):
    mt.Loader(slide, [(0, 0)], (64, 64), device=device)


def ask_image(slide, path, device):
    CuImage(path).read_region((0, 0), (64, 64), device=device)


def ask_image_for_batches(slide, path, device):
    CuImage(path).read_region([0, 0, 64, 64], (64, 64), batch_size=2, device=device)


ASKING = (ask_slide, ask_loader, ask_image, ask_image_for_batches)


@needs_no_driver
@pytest.mark.parametrize("ask", ASKING)
@pytest.mark.parametrize("device", ["cuda", "cuda:0", "cuda:7"])
def test_without_a_driver_it_says_what_was_looked_for(ask, device, slide, pyramid, capfd, monkeypatch):
    monkeypatch.delenv("MICROTOME_LIB_CUDA", raising=False)
    begin = time.monotonic()
    with pytest.raises(mt.DeviceUnavailableError) as raised:
        ask(slide, pyramid.path, device)
    assert time.monotonic() - begin < 5
    message = str(raised.value)
    for part in (
        device,
        "NVIDIA's driver",
        "libcuda.so.1",
        "/usr/lib/wsl/lib",
        "No such file",
        "device='cpu' works",
    ):
        assert part in message
    assert np.array_equal(slide.read((0, 0), (64, 64), device="cpu"), pyramid.levels[0][:64, :64])
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("ask", ASKING)
def test_a_driver_named_in_the_environment_is_the_only_one_tried(ask, slide, pyramid, monkeypatch):
    monkeypatch.setenv("MICROTOME_LIB_CUDA", "/nowhere/libcuda.so.1")
    with pytest.raises(mt.DeviceUnavailableError, match="MICROTOME_LIB_CUDA = /nowhere/libcuda.so.1"):
        ask(slide, pyramid.path, "cuda")


def test_slides_refuse_devices_that_are_none(slide):
    for device, error in (
        ("gpu", ValueError),
        ("cuda:", ValueError),
        ("cuda:-1", ValueError),
        (0, TypeError),
    ):
        with pytest.raises(error, match="device = "):
            slide.read((0, 0), (4, 4), device=device)


@needs_no_driver
def test_info_tells_where_each_library_was_looked_for(monkeypatch):
    for name in LIBRARIES:
        monkeypatch.delenv(name, raising=False)
    found = mt.info()["cuda"]
    assert found["available"] is False
    assert found["reason"] == found["driver"]["problem"]
    assert "libcuda.so.1" in found["reason"]
    assert found["devices"] == []
    assert set(found["libraries"]) == {"nvjpeg", "nvjpeg2k", "cufile"}
    for library in found["libraries"].values():
        assert bool(library["problem"]) != bool(library["version"])


def test_wheels_are_looked_for_in_every_site_packages(monkeypatch, tmp_path):
    (tmp_path / "other" / "nvidia").mkdir(parents=True)
    site = str(tmp_path / "site-packages")
    monkeypatch.setattr(sys, "path", [site, str(tmp_path), str(tmp_path / "other")])
    monkeypatch.setenv("CONDA_PREFIX", "/conda")
    monkeypatch.setenv("CUDA_HOME", "/toolkit")
    monkeypatch.delenv("CUDA_PATH", raising=False)
    folders = _cuda.folders()
    assert folders["nvjpeg"] == [
        f"{site}/nvidia/cu13/lib",
        f"{tmp_path}/other/nvidia/cu13/lib",
        f"{site}/nvidia/nvjpeg/lib",
        f"{tmp_path}/other/nvidia/nvjpeg/lib",
        "/conda/lib",
    ]
    assert folders["nvjpeg2k"][0] == f"{site}/nvidia/nvjpeg2k/lib"
    assert folders["cufile"][0] == f"{site}/nvidia/cu13/lib"
    assert folders["last"] == ["/toolkit/lib64", "/usr/local/cuda/lib64"]


def test_a_wheel_that_is_no_nvjpeg_is_found_and_named(tmp_path):
    folder = tmp_path / "site-packages" / "nvidia" / "cu13" / "lib"
    folder.mkdir(parents=True)
    libm = next(
        line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "libm.so" in line
    )
    (folder / "libnvjpeg.so.13").symlink_to(libm)
    code = "import microtome as mt; print(mt.info()['cuda']['libraries']['nvjpeg']['problem'])"
    said = run_python(code, PYTHONPATH=str(tmp_path / "site-packages"))
    assert "lacks nvjpegGetProperty, nvjpegCreateExV2" in said


def run_python(code, **environment):
    """What a process of its own prints; it must print nothing to stderr and end well."""
    clean = {name: value for name, value in os.environ.items() if name not in LIBRARIES}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=clean | environment, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


ASK = """
import microtome as mt
from microtome import CuImage
with mt.open({path!r}) as slide:
    for ask in (
        lambda: slide.read((0, 0), (64, 64), device={device!r}),
        lambda: mt.Loader(slide, [(0, 0)], (64, 64), device={device!r}),
        lambda: CuImage({path!r}).read_region((0, 0), (64, 64), device={device!r}),
        lambda: CuImage({path!r}).read_region([0, 0, 9, 9], (64, 64), batch_size=2, device={device!r}),
    ):
        try:
            ask()
            print("no error")
        except mt.DeviceUnavailableError as error:
            print(error)
    assert slide.read((0, 0), (64, 64)).shape == (64, 64, 3)
"""


def fake_driver(settings="", file="driver"):
    return {"MICROTOME_LIB_CUDA": str(FAKE / file / "libcuda.so.1"), "FAKE_CUDA": settings}


@needs_fake
@pytest.mark.parametrize(
    ("settings", "device", "expected"),
    [
        (
            "driver=12040",
            "cuda",
            "is too old: it knows CUDA 12.4, expected 13.0 or newer, which is driver 580",
        ),
        ("devices=0", "cuda", "CUDA_ERROR_NO_DEVICE (100). No device is visible"),
        ("init=803", "cuda", "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH (803)"),
        ("init=999", "cuda:1", "cuInit answered error 999. nvidia-smi may say more"),
        (
            "devices=2",
            "cuda:2",
            "there is no cuda:2; there is cuda:0 FAKE GPU 0 of the tests, cuda:1 FAKE GPU 1 of",
        ),
        ("devices=1", "cuda:99999999999", "there is no cuda:2147483647; there is cuda:0"),
    ],
)
def test_on_a_fake_driver_each_way_to_fail_is_told(settings, device, expected, pyramid):
    said = run_python(ASK.format(path=pyramid.path, device=device), **fake_driver(settings)).splitlines()
    assert len(said) == 4
    for line in said:
        assert expected in line
        assert repr(device) in line
        assert line.endswith("device='cpu' works")


@needs_fake
def test_on_a_fake_driver_a_failure_is_not_remembered(pyramid):
    settings = "fail_in=cuDeviceGetName,fail_at=1"
    first, *later = run_python(
        ASK.format(path=pyramid.path, device="cuda"), **fake_driver(settings)
    ).splitlines()
    assert "cuDeviceGetName answered error 999" in first
    assert later == ["no error"] * 3


@needs_fake
def test_on_a_fake_driver_that_lacks_functions_they_are_named(pyramid):
    said = run_python(ASK.format(path=pyramid.path, device="cuda"), **fake_driver(file="lacking"))
    assert said.count("lacks cuMemHostAlloc, cuEventQuery: it is older than 580, or not NVIDIA's") == 4


@needs_fake
def test_on_a_fake_driver_info_tells_what_is_there():
    code = "import json, microtome as mt; print(json.dumps(mt.info()['cuda']))"
    said = run_python(code, **fake_driver("devices=2,driver=13020,memory=1000"))
    found = json.loads(said)
    assert found["available"] is True
    assert found["reason"] == ""
    assert found["driver"] == {
        "path": str(FAKE / "driver" / "libcuda.so.1"),
        "version": "13.2",
        "problem": "",
    }
    assert found["devices"][1] == {
        "name": "FAKE GPU 1 of the tests",
        "compute_capability": [9, 0],
        "multiprocessors": 4,
        "memory_bytes": 1000,
    }


IN_A_CHILD = """
import os, sys
import microtome as mt
with mt.open({path!r}) as slide:
    {first}
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            print(slide.read((0, 0), (8, 8), device="cuda"))
        except mt.DeviceUnavailableError as error:
            print(error, mt.info()["cuda"]["reason"] in str(error), slide.read((0, 0), (8, 8)).shape, flush=True)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""


@needs_fake
def test_on_a_fake_driver_a_forked_child_is_told_so(pyramid):
    use = "mt.info()"
    said = run_python(IN_A_CHILD.format(path=pyramid.path, first=use), **fake_driver())
    assert "CUDA was initialised in process" in said
    assert 'a child of it made by fork: start processes with the method "spawn" or "forkserver"' in said
    assert said.endswith("True (8, 8, 3)\n")


@needs_fake
def test_on_a_fake_driver_a_child_may_be_the_first_to_use_it(pyramid):
    said = run_python(IN_A_CHILD.format(path=pyramid.path, first="pass"), **fake_driver())
    assert said == "<microtome.DeviceArray (8, 8, 3) uint8 on cuda:0>\n"


@needs_fake
def test_on_a_fake_driver_nothing_is_opened_before_a_device_is_asked_for(pyramid):
    code = (
        "import microtome as mt\n"
        f"with mt.open({pyramid.path!r}) as slide:\n"
        "    slide.read((0, 0), (8, 8))\n"
        "    list(mt.Loader(slide, [(0, 0)], (8, 8), device='cpu'))\n"
        "print('libcuda' in open('/proc/self/maps').read())\n"
        "mt.info()\n"
        "print('libcuda' in open('/proc/self/maps').read())\n"
    )
    assert run_python(code, **fake_driver()) == "False\nTrue\n"
