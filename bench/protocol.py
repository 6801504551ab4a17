"""How the runner and a contender's process speak to each other. This docstring is the authority; both sides keep to it.

A contender is a process. It is started with one argument, a job, as JSON (the Python contenders get their name before
it: see contend.py):

    task       "whole_level", "grid", "random", "shuffled_loader", "many_slides", "latency", "open", "memory", "import"
    variant    whole_level: "fresh", "out"; grid: "aligned", "half", "half-large", "overlap"; random: "dense",
               "sparse"; else ""
    slide      path of the slide; the first of `slides` for many_slides
    slides     paths for many_slides, else null
    level      0
    workers    threads that may decode at once; the process is pinned to as many CPUs, or to all there are if fewer
    size       [w, h] of a patch in pixels, or null
    batch      patches of a batch (64)
    locations  path of a file of little-endian int64 pairs x, y: the level-0 corners of the patches, in the order in
               which they are wanted; or null. No patch passes the slide's edge. many_slides: the same for each slide

It prints one line of facts, when it is ready to work (libraries imported, slide open, for "out" the memory touched):

    {"name": ..., "version": ..., "pixels": pixels that one run delivers}    or    {"unsupported": reason}, and ends

Then it answers each line of its input with one line, and ends with its input:

    run        does the work once:                                       {"seconds": s}
    save PATH  does the work once and writes the result to PATH:         {"saved": bytes}
    memory     {"rss_bytes": now, "peak_rss_bytes": the highest since the last "memory", or since the start}

or {"error": message}, after which it may be asked again. Lines end with a newline; JSON lines hold no other. Whatever
a library prints must not come out on this standard output.

What counts. `seconds` is measured inside, by a monotonic clock, from the request to the last pixel in host memory;
giving memory back is not part of it. Caches of decoded tiles are empty when a run begins (latency: the tiles are
cached, if the contender can). A run of `latency` or `open` repeats its work as often as it takes to measure it well and
reports the median. What a run delivers, and what `save` writes, raw uint8 RGB:

    whole_level  the level, H*W*3. "fresh": memory allocated in the run. "out": memory given beforehand, always the same
    grid, random, many_slides   N*h*w*3, patches in the order of `locations` (many_slides: slide after slide). A run
                 delivers arrays of `batch` patches one after another; the next may take the memory of the last
    shuffled_loader   the same patches in a random order of the contender's own; `save` puts them back in order
    latency      one patch, into memory given beforehand where that is possible
    open         nothing (zero bytes): opens the slide, looks at its size, closes it
    memory       as whole_level "fresh"
    import       nothing: loads the library, once per process

A bare codec loop ("floor") decodes each tile wanted exactly once: for whole levels straight into the level with its
stride, for patches into a tile that it keeps to the end, from which the patches are copied into one reused batch.
"""

from __future__ import annotations

import json
import os
import sys

LOCATIONS_DTYPE = "<i8"


def peak_rss():
    """This process's memory now and at its highest, in bytes; begins a new highest."""
    status = {}
    with open("/proc/self/status") as file:
        for line in file:
            key, _, value = line.partition(":")
            if key in ("VmRSS", "VmHWM"):
                status[key] = int(value.split()[0]) * 1024
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    return {"rss_bytes": status["VmRSS"], "peak_rss_bytes": status["VmHWM"]}


def private_output():
    """Standard output for answers alone; what libraries print goes to standard error from now on."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return answers


def serve(work, answers):
    """The contender's side: `work` has `facts`, `run()` -> seconds and `save(path)` -> bytes."""

    def answer(line):
        command, _, argument = line.strip().partition(" ")
        if command == "run":
            return {"seconds": work.run()}
        if command == "save":
            return {"saved": work.save(argument)}
        if command == "memory":
            return peak_rss()
        raise ValueError(f"unknown request {line!r}")

    print(json.dumps(work.facts), file=answers, flush=True)
    for line in sys.stdin:
        try:
            reply = answer(line)
        except Exception as error:  # the contender's failure is a result, told to the runner
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), file=answers, flush=True)
