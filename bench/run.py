#!/usr/bin/env python3
"""Measures whole-slide readers against each other: every task, every contender, interleaved.

    python bench/run.py SLIDES_DIR --json FILE [--floor PROGRAM] [--peers PYTHON] [--cucim21 PYTHON] [--quick] [--cold]
           [--tasks T[:VARIANT] ...] [--slides S ...] [--contenders C ...] [--workers 1 2] [--rounds 7] [--done-when]

A row is one task on one slide with one number of workers. Each of its contenders runs in a process of its own, pinned
to as many CPUs as it has workers. First each one's pixels are compared with Microtome's, which also warms it up. Then
a round asks every contender once, in rotating order, so that a slow spell of the machine hits all of them alike.
Reported is the median over rounds of a contender's time divided by Microtome's in the same round, and its best time.
Contenders that are slow and that no goal (goals.py) is set against take part in a few rounds only.

The row's figures are printed as they come and written to FILE after each row; report.py makes pages of such files.
`--cold` drops the slide from the page cache before each run. Slides are found by name in SLIDES_DIR and, real ones, in
$MICROTOME_SLIDES or ../shared/slides. Contenders that are not installed are left out and said so.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import contenders
import machine
import matrix
import pixels
import tasks
import tifffile
from process import HERE, Failed, Process

ROOT = HERE.parent
JPEG2000 = (33003, 33005, 34712)
FEW_ROUNDS = 2
MEMORY_ROUNDS = 3  # a process each
FULL = "-full"
BRISK_S = 2.0  # a contender takes part in as many rounds as fit in here, and no fewer than FEW_ROUNDS


@dataclass(frozen=True)
class SlideFacts:
    name: str
    path: Path
    size: tuple
    tile: int
    jpeg2000: bool


def find_slide(name, folders):
    for folder in folders:
        if name.endswith(FULL):  # at its full size, from the folder beside
            folder, stem = folder.with_name(folder.name + FULL), name.removesuffix(FULL)
        else:
            stem = name
        found = sorted(folder.glob(f"**/{stem}.*"))
        if found:
            return found[0]
    return None


def slide_facts(name, path):
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        size = (page.imagewidth, page.imagelength)
        return SlideFacts(name, path, size, page.tilewidth, page.compression in JPEG2000)


class Runner:
    """Everything that the rows have in common: how contenders are started, and a folder for files that pass by."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.cpus = sorted(os.sched_getaffinity(0))

    def command(self, name):
        """What starts a contender; Failed if nothing does."""
        if name == "floor":
            if not self.options.floor:
                raise Failed("no program was given with --floor")
            return [str(self.options.floor)]
        python = {
            "microtome": sys.executable,
            "numpy_copy": sys.executable,
            "cucim21": self.options.cucim21,
        }.get(name, self.options.peers)
        if not python:
            raise Failed(f"no Python was given for {name}")
        return [str(python), str(HERE / "contend.py"), name]

    def job(self, slide, row, task, variant, workers):
        """(the job, counts for the tables); None where the task has nothing to do on this slide."""
        options = argparse.Namespace(patch_tiles=row.patch_tiles if slide.jpeg2000 else 0)
        plan = tasks.load(task).plan(slide, variant, options)
        if plan is None:
            return None, None
        locations, slides = plan.get("locations"), None
        if locations is not None:
            path = self.folder / f"{slide.name}-{task}-{variant}.locations"
            locations.astype("<i8").tofile(path)
            locations = str(path)
        if "copies" in plan:
            slides = self.copies(slide, plan["copies"])
        job = {
            "task": task,
            "variant": variant,
            "slide": slides[0] if slides else str(slide.path),
            "slides": slides,
            "level": 0,
            "workers": workers,
            "size": plan.get("size"),
            "batch": 64,
            "locations": locations,
        }
        return job, plan.get("counts", {})

    def copies(self, slide, count):
        """Paths of `count` files with the slide's content: hard links where the file system lets us."""
        paths = [self.folder / f"{slide.name}-{i}{slide.path.suffix}" for i in range(count)]
        for path in paths:
            if not path.exists():
                try:
                    os.link(slide.path, path)
                except OSError:
                    shutil.copyfile(slide.path, path)
        return [str(path) for path in paths]

    def start(self, name, job):
        cpus = self.cpus[: min(job["workers"], len(self.cpus))]
        return Process(self.command(name), job, cpus, self.options.patience)

    def drop_from_page_cache(self, path):
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


