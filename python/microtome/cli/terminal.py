"""What goes to the terminal: facts to standard output, notes and progress to standard error.

Text of the user's (paths, properties) is never read as markup. Where standard output is no terminal, lines are as long
as they need to be, so that `grep` and `cut` see them whole.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from .failure import one_line, writing

LINE_EVERY_S = 30
WIDE = 1000  # columns of an output that is no terminal


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # rich's own way is to exit with 1


def _console(file):
    console = _Console(file=file, highlight=False, markup=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = WIDE
    return console


def show(*parts: Any) -> None:
    """Facts for people, to standard output: strings, tables, any of rich's renderables, each on lines of its own."""
    console = _console(sys.stdout)
    with writing("standard output"):
        if console.is_terminal:
            for part in parts:
                console.print(part)
        else:
            with console.capture() as captured:
                for part in parts:
                    console.print(part)
            for line in captured.get().splitlines():
                print(line.rstrip())
        sys.stdout.flush()


def print_json(value: Any) -> None:
    """Facts as one JSON document. ASCII where the output's encoding could not hold the rest."""
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    with writing("standard output"):
        print(json.dumps(value, ensure_ascii=not unicode, indent=2), flush=True)


def note(message: str) -> None:
    """One line to standard error."""
    print(one_line(message), file=sys.stderr, flush=True)


def tolerate_any_text() -> None:
    """Characters that a stream's encoding lacks become escapes instead of errors: file names can have any bytes."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def si(value: float, unit: str) -> str:
    """A number of bytes or the like to three digits: 1.23 MB."""
    for prefix, least in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= least:
            return f"{value / least:.3g} {prefix}{unit}"
    return f"{value:.0f} {unit}"


def count(number: int, one: str, many: str | None = None) -> str:
    """ "1 level", "3 levels"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


class RateColumn(ProgressColumn):
    """How many a second, of late."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} {self._unit}/s", style="cyan")


class Lines:
    """Progress as a line now and then, for logs; as much of rich's Progress as the commands use."""

    def __init__(self, unit: str, clock=time.monotonic) -> None:
        self._unit = unit
        self._clock = clock
        self._done = self._total = self._first = 0
        self._begin = self._shown = 0.0

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def add_task(self, description: str, *, total: int, completed: int = 0) -> int:
        self._done = self._first = completed
        self._total = total
        self._begin = self._shown = self._clock()
        return 0

    def update(self, task: int, *, advance: int = 0, completed: int | None = None) -> None:
        self._done = self._done + advance if completed is None else completed
        now = self._clock()
        if now - self._shown < LINE_EVERY_S or self._done >= self._total:
            return
        self._shown = now
        rate = (self._done - self._first) / (now - self._begin)
        left = f", {(self._total - self._done) / rate:,.0f} s left" if rate else ""
        note(f"{self._done} of {self._total} {self._unit}, {rate:,.0f} {self._unit}/s{left}")


def progress(unit: str, *, hidden: bool = False) -> Progress | Lines:
    """On standard error: a bar with count, rate and time left, or, where that is no terminal, a line now and then."""
    console = _console(sys.stderr)
    if not console.is_terminal and not hidden:
        return Lines(unit)
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        RateColumn(unit),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=hidden,
    )
