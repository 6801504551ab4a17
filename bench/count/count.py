#!/usr/bin/env python3
"""Counts the instructions of fixed jobs and compares them with bench/count/expected.json.

    python bench/count/count.py MICROTOME_COUNT [--update] [--report FILE] [--work DIR]

`make bench-count` calls it. Needs valgrind, and what tools/make_slides.py needs. Exit status 1 if a count has moved;
see compare.py for what that is. --update writes expected.json anew and says what changed. --report writes the verdicts
and notes as JSON.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "tools")]

import callgrind  # noqa: E402
import compare  # noqa: E402
import make_slides  # noqa: E402

EXPECTED = HERE / "expected.json"
SHAPE_SCALE = 1 / 64  # of a slide of the shapes A to F


def describe(program):
    """({job: slide}, {what the counts depend on: version}) of a microtome_count."""
    lines = subprocess.run([program], check=True, capture_output=True, text=True).stdout.splitlines()
    facts = dict(line.split("\t") for line in lines)
    jobs = {name.removeprefix("job "): slide for name, slide in facts.items() if name.startswith("job ")}
    made_with = {name: fact for name, fact in facts.items() if not name.startswith("job ")}
    valgrind = subprocess.run(["valgrind", "--version"], check=True, capture_output=True, text=True)
    made_with |= {"valgrind": valgrind.stdout.strip(), "libc": " ".join(platform.libc_ver())}
    with open(
        "/proc/cpuinfo"
    ) as cpuinfo:  # valgrind offers programs AVX2 where the machine has it, and no more
        made_with["instructions"] = "avx2" if " avx2" in cpuinfo.read() else platform.machine()
    return jobs, made_with


def make(slides, folder):
    """Makes the slides, from fixed seeds; returns {file name: the beginning of its SHA-256}."""
    digests = {}
    for slide in sorted(slides):
        make_slides.make(Path(slide).stem, folder / slide, scale=SHAPE_SCALE)
        digests[slide] = hashlib.sha256((folder / slide).read_bytes()).hexdigest()[:16]
    return digests


def measure(program, work):
    """{"made_with", "slides", "jobs": {job: {"own", "system", "codec"}}}, as in expected.json."""
    jobs, made_with = describe(program)
    folder = work / "slides"
    folder.mkdir(parents=True, exist_ok=True)
    digests = make(set(jobs.values()), folder)

    def one(job):
        return job, callgrind.count(program, job, folder, work / f"{job}.callgrind")

    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return {"made_with": made_with, "slides": digests, "jobs": dict(pool.map(one, jobs))}


def print_table(found, expected):
    print(f"{'job':24} {'own':>12} {'system':>12} {'codec':>13}   own, all to expected")
    for job, parts in found["jobs"].items():
        before = expected["jobs"].get(job)
        ratios = ""
        if before:
            whole = compare.total(parts) / compare.total(before)
            ratios = f"{parts['own'] / before['own']:8.4f} {whole:8.4f}"
        print(f"{job:24} {parts['own']:12,} {parts['system']:12,} {parts['codec']:13,}   {ratios}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", type=Path)
    parser.add_argument("--update", action="store_true", help="write the expected values anew")
    parser.add_argument("--report", type=Path, help="write the verdicts as JSON")
    parser.add_argument(
        "--work", type=Path, default=ROOT / "build" / "count", help="slides, callgrind's files"
    )
    options = parser.parse_args()
    found = measure(options.program.resolve(), options.work)
    expected = json.loads(EXPECTED.read_text()) if EXPECTED.exists() else found | {"jobs": {}}
    print_table(found, expected)
    if options.update:
        EXPECTED.write_text(json.dumps(found, indent=1) + "\n")
        print(*compare.changes(expected, found), f"written: {EXPECTED.relative_to(ROOT)}", sep="\n")
        expected = found
    verdicts, notes = compare.compare(expected, found)
    wrong = [message for _, message in verdicts if message]
    print(*notes, *wrong, sep="\n")
    if options.report:
        options.report.write_text(json.dumps({"verdicts": verdicts, "notes": notes}))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
