"""Importing the package in a fresh process that has imported nothing but `time`."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = "import time; begin = time.perf_counter(); import {}; print(); print(time.perf_counter() - begin)"


def plan(slide, variant, options):
    return {}


class Work:
    def __init__(self, contender, job):
        self.command = [sys.executable, "-c", SCRIPT.format(contender.package)]
        self.facts = {"name": contender.package, "version": contender.version(), "pixels": 0}

    def run(self):
        done = subprocess.run(
            self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True
        )
        return float(done.stdout.split()[-1])

    def save(self, path):
        open(path, "wb").close()
        return 0


def work(contender, job):
    return Work(contender, job)
