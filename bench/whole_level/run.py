"""Whole-level reads, contender against contender, interleaved.

    python bench/whole_level/run.py SLIDE... [--workers 1 2] [--rounds 9] [--json FILE] [--contender NAME=PYTHON ...]

Each contender (one file with_NAME.py each in this folder) runs in a process of its own that opens the slide once and
then reads level 0 whenever it is told to. One round asks every contender once, in rotating order, so that a slow spell
of the machine hits all of them. Reported: the median over rounds of each contender's time divided by the first
contender's in the same round (below 1 is faster than it), and each one's best time as MP/s. `--contender
cucim=/path/to/python` runs a contender under another interpreter, for packages that want an environment of their own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Contender:
    """A contender's process; answers each request with the seconds one read took."""

    def __init__(self, name: str, python: str, slide: str, workers: int):
        env = dict(os.environ, OMP_NUM_THREADS=str(workers), OPENBLAS_NUM_THREADS=str(workers))
        cpus = sorted(os.sched_getaffinity(0))[:workers]
        self.name = name
        self.process = subprocess.Popen(
            [python, str(HERE / f"with_{name}.py"), slide, str(workers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=env,
            preexec_fn=lambda: os.sched_setaffinity(0, cpus),
        )
        self.facts = json.loads(self.process.stdout.readline())

    def read(self) -> float:
        self.process.stdin.write("read\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def serve(name: str, version: str, width: int, height: int, read) -> None:
    """The contenders' side: prints its facts, then times one `read()` for each line of input."""
    import time

    print(json.dumps({"name": name, "version": version, "pixels": width * height}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        pixels = read()
        seconds = time.perf_counter() - start
        assert pixels.shape[:2] == (height, width), pixels.shape
        del pixels
        print(seconds, flush=True)


def measure(slide: str, workers: int, pythons: dict[str, str], rounds: int) -> dict:
    contenders = [Contender(name, python, slide, workers) for name, python in pythons.items()]
    for contender in contenders:
        contender.read()  # warm-up: page cache, first-use imports
    times: dict[str, list[float]] = {c.name: [] for c in contenders}
    for number in range(rounds):
        shift = number % len(contenders)
        for contender in contenders[shift:] + contenders[:shift]:
            times[contender.name].append(contender.read())
    base = contenders[0].name
    megapixels = contenders[0].facts["pixels"] / 1e6
    result = {"slide": Path(slide).name, "workers": workers, "rounds": rounds, "contenders": {}}
    for contender in contenders:
        own = times[contender.name]
        result["contenders"][contender.name] = {
            "version": contender.facts["version"],
            "ratio": statistics.median(a / b for a, b in zip(own, times[base], strict=True)),
            "best_seconds": min(own),
            "median_seconds": statistics.median(own),
            "best_mp_per_s": megapixels / min(own),
        }
        contender.close()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("slides", nargs="+", metavar="SLIDE")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, len(os.sched_getaffinity(0))])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every figure here")
    parser.add_argument(
        "--contender",
        action="append",
        default=[],
        metavar="NAME[=PYTHON]",
        help="repeat for each; the first is what the others are compared with (default: microtome tifffile)",
    )
    args = parser.parse_args()
    pythons = dict(
        (c.partition("=")[0], c.partition("=")[2] or sys.executable)
        for c in args.contender or ["microtome", "tifffile"]
    )
    for name in pythons:
        if not (HERE / f"with_{name}.py").exists():
            known = sorted(path.stem.removeprefix("with_") for path in HERE.glob("with_*.py"))
            parser.error(f"no contender {name!r} here; there are {', '.join(known)}")

    results = []
    for slide in args.slides:
        for workers in args.workers:
            result = measure(slide, workers, pythons, args.rounds)
            results.append(result)
            cells = "  ".join(
                f"{name} {c['ratio']:.2f} ({c['best_mp_per_s']:.0f} MP/s)"
                for name, c in result["contenders"].items()
            )
            print(f"{result['slide']:32} workers {workers}:  {cells}", flush=True)
    if args.json:
        machine = {
            "cpus": len(os.sched_getaffinity(0)),
            "processor": platform.processor(),
            "python": platform.python_version(),
        }
        args.json.write_text(json.dumps({"machine": machine, "results": results}, indent=1))


if __name__ == "__main__":
    main()
