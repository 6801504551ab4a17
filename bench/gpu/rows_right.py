"""Rows that prove: races, broken tiles, parity, exchange (A13-A16), sanitizers, errors, interfaces (A18, A19, A21).

And a network that is fed (A20)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import microtome as mt
import numpy as np
import slides
from row import NotMeasurable, row
from rows_speed import made, walk

ROOT = Path(__file__).resolve().parents[2]


def gpu_loader(slide, places, side, **options):
    try:
        return mt.Loader(slide, places, (side, side), device="cuda", **options)
    except mt.UnsupportedError as error:
        raise NotMeasurable(str(error)) from None


@row(
    "A13", "order: batches beside kernels that hog the device", "no pixel differs from the CPU's", proves=True
)
def a13(bench):
    spin = bench.driver.spinner()
    wrong = batches = 0
    with mt.open(made(bench)) as slide, bench.driver.stream() as other:
        side = slide.levels[0].tile_size[0]
        places = mt.grid(slide, (side, side), stride=(side // 2, side // 2))[: bench.of(200 * 32, 16)]
        loader = gpu_loader(slide, places, side, batch_size=bench.of(32, 4), decode="cpu", stream=other)
        host = mt.Loader(slide, places, (side, side), batch_size=bench.of(32, 4))
        for device, expected in zip(loader, host, strict=True):
            if spin:
                for stream in (other, 1):
                    spin(stream, 50, 132)
            wrong += not np.array_equal(device.pixels.to_host(), expected.pixels)
            batches += 1
    return wrong == 0, {"batches": batches, "wrong": wrong}


@row("A14", "flat, broken and truncated tiles", "the right pixels or the right error for each", proves=True)
def a14(bench):
    across, down = bench.of((40, 40), (4, 3))
    path, broken = slides.broken_slide(bench.folder, across, down, bench.of(256, 64))
    wrong = untold = 0
    with mt.open(path) as slide:
        side = slide.levels[0].tile_size[0]
        places = mt.grid(slide, (side, side))
        loader = gpu_loader(slide, places, side, batch_size=16, on_error="fill")
        for batch in loader:
            (host,) = mt.Loader(slide, batch.locations, (side, side), batch_size=16, on_error="fill")
            wrong += int((batch.pixels.to_host() != host.pixels).any(axis=(1, 2, 3)).sum())
            untold += {error.row for error in batch.errors} != {error.row for error in host.errors}
    return wrong == 0 and untold == 0, {"broken": len(broken), "wrong": wrong, "untold_batches": untold}


@row("A15", "parity with libjpeg-turbo", "exact: 0; the GPU's decoders: a table", proves=True)
def a15(bench):
    found = {}
    for css in ("420", "422", "444"):
        for quality in bench.of((70, 80, 90), (80,)):
            with mt.open(
                slides.jpeg_slide(bench.folder, *bench.of((16, 16), (2, 2)), 64, css, quality)
            ) as slide:
                places = mt.grid(slide, (64, 64))
                host = np.concatenate([batch.pixels for batch in mt.Loader(slide, places, (64, 64))]).astype(
                    np.int16
                )
                for decode in ("cpu", "gpu"):
                    try:
                        loader = gpu_loader(slide, places, 64, decode=decode)
                    except NotMeasurable as error:
                        found[f"{css} q{quality} {decode}"] = str(error)
                        continue
                    device = np.concatenate([batch.pixels.to_host() for batch in loader])
                    off = np.abs(device - host)
                    found[f"{css} q{quality} {decode}"] = {
                        "most": int(off.max()),
                        "mean": float(off.mean()),
                        "histogram": np.bincount(off.ravel(), minlength=5)[:9].tolist(),
                    }
    exact = [each["most"] for name, each in found.items() if name.endswith("cpu")]
    return max(exact) == 0, found


@row("A16", "PyTorch takes batches on side streams", "no pixel differs", proves=True)
def a16(bench):
    try:
        import torch
    except ImportError:
        raise NotMeasurable("PyTorch is not installed: pip install torch") from None
    wrong, held = 0, []
    with mt.open(made(bench)) as slide:
        side = slide.levels[0].tile_size[0]
        places = mt.grid(slide, (side, side))[: bench.of(64 * 32, 16)]
        host = mt.Loader(slide, places, (side, side), batch_size=bench.of(32, 4))
        stream = torch.cuda.Stream()
        for i, (batch, expected) in enumerate(
            zip(gpu_loader(slide, places, side, batch_size=bench.of(32, 4)), host, strict=True)
        ):
            with torch.cuda.stream(stream):
                tensor = torch.from_dlpack(batch)
                held.append((tensor, tensor.float().sum(), expected.pixels.sum(dtype=np.float64)))
            if len(held) > 3:
                _, total, known = held.pop((7 * i) % 4)
                wrong += abs(float(total) - known) > 1e-3 * known
        out = torch.empty((side, side, 3), dtype=torch.uint8, device="cuda")
        slide.read((0, 0), (side, side), device="cuda", out=out)
        wrong += not np.array_equal(out.cpu().numpy(), slide.read((0, 0), (side, side)))
    return wrong == 0, {"wrong": wrong}


@row("A18", "compute-sanitizer", "no error of ours", proves=True)
def a18(bench):
    tool = shutil.which("compute-sanitizer")
    if tool is None:
        raise NotMeasurable("compute-sanitizer is not installed: it is in the CUDA toolkit")
    found = {}
    small = ROOT / "bench" / "gpu" / "small.py"
    for check in ("memcheck", "racecheck", "initcheck", "synccheck"):
        done = subprocess.run(
            [tool, "--tool", check, "--error-exitcode", "9", sys.executable, small, bench.folder],
            capture_output=True,
            text=True,
            timeout=600,
        )
        found[check] = {"status": done.returncode, "said": done.stdout.splitlines()[-1:]}
    return all(each["status"] == 0 for each in found.values()), found


REFUSED = """
import sys, os
import microtome as mt
slide = mt.open(sys.argv[1])
options = eval(sys.argv[2])
def attempt():
    try:
        next(iter(mt.Loader(slide, [(0, 0)], (64, 64), **options)))
        return "nothing was refused"
    except (mt.Error, ValueError, MemoryError) as error:
        return f"{type(error).__name__}: {error}"
