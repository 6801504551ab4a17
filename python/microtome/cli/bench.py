"""`microtome bench`: this file on this machine, read by us and by the other readers that are installed."""

from __future__ import annotations

import contextlib
import statistics
from typing import NamedTuple

import click
import numpy as np
from rich.table import Table
from rich.text import Text

from .. import Slide, grid
from .._core import available_cpus
from . import terminal
from .failure import Exit, Failure
from .options import SIZE, checked, json_option, opened, quiet_option, slide_argument, workers_option
from .peers import PEERS, installed
from .peers.process import ReaderProcess, Task

MOST_PIXELS = 60e6  # of the level that is read whole
MOST_PATCHES = 400
BAR = 32  # columns of the longest bar


class Measured(NamedTuple):
    """What a reader did with a task.

    Attributes
    ----------
    reader : str
    version : str or None
    rate : float or None
        Units a second: megapixels, or patches. The median of the rounds.
    ratio : float or None
        Its time divided by ours, in the same round; the median. Above 1 ours is faster.
    difference : int or None
        Largest difference of a sample from ours.
    problem : str
        Why there are no numbers.
    """

    reader: str
    version: str | None
    rate: float | None = None
    ratio: float | None = None
    difference: int | None = None
    problem: str = ""


class Timing(NamedTuple):
    """A task with its name, and how many units of what it is."""

    name: str
    unit: str
    amount: float
    task: Task


@click.command("bench", short_help="This file on this machine, beside the other readers installed.")
@slide_argument
@click.option(
    "--rounds", type=click.IntRange(1), default=5, show_default=True, help="Each reader once in every round."
)
@click.option("--size", type=SIZE, default="256", show_default=True, help="Of the patches.")
@click.option(
    "--reader",
    "readers",
    type=click.Choice(list(PEERS)),
    multiple=True,
    help="Only this one (again for more).",
)
@workers_option
@quiet_option
@json_option
def command(slide, rounds, size, readers, workers, quiet, as_json):
    """Reads SLIDE with Microtome and with the other readers that are installed, in turns, and shows a chart.

    Each reader runs in a process of its own, with the file in the system's cache. Three tasks: the largest level of at
    most 60 megapixels as a whole, neighbouring patches of level 0, and random ones.
    """
    with opened(slide) as opened_slide:
        if opened_slide.channels != 3 or opened_slide.dtype != np.uint8:
            raise Failure(
                Exit.USAGE,
                f"only 8-bit RGB is compared; {slide} has {opened_slide.channels} × {opened_slide.dtype}",
            )
        timings = checked(timings_of, opened_slide, size)
    names = ["microtome", *(name for name in readers or installed() if name != "microtome")]
    workers = workers or available_cpus()
    results = _measure(slide, names, workers, timings, rounds, quiet)
    if as_json:
        terminal.print_json(
            {
                "path": slide,
                "workers": workers,
                "rounds": rounds,
                "tasks": [
                    {
                        "task": timing.name,
                        "unit": timing.unit + "/s",
                        "readers": [each._asdict() for each in found],
                    }
                    for timing, found in results
                ],
            }
        )
        return
    for timing, found in results:
        terminal.show(chart(timing, found), "")
    if len(names) == 1 and not readers:
        terminal.note(
            "no other reader is installed; pip install openslide-bin openslide-python tifffile adds two"
        )


def timings_of(slide: Slide, size: tuple[int, int]) -> list[Timing]:
    """The tasks for a slide."""
    level = next(
        (each for each in slide.levels if each.size[0] * each.size[1] <= MOST_PIXELS), slide.levels[-1]
    )
    w, h = level.size
    mp = w * h / 1e6
    locations = grid(slide, size)
    # Neighbours from the slide's middle, where there is tissue more often than at its top.
    first = max(0, len(locations) // 2 - MOST_PATCHES // 2)
    near = locations[first : first + MOST_PATCHES]
    free = [max(1, slide.size[axis] - size[axis]) for axis in (0, 1)]
    far = np.random.default_rng(0).integers(0, free, (min(MOST_PATCHES, len(locations)), 2))
    patch = f"patches of {size[0]}×{size[1]}"
    return [
        Timing(f"level {level.index}, {w}×{h}, whole", "MP", mp, Task("level", level.index, (w, h))),
        Timing(f"{len(near)} neighbouring {patch}", "patches", len(near), _patches(near, size)),
        Timing(f"{len(far)} random {patch}", "patches", len(far), _patches(far, size)),
    ]


def _patches(locations, size):
    return Task("patches", [tuple(each) for each in locations.tolist()], size)


def _measure(slide, names, workers, timings, rounds, quiet):
    """[(Timing, [Measured, …]), …]. Readers take turns, so that what disturbs the machine disturbs them alike."""
    with contextlib.ExitStack() as stack, terminal.progress("reads", hidden=quiet) as progress:
        bar = progress.add_task("reads", total=len(timings) * len(names) * (rounds + 1))
        running = {}
        for name in names:
            running[name] = ReaderProcess(name, slide, workers)
            stack.callback(running[name].close)
        results = []
        for timing in timings:
            answers = {name: [] for name in names}
            for _ in range(rounds + 1):  # the first is a warm-up
                for name in names:
                    answers[name].append(running[name].ask(timing.task))
                    progress.update(bar, advance=1)
            if problem := answers["microtome"][-1].problem:
                raise Failure(Exit.BROKEN, f"{slide}: {problem}; 'microtome verify' lists all that is broken")
            results.append((timing, [measured(name, timing, answers) for name in names]))
    return results


def measured(name: str, timing: Timing, answers: dict) -> Measured:
    """What a reader's answers come to, beside ours; the first round is left out."""
    own, ours, version = answers[name], answers["microtome"], PEERS[name].version()
    if problem := next((each.problem for each in own if each.problem), ""):
        return Measured(name, version, problem=problem)
    seconds = [each.seconds for each in own[1:]]
    ratios = [each.seconds / reference.seconds for each, reference in zip(own[1:], ours[1:], strict=True)]
    difference = None
    if own[0].pixels.shape == ours[0].pixels.shape:
        difference = int(np.abs(own[0].pixels.astype(int) - ours[0].pixels.astype(int)).max())
    rate = timing.amount / statistics.median(seconds)
    return Measured(name, version, round(rate, 2), round(statistics.median(ratios), 3), difference)


def chart(timing: Timing, found: list[Measured]) -> Table:
    """Bars as long as the readers are fast, the fastest first."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", title_justify="left")
    table.add_column(timing.name, no_wrap=True, min_width=26)
    table.add_column("", no_wrap=True)
    table.add_column(f"{timing.unit}/s", justify="right", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("pixels", no_wrap=True)
    most = max(each.rate for each in found if each.rate is not None)
    for each in sorted(found, key=lambda each: -(each.rate or 0)):
        label = f"{each.reader} {each.version or ''}".strip()
        if each.rate is None:
            table.add_row(label, Text(each.problem, style="dim"))
            continue
        own = each.reader == "microtome"
        bar = Text("█" * max(1, round(BAR * each.rate / most)), style="bright_magenta" if own else "blue")
        pixels = (
            ""
            if own
            else "differ"
            if each.difference is None
            else "same"
            if each.difference == 0
            else f"±{each.difference}"
        )
        table.add_row(label, bar, f"{each.rate:,.0f}", "1" if own else f"{each.ratio:.2f}", pixels)
    return table
