"""Rows that measure: raw ceilings (A1-A3), loaders against them (A4-A7), and what goes with that (A9-A12)."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import microtome as mt
import nvjpeg
import slides
from row import NotMeasurable, row

SIDE = 256


def made(bench, **options):
    across, down = bench.of((128, 64), (4, 2))
    return slides.jpeg_slide(bench.folder, across, down, bench.of(SIDE, 64), **options)


def walk(bench, slide, places, side, batch_size, **options):
    """(job, pixels): a pass over patches; each batch is complete when it comes."""
    options = {"workers": bench.cores, "batch_size": batch_size, **options}
    try:
        loader = mt.Loader(slide, places, (side, side), **options)
    except mt.UnsupportedError as error:
        raise NotMeasurable(str(error)) from None

    def job():
        for _ in loader:
            pass

    return job, len(places) * side * side, loader


def rates(bench, batches, **options):
    """The best of several batch sizes on tiles that are read as they lie, and all of them."""
    found = {}
    with mt.open(made(bench)) as slide:
        side = slide.levels[0].tile_size[0]
        places = mt.grid(slide, (side, side))
        for batch_size in batches:
            job, pixels, loader = walk(bench, slide, places, side, batch_size, **options)
            found[f"batch {batch_size}"] = bench.rate(job, pixels) | {"stats": loader.stats()._asdict()}
    return {"ceiling": max(each["gigapixels_per_s"] for each in found.values()), "by_batch": found}


def raw(bench, backend, tile_counts, stitches):
    """The bare library's best rate over batch sizes and numbers of tiles joined to one stream."""
    side = bench.of(SIDE, 64)
    tiles = [slides.jpeg(slides.texture(seed, side)) for seed in range(bench.of(64, 4))]
    decoder, driver = nvjpeg.Decoder(bench.driver, backend), bench.driver
    found = {"refused": []}
    try:
        if backend == nvjpeg.HARDWARE:
            found["engines"], found["cores_per_engine"] = decoder.engines()
        for joined in stitches:
            tall = [
                tiles[i % len(tiles)]
                if joined == 1
                else nvjpeg.stitch(
                    [tiles[(i + k) % len(tiles)] for k in range(joined)], (side // 16) ** 2, side
                )
                for i in range(bench.of(16, 2))
            ]
            for count in tile_counts:
                streams = [tall[i % len(tall)] for i in range(max(1, count // joined))]
                pixels = len(streams) * joined * side * side
                with driver.memory(3 * pixels) as memory, driver.stream() as stream:
                    try:
                        job = decoder.job(streams, side, side * joined, memory, stream)
                        found[f"{len(streams)} streams of {joined}"] = bench.rate(job, pixels)
                    except nvjpeg.Refused:
                        found["refused"].append(joined)
    finally:
        decoder.close()
    rate = [each["gigapixels_per_s"] for each in found.values() if isinstance(each, dict)]
    if not rate:
        raise NotMeasurable("nvJPEG takes none of these streams")
    return found | {"ceiling": max(rate)}


@row("A1", "nvJPEG's engines, bare", "defines the ceiling; are restart markers taken?")
def a1(bench):
    return True, raw(
        bench, nvjpeg.HARDWARE, bench.of((7, 14, 49, 98, 256, 1024), (4,)), bench.of((1, 4, 16, 62), (1, 2))
    )


@row("A2", "nvJPEG on the multiprocessors, bare", "defines the ceiling")
def a2(bench):
    counts, stitches = bench.of((49, 256, 1024), (4,)), bench.of((1, 16, 62, 250), (1,))
    found = {
        name: raw(bench, backend, counts, stitches)
        for name, backend in (("gpu_hybrid", nvjpeg.GPU_HYBRID), ("hybrid", nvjpeg.HYBRID))
    }
    return True, found | {"ceiling": max(each["ceiling"] for each in found.values())}


@row("A3", "the CPU: pixels to the host, planes to the device", "scales to 0.85 of the cores")
def a3(bench):
    found = {}
    with mt.open(made(bench)) as slide:
        side = slide.levels[0].tile_size[0]
        places = mt.grid(slide, (side, side))
        for threads in sorted({count for count in (1, 2, 4, 8, bench.cores) if count <= bench.cores}):
            for name, options in (("pixels", {}), ("planes", {"device": "cuda", "decode": "cpu"})):
                job, pixels, _ = walk(bench, slide, places, side, 256, workers=threads, **options)
                found[f"{name}, {threads} threads"] = bench.rate(job, pixels)
    most = {
        name: found[f"{name}, {bench.cores} threads"]["gigapixels_per_s"] for name in ("pixels", "planes")
    }
    scaling = most["pixels"] / found["pixels, 1 threads"]["gigapixels_per_s"] / bench.cores
    return scaling >= 0.85, found | {
        "ceiling": most["pixels"],
        "ceiling_planes": most["planes"],
        "scaling": scaling,
    }


@row("A4", "loader, tiles decoded on the GPU", "at least 0.90 of A1")
def a4(bench):
    found = rates(bench, bench.of((64, 256, 1024), (4,)), device="cuda", decode="gpu")
    return found["ceiling"] >= 0.90 * bench.known("A1", "ceiling"), found


@row("A5", "loader, exact: tiles decoded on the CPU", "at least 0.90 of A3's planes")
def a5(bench):
    found = rates(bench, bench.of((64, 256, 1024), (4,)), device="cuda", decode="cpu")
    return found["ceiling"] >= 0.90 * bench.known("A3", "ceiling_planes"), found


@row("A6", "loader, both at once", "at least 0.85 of A1 and A3 together, and no less than either")
def a6(bench):
    if "allow_inexact" not in mt.Loader.__init__.__kwdefaults__:
        raise NotMeasurable("this build does not share tiles between GPU and CPU: decode is one or the other")
    found = rates(bench, bench.of((256, 1024), (4,)), device="cuda", decode="auto", allow_inexact=True)
    one, other = bench.known("A1", "ceiling"), bench.known("A3", "ceiling_planes")
    return found["ceiling"] >= max(0.85 * (one + other), one, other), found


@row("A7", "patches that share tiles", "each tile is decoded once in what is ahead", proves=True)
def a7(bench):
    import numpy as np

    found = {}
    with mt.open(made(bench)) as slide:
        side = slide.levels[0].tile_size[0]
        grid = mt.grid(slide, (side, side))
        random = np.random.default_rng(1).integers(0, np.array(slide.size) - side, (bench.of(10_000, 20), 2))
        for name, places in {
            "half a tile off": grid + side // 2,
            "overlapping by half": mt.grid(slide, (side, side), stride=(side // 2, side // 2)),
            "random": random,
        }.items():
            job, pixels, loader = walk(
                bench, slide, places, side, 256, device="cuda", device_memory_limit=bench.of(8 << 30, 1 << 26)
            )
            figures = bench.rate(job, pixels)
            stats = loader.stats()
            found[name] = figures | {"decoded_per_tile": (stats.decoded + stats.constant) / stats.tiles}
    return all(each["decoded_per_tile"] <= 1 for each in found.values()), found


@row("A9", "JPEG 2000 on the GPU", "at least twice the CPU")
def a9(bench):
    across, down = bench.of((32, 32), (2, 2))
    found = {}
    with mt.open(slides.jpeg2000_slide(bench.folder, across, down, bench.of(SIDE, 64))) as slide:
        side = slide.levels[0].tile_size[0]
        places = mt.grid(slide, (side, side))
        for decode in ("cpu", "gpu"):
            job, pixels, _ = walk(bench, slide, places, side, 256, device="cuda", decode=decode)
            found[decode] = bench.rate(job, pixels)
    return found["gpu"]["gigapixels_per_s"] >= 2 * found["cpu"]["gigapixels_per_s"], found


@row("A10", "the kernel that places pixels", "at least 70 % of the device's bandwidth")
def a10(bench):
    driver = bench.driver
    nbytes = bench.of(1 << 30, 1 << 16)
    with driver.memory(nbytes) as memory, driver.stream() as stream:
        seconds = bench.times(lambda: (driver.fill(memory, nbytes, stream), driver.synchronize(stream)))
    bandwidth = nbytes / min(seconds)
    # Patches of a few tiles again and again: all that is left to do is the kernel's.
    with mt.open(made(bench, css="444")) as slide:
        side = slide.levels[0].tile_size[0]
        places = [(side // 2, side // 2)] * bench.of(16384, 32)
        job, pixels, _ = walk(bench, slide, places, side, bench.of(1024, 8), device="cuda")
        rate = bench.rate(job, pixels)["best_gigapixels_per_s"] * 1e9
    share = 6 * rate / bandwidth  # three bytes of planes read, three of pixels written
    return share >= 0.70, {"bandwidth_bytes_per_s": bandwidth, "bytes_per_s": 6 * rate, "share": share}


@row("A11", "overlap: how busy the engines are", "at least 0.9 of the time")
def a11(bench):
    job = None
    with mt.open(made(bench)) as slide:
        side = slide.levels[0].tile_size[0]
        job, _, _ = walk(bench, slide, mt.grid(slide, (side, side)), side, 256, device="cuda", decode="gpu")
        try:
            monitor = subprocess.Popen(
                ["nvidia-smi", "dmon", "-s", "u", "-d", "1"], stdout=subprocess.PIPE, text=True
            )
        except OSError as error:
            job()
            raise NotMeasurable(f"nvidia-smi cannot be run: {error}") from None
        end = time.monotonic() + bench.of(10, 0.5)
        while True:
            job()
            if time.monotonic() >= end:
                break
        monitor.terminate()
        lines = [line.split() for line in monitor.communicate()[0].splitlines()]
    head = next((line[1:] for line in lines if line[:1] == ["#"] and "jpg" in line), None)
    if head is None:
        raise NotMeasurable("nvidia-smi dmon has no column jpg")
    shares = [int(line[head.index("jpg")]) for line in lines if line[:1] != ["#"]][2:]
    if not shares:
        raise NotMeasurable("the run was too short for nvidia-smi dmon")
    return sum(shares) / len(shares) >= 90, {"percent": shares}


FIRST = """
import sys, time
start = time.perf_counter()
import microtome as mt
with mt.open(sys.argv[1]) as slide:
    side = slide.levels[0].tile_size[0]
    next(iter(mt.Loader(slide, mt.grid(slide, (side, side)), (side, side), batch_size=64, device="cuda")))
print(time.perf_counter() - start)
"""


@row("A12", "latency: the first batch of a process, and single patches", "the first within 0.3 s")
def a12(bench):
    path = made(bench)
    first = [
        float(
            subprocess.run(
                [sys.executable, "-c", FIRST, path], check=True, capture_output=True, text=True
            ).stdout
        )
        for _ in range(bench.of(5, 1))
    ]
    single = []
    with mt.open(path) as slide:
        for i in range(bench.of(1000, 3)):
            start = time.perf_counter()
            slide.read((97 * i % slide.size[0], 61 * i % slide.size[1]), (256, 256), device="cuda")
            single.append(time.perf_counter() - start)
    single.sort()
    figures = {
        "first_s": sorted(first),
        "p50_s": single[len(single) // 2],
        "p99_s": single[len(single) * 99 // 100],
    }
    return sorted(first)[len(first) // 2] < 0.3, figures


@row("A17", "ten thousand batches", "memory of device and host stays as it is after the first two hundred")
def a17(bench):
    def resident():
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    batches, early = bench.of((10_000, 200), (6, 2))
    seen = []
    with mt.open(made(bench)) as slide:
        side = slide.levels[0].tile_size[0]
        grid = mt.grid(slide, (side, side))
        places = grid[[i % len(grid) for i in range(4 * batches)]]
        loader = mt.Loader(slide, places, (side, side), batch_size=4, device="cuda")
        for i, _ in enumerate(loader):
            if i in (early, batches - 2):
                seen.append((bench.driver.free_bytes(), resident()))
    (free, host), (free_end, host_end) = seen
    grown = {"device_bytes": free - free_end, "host_bytes": host_end - host}
    return grown["device_bytes"] <= 0 and grown["host_bytes"] < 16 << 20, grown