if sys.argv[3] != "fork":
    print(attempt())
    sys.exit()
next(iter(mt.Loader(slide, [(0, 0)], (64, 64), device="cuda")))
child = os.fork()
if child == 0:
    print(attempt(), flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""


@row("A19", "errors", "each by its name", proves=True)
def a19(bench):
    path = made(bench)
    hidden = {"CUDA_VISIBLE_DEVICES": ""} if not bench.driver.is_fake else {"FAKE_CUDA": "devices=0"}
    cases = {
        "no device": (hidden, {"device": "cuda"}, "", "DeviceUnavailableError"),
        "no driver": ({"MICROTOME_LIB_CUDA": "/nowhere"}, {"device": "cuda"}, "", "DeviceUnavailableError"),
        "no such device": ({}, {"device": "cuda:77"}, "", "DeviceUnavailableError"),
        "little memory": ({}, {"device": "cuda", "device_memory_limit": 1000}, "", "ValueError"),
        "a fork": ({}, {"device": "cuda"}, "fork", "DeviceUnavailableError"),
    }
    found = {}
    for name, (environment, options, way, wanted) in cases.items():
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", REFUSED, path, repr(options), way],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        said = (done.stdout + done.stderr).strip()
        found[name] = {"said": said, "right": said.startswith(wanted + ":")}
    return all(each["right"] for each in found.values()), found


@row("A20", "a small network, fed from the CPU and from the GPU", "the table of when it is worth it")
def a20(bench):
    try:
        import torch
    except ImportError:
        raise NotMeasurable("PyTorch is not installed: pip install torch") from None
    network = (
        torch.nn.Sequential(
            torch.nn.Conv2d(3, 32, 3, stride=4),
            torch.nn.ReLU(),
            torch.nn.AdaptiveAvgPool2d(1),
            torch.nn.Flatten(),
            torch.nn.Linear(32, 2),
        )
        .cuda()
        .half()
    )
    found = {}
    with mt.open(made(bench)) as slide, torch.no_grad():
        side = slide.levels[0].tile_size[0]
        places = mt.grid(slide, (side, side))
        for name, options in {
            "host": {},
            "device": {"device": "cuda", "dtype": "float16", "layout": "NCHW", "mean": 128, "std": 64},
        }.items():
            _, pixels, loader = walk(bench, slide, places, side, 256, **options)

            def job(name=name, loader=loader):
                for batch in loader:
                    if name == "device":
                        tensor = torch.from_dlpack(batch)
                    else:
                        tensor = (
                            (torch.from_numpy(batch.pixels).cuda().permute(0, 3, 1, 2).float() - 128) / 64
                        ).half()
                    network(tensor)
                torch.cuda.synchronize()

            before = time.process_time()
            found[name] = bench.rate(job, pixels)
            runs = bench.of(10, 1)
            found[name]["cpu_s_per_million_patches"] = (
                (time.process_time() - before) / (runs * len(places)) * 1e6
            )
    return True, found


@row("A21", "our declarations against NVIDIA's headers", "they compile", proves=True)
def a21(bench):
    tool = [sys.executable, ROOT / "tools" / "abi_check.py"]
    if bench.dry:
        tool.append("--help")  # the suite `abi` runs it
    done = subprocess.run(tool, capture_output=True, text=True, cwd=ROOT)
    if done.returncode == 77:
        raise NotMeasurable("PyPI cannot be reached")
    return done.returncode == 0, {"said": done.stdout.splitlines()[-1:]}
