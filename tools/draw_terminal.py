#!/usr/bin/env python3
"""Draws what the command line shows in a terminal, as the small SVGs in docs/terminal/.

    tools/draw_terminal.py [OUT_DIR]

The commands run as they are, on made slides: what they say of time is that of the machine that draws. Needs what
tools/make_slides.py needs.
"""

import argparse
import io
import os
import re
import shutil
import tempfile
from pathlib import Path

import make_slides
import tifffile
from microtome.cli import main as microtome
from microtome.cli import terminal
from microtome.cli.patchsets.job import Job
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = 104

# Nothing from elsewhere: the reader's own monospaced font serves.
FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "font-family: Fira Code, monospace", "font-family: monospace"
)


class Screen:
    """The terminal: all that a command prints, on both streams."""

    def __init__(self):
        self.console = Console(
            record=True, width=COLUMNS, force_terminal=True, color_system="truecolor", file=io.StringIO(),
            highlight=False, markup=False, emoji=False, legacy_windows=False,
        )  # fmt: skip

    def run(self, *arguments):
        """Runs a command line whose output goes here; its exit code."""
        self.console.print("$ microtome " + " ".join(arguments), style="bold")
        kept = terminal._console, terminal.note
        terminal._console = lambda file: self.console
        terminal.note = lambda message: self.console.print(message)
        try:
            return microtome(list(arguments))
        finally:
            terminal._console, terminal.note = kept

    def save(self, path, title):
        name = path.stem
        path.write_text(
            self.console.export_svg(title=title, theme=MONOKAI, code_format=FORMAT, unique_id=name),
            encoding="utf-8",
        )
        print(path)


def damage(path):
    """Overwrites parts of three of level 0's tiles, those with the most bytes."""
    with tifffile.TiffFile(path) as file, open(path, "r+b") as target:
        page = file.pages[0]
        largest = sorted(range(len(page.dataoffsets)), key=lambda i: -page.databytecounts[i])
        for number, after in zip(largest[:3], (0, 300, 1000), strict=True):
            target.seek(page.dataoffsets[number] + after)
            target.write(b"\xff" * (page.databytecounts[number] // 2))


def draw_info(out):
    screen = Screen()
    assert screen.run("info", "tissue.svs") == 0
    screen.save(out / "info.svg", "microtome info")


def draw_patches(out):
    """The bar after half of the batches: the run is stopped there, as by Ctrl-C."""
    screen = Screen()

    class Stopped(Exception):
        pass

    bars = []
    progress, add = terminal.progress, Job.add

    def watched(unit, **options):
        bars.append(progress(unit, **options))
        bars[-1].start = bars[-1].stop = lambda: None  # it is shown when we look at it
        return bars[-1]

    def add_and_look(self, pixels, errors):
        add(self, pixels, errors)
        if self.done > len(self._layout.locations) / 2:
            bars[-1].update(bars[-1].task_ids[0], completed=self.done)
            screen.console.print(bars[-1].get_renderable())
            raise Stopped

    terminal.progress, Job.add = watched, add_and_look
    try:
        screen.run("patches", "tissue.svs", "patches.tar", "--size", "128")
    except Stopped:
        pass
    finally:
        terminal.progress, Job.add = progress, add
    screen.save(out / "patches.svg", "microtome patches")


def draw_verify(out):
    screen = Screen()
    progress = terminal.progress
    terminal.progress = lambda unit, **options: progress(unit, hidden=True)
    try:
        assert screen.run("verify", "damaged.svs") == 4
    finally:
        terminal.progress = progress
    screen.save(out / "verify.svg", "microtome verify")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out_dir", type=Path, nargs="?", default=ROOT / "docs" / "terminal")
    out = parser.parse_args().out_dir.resolve()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make_slides.make("C", "tissue.svs", scale=1 / 64)
        shutil.copyfile("tissue.svs", "damaged.svs")
        damage("damaged.svs")
        for draw in (draw_info, draw_patches, draw_verify):
            draw(out)


if __name__ == "__main__":
    main()
