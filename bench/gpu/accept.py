#!/usr/bin/env python3
"""Runs the acceptance table of the GPU path. bench/gpu/accept.sh prepares what this needs, and says how it is used.

A dry run goes each row's way to its end on the tests' fake driver, on little; the programs and libraries that a machine
without a GPU has not are played by those in stand_ins/. Its lines say so, it gives no verdict and no figure, and it
writes no file. It shows that a row will not fall over on the machine where it counts.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FAKE = (
    Path(os.environ.get("MICROTOME_FAKE_CUDA", ROOT / "build" / "release" / "tests" / "fake_cuda")) / "driver"
)
STAND_INS = HERE / "stand_ins"
DRY = "DRY RUN on a fake driver, nothing is measured"
NO_GPU, FAILED = 2, 1
LIBRARIES = {
    "CUDA": "libcuda.so.1",
    "NVJPEG": "libnvjpeg.so.13",
    "NVJPEG2K": "libnvjpeg2k.so.0",
    "CUFILE": "libcufile.so.0",
}

sys.path[:0] = [str(HERE), str(HERE.parent)]


def arguments():
    parser = argparse.ArgumentParser(prog="accept.sh", description=__doc__.splitlines()[0])
    parser.add_argument("--dry-run", action="store_true", help="each row's steps on the tests' fake driver")
    parser.add_argument("--rows", default="", help="only these, with commas between: A3,A7")
    parser.add_argument("--rivals", action="store_true", help="measure the others too")
    parser.add_argument(
        "--results", type=Path, default=ROOT / "bench" / "results", help="folder for the figures"
    )
    return parser.parse_args()


def take_the_fake():
    """Makes the fakes what is found, and has stand-ins play what else belongs to a machine with a GPU."""
    if not (FAKE / LIBRARIES["CUDA"]).exists():
        sys.exit(
            f"accept.sh: there is no fake driver in {FAKE}: ninja -C build/release gpu_fake_tests builds it"
        )
    for name, file in LIBRARIES.items():
        os.environ[f"MICROTOME_LIB_{name}"] = str(FAKE / file)
    os.environ["PATH"] = f"{STAND_INS}:{os.environ['PATH']}"
    sys.path.insert(0, str(STAND_INS))


def commit():
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=ROOT
    )
    return done.stdout.strip()


def run(row, bench):
    """{"verdict", "why", "figures", "seconds"} of one row."""
    from row import NotMeasurable

    start = time.monotonic()
    found = {"verdict": "fail", "why": "", "figures": {}}
    try:
        passed, found["figures"] = row.run(bench)
        found["verdict"] = "pass" if passed else "fail"
        found["why"] = "" if passed else f"wanted: {row.wanted}"
        if bench.dry and row.proves and not passed:
            found["verdict"], found["why"] = "broken", f"{found['why']}; found {found['figures']}"
        bench.figures[row.name] = found["figures"]
    except NotMeasurable as error:
        found["verdict"], found["why"] = "not measurable", str(error)
    except Exception as error:  # a row that falls over is a row that fails, and the others go on
        found["verdict"], found["why"] = "broken", f"{type(error).__name__}: {error}"
    return found | {"seconds": round(time.monotonic() - start, 1)}


def main():
    options = arguments()
    if options.dry_run:
        take_the_fake()
    import driver

    try:
        device = driver.Driver()
    except driver.Missing as error:
        print(f"accept.sh: {error}. --dry-run runs each row's steps on a fake driver", file=sys.stderr)
        return NO_GPU
    if device.is_fake != options.dry_run:
        print(f"accept.sh: {device.name!r} is no GPU to measure; --dry-run is for it", file=sys.stderr)
        return NO_GPU

    import machine
    import microtome as mt
    import rivals
    import rows_right
    import rows_speed
    from row import ROWS, Bench

    assert rivals and rows_right and rows_speed  # each adds its rows
    names = sorted(ROWS, key=lambda name: int(name[1:]))
    wanted = options.rows.split(",") if options.rows else names
    if unknown := set(wanted) - set(names):
        sys.exit(f"accept.sh: no row {', '.join(sorted(unknown))}, expected some of {', '.join(names)}")
    rivals_python = None
    if options.dry_run:
        rivals_python = STAND_INS / "rival"
    elif options.rivals:
        rivals_python = ROOT / "build" / "venvs" / "gpu-rivals" / "bin" / "python"
    rows = {}
    with tempfile.TemporaryDirectory(prefix="microtome-accept-") as folder:
        bench = Bench(options.dry_run, Path(folder), device, rivals_python)
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: bench.cores])
        for name in filter(wanted.__contains__, names):
            rows[name] = run(ROWS[name], bench)
            tell(ROWS[name], rows[name], options.dry_run)
    broken = [name for name, found in rows.items() if found["verdict"] == "broken"]
    if options.dry_run:
        print(f"{DRY}: {len(rows)} rows, {len(broken)} of them broken")
        return FAILED if broken else 0
    write(options.results, device, rows, machine.describe(), mt.info())
    return FAILED if any(found["verdict"] in ("fail", "broken") for found in rows.values()) else 0


def tell(row, found, dry):
    why = f": {found['why']}" if found["why"] else ""
    if not dry:
        print(f"{row.name:4} {found['verdict']:14} {row.title} ({found['seconds']} s){why}", flush=True)
        return
    # Whether a fake is quick enough says nothing.
    ran = found["verdict"] in ("pass", "fail")
    print(f"{DRY}: {row.name:4} {'ran to its end' if ran else found['verdict'] + why}", flush=True)


def write(folder, device, rows, where, info):
    name = re.sub(r"[^a-z0-9]+", "-", device.name.lower()).strip("-")
    path = folder / f"gpu-{name}-{datetime.date.today()}.json"
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "device": device.name,
        "cuda": device.version,
        "commit": commit(),
        "machine": where,
        "microtome": info["version"],
        "libraries": info["cuda"]["libraries"],
        "rows": rows,
    }
    path.write_text(json.dumps(content, indent=1, default=str) + "\n")
    print(f"figures: {path}")


if __name__ == "__main__":
    sys.exit(main())