class Entry:
    """One contender, or Microtome at a companion's job, in one row."""

    def __init__(self, runner, name, label, job):
        self.runner, self.name, self.label, self.job = runner, name, label, job
        self.result = {"contender": name, "values": []}
        if label:
            self.result["label"] = label
        self.process, self.rounds, self.seconds = None, 0, 0.0
        self.alive = True

    def attempt(self, action):
        """action(), or None once the contender has failed, which takes it out of the row."""
        if not self.alive:
            return None
        try:
            return action()
        except Failed as error:
            self.alive = False
            self.result["unsupported"] = str(error)
            self.close()
            return None

    def start(self):
        self.process = self.runner.start(self.name, self.job)

    def wait(self):
        """Until it is ready to work."""
        facts = self.process.ready()
        self.result |= {key: facts[key] for key in ("version", "pixels")}

    def save(self, path):
        begin = time.monotonic()
        self.process.ask(f"save {path}")
        self.seconds = time.monotonic() - begin

    def value(self):
        return self.process.ask("run")["seconds"]

    def peak(self):
        """Bytes that the first run of a fresh process needs above what it had when it was ready."""
        self.close()
        self.start()
        self.wait()
        before = self.process.ask("memory")["rss_bytes"]
        self.process.ask("run")
        return self.process.ask("memory")["peak_rss_bytes"] - before

    def close(self):
        if self.process:
            self.process.close()
            self.process = None


def compare_pixels(entries, folder):
    """Has every contender save its result, which warms it up, and compares it with the first one's."""
    reference, other = folder / "reference.raw", folder / "other.raw"
    for entry in entries:
        path = other if reference.exists() else reference
        entry.attempt(lambda entry=entry, path=path: entry.save(path))
        if entry.alive and not entry.label and path is other:
            entry.result["pixels_compared"] = pixels.difference(other, reference)
    for path in (reference, other):
        path.unlink(missing_ok=True)


def set_rounds(entries, row, rounds):
    for entry in entries:
        leading = entry.label or entry.name in ("microtome", *row.steady)
        fitting = max(FEW_ROUNDS, int(BRISK_S / max(entry.seconds, 1e-3)))
        entry.rounds = rounds if leading else min(rounds, fitting)


def run_rounds(entries, row, runner, rounds):
    """Fills in the values: one for each round, None where a contender did not take part."""
    for number in range(rounds):
        shift = number % len(entries)
        for entry in entries[shift:] + entries[:shift]:
            value = None
            if number < entry.rounds:
                if runner.options.cold:
                    runner.drop_from_page_cache(entry.job["slide"])
                value = entry.attempt(entry.peak if row.task == "memory" else entry.value)
            entry.result["values"].append(value)


def summarise(entries):
    base = entries[0].result["values"]
    for entry in entries:
        own = [value for value in entry.result["values"] if value is not None]
        if entry.alive and own:
            pairs = [(a, b) for a, b in zip(entry.result["values"], base, strict=True) if a and b]
            entry.result |= {"best": min(own), "median": statistics.median(own)}
            if pairs:
                entry.result["ratio"] = statistics.median(a / b for a, b in pairs)


def measure(row, slide, runner):
    """The row's result, or None where it makes no sense for the slide."""
    job, counts = runner.job(slide, row, row.task, row.variant, row.workers)
    if job is None:
        return None
    wanted = [name for name in row.contenders if name in runner.options.contenders]
    entries = [Entry(runner, name, "", job) for name in wanted]
    for companion in row.companions if "microtome" in wanted else ():
        other, _ = runner.job(slide, row, companion.task, companion.variant, companion.workers)
        if other:
            entries.append(Entry(runner, "microtome", companion.label, other))
    rounds = runner.options.rounds if row.task != "memory" else min(MEMORY_ROUNDS, runner.options.rounds)
    try:
        for step in (Entry.start, Entry.wait):  # they load their libraries side by side
            for entry in entries:
                entry.attempt(lambda entry=entry, step=step: step(entry))
        if not runner.options.cold:
            compare_pixels(entries, runner.folder)
        set_rounds(entries, row, rounds)
        run_rounds(entries, row, runner, rounds)
    finally:
        for entry in entries:
            entry.close()
    summarise(entries)
    return {
        "task": row.task,
        "variant": row.variant,
        "slide": slide.name,
        "slide_size": slide.size,
        "workers": row.workers,
        "cold": runner.options.cold,
        "unit": "bytes" if row.task == "memory" else "s",
        "rounds": rounds,
        **counts,
        "entries": [entry.result for entry in entries],
    }


