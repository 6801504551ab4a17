"""One file for each task. Both sides of a task stand together:

    plan(slide, variant, options) -> dict    the runner's: what the job says besides slide and workers; None where the
                                             variant makes no sense for the slide
    work(contender, job) -> object           the contender's process: `facts`, `run()` -> seconds, `save(path)` -> bytes

The contender's side runs on Python 3.9 too.
"""

from __future__ import annotations

import importlib

# name: (file, variants)
TASKS = {
    "whole_level": ("whole_level", ("fresh", "out")),
    "grid": ("grid", ("aligned", "half", "overlap")),
    "random": ("random_patches", ("dense", "sparse")),
    "shuffled_loader": ("shuffled_loader", ("",)),
    "many_slides": ("many_slides", ("",)),
    "latency": ("latency", ("",)),
    "open": ("open_slide", ("",)),
    "memory": ("memory", ("",)),
    "import": ("import_time", ("",)),
}


def load(name):
    return importlib.import_module("tasks." + TASKS[name][0])
