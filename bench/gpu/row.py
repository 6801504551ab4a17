"""What a row of the acceptance table is, and what its function is given."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

ROWS = {}  # "A1" → Row, in the table's order


class NotMeasurable(Exception):
    """The row cannot be run here; says why."""


@dataclass(frozen=True)
class Row:
    name: str
    title: str
    wanted: str  # what passes
    run: object  # function of a Bench: returns (passed, {figure: value})
    proves: bool  # that something is right, which a dry run shows as well


def row(name, title, wanted, proves=False):
    """Decorator: adds the function as a row."""

    def add(function):
        ROWS[name] = Row(name, title, wanted, function, proves)
        return function

    return add


@dataclass
class Bench:
    """The machine, and how much is done. In a dry run each step is done once, on little."""

    dry: bool
    folder: Path  # for slides
    driver: object  # driver.Driver
    rivals: Path | None = None  # a Python that has the rivals
    figures: dict = field(default_factory=dict)  # of the rows before, by name

    @property
    def cores(self):
        import os

        return min(16, len(os.sched_getaffinity(0)))

    def of(self, full, dry):
        """A size: of a real run, or of a dry one."""
        return dry if self.dry else full

    def times(self, job):
        """Seconds of each run after the warm-ups; `job` returns when all is done."""
        for _ in range(self.of(3, 0)):
            job()
        seconds = []
        for _ in range(self.of(7, 1)):
            start = time.perf_counter()
            job()
            seconds.append(time.perf_counter() - start)
        return seconds

    def rate(self, job, pixels):
        """Median and best gigapixels per second of a job of so many pixels."""
        seconds = self.times(job)
        return {
            "gigapixels_per_s": pixels / statistics.median(seconds) / 1e9,
            "best_gigapixels_per_s": pixels / min(seconds) / 1e9,
        }

    def known(self, name, figure):
        """A figure of a row before this one."""
        found = self.figures.get(name, {}).get(figure)
        if found is None:
            raise NotMeasurable(f"{name} has no {figure} to compare with")
        return found