def line(result):
    """A row's figures for the terminal: ratios to the first contender, then its own best."""
    cells = []
    for entry in result["entries"]:
        name = entry.get("label") or entry["contender"]
        if "unsupported" in entry:
            cells.append(f"{name} -")
        elif "ratio" in entry:
            odd = entry.get("pixels_compared", {"equal": True})
            mark = "" if odd["equal"] else "~" if "max" in odd else "!"
            cells.append(f"{name} {entry['ratio']:.2f}{mark}")
    name = " ".join(filter(None, (result["task"], result["variant"], result["slide"])))
    best = result["entries"][0].get("best")
    unit = f"{best * 1e3:.3g} ms" if result["unit"] == "s" and best else f"{(best or 0) / 2**20:.0f} MiB"
    return f"{name:28} x{result['workers']}  {unit:>9}  {'  '.join(cells)}"


def chosen_rows(options):
    found = matrix.rows(options.workers)
    if options.quick:
        found = matrix.quick(found)
    if options.tasks:
        found = [r for r in found if r.task in options.tasks or f"{r.task}:{r.variant}" in options.tasks]
    if options.slides:
        named = [r for r in found if r.slide in options.slides]
        found = named or [r for r in found if r.task == "import"]
    return found


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="SLIDES_DIR")
    parser.add_argument("--json", type=Path, required=True, metavar="FILE")
    parser.add_argument("--floor", type=Path, help="the bare codec loops: microtome_floor")
    parser.add_argument("--peers", help="a Python with the other libraries: setup_peers.py makes one")
    parser.add_argument("--cucim21", metavar="PYTHON", help="a Python 3.9 with cucim==21.12.1")
    parser.add_argument("--tasks", nargs="+", metavar="TASK[:VARIANT]")
    parser.add_argument("--slides", nargs="+")
    parser.add_argument("--contenders", nargs="+", default=list(contenders.NAMES), choices=contenders.NAMES)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--patience", type=float, default=300, metavar="S", help="for one answer of a contender"
    )
    parser.add_argument("--quick", action="store_true", help="fewer slides and three rounds, one worker")
    parser.add_argument("--cold", action="store_true", help="read from the disk; pixels are not compared")
    parser.add_argument(
        "--done-when", action="store_true", help="also print how the goals are met (goals.py)"
    )
    options = parser.parse_args()
    if options.quick:
        options.workers, options.rounds = options.workers[:1], min(options.rounds, 3)
    return options


def main():
    options = parse()
    real = Path(os.environ.get("MICROTOME_SLIDES", ROOT.parent / "shared" / "slides"))
    results = {
        "machine": machine.describe(),
        "settings": {"rounds": options.rounds, "cold": options.cold, "few_rounds": FEW_ROUNDS},
        "rows": [],
    }
    begin = time.monotonic()
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "build", prefix="bench-") as folder:
        runner = Runner(options, Path(folder))
        for row in chosen_rows(options):
            path = find_slide(row.slide, [options.folder, real])
            if path is None:
                print(f"{row.name:28} x{row.workers}  no slide of that name", flush=True)
                continue
            started = time.monotonic()
            result = measure(row, slide_facts(row.slide, path), runner)
            if result:
                result["took_s"] = round(time.monotonic() - started, 1)
                results["rows"].append(result)
                results["minutes"] = round((time.monotonic() - begin) / 60, 1)
                options.json.write_text(json.dumps(results, indent=1))
                print(line(result), flush=True)
    if options.done_when:
        import goals

        print(goals.table(results["rows"]))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that contenders are ended too
    with contextlib.suppress(KeyboardInterrupt):
        main()
