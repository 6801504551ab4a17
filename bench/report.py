#!/usr/bin/env python3
"""Writes the results into docs/benchmarks.md: tables and charts, between the marks that stand there.

    python bench/report.py RESULTS.json ... [--page docs/benchmarks.md]

Several files are parts of one run on one machine (run.py --tasks, --slides, --workers); of a row that stands in two,
the last one counts. The charts go to a folder beside the page, named like it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import goals
import pixels
from chart import Panel, draw, number

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- results: written by bench/report.py -->", "<!-- end of results -->"
SHOWN = {
    "microtome": "Microtome",
    "floor": "bare codec",
    "tifffile": "tifffile",
    "cucim": "cuCIM",
    "cucim_cache": "cuCIM, cache",
    "cucim21": "cuCIM 21, cache",
    "openslide": "OpenSlide",
    "tiffslide": "tiffslide",
    "fastslide": "FastSlide",
    "slideio": "slideio",
    "pyvips": "pyvips",
    "numpy_copy": "NumPy copy",
}
BARE = ("floor", "numpy_copy")
TASKS = {
    ("whole_level", "fresh"): "Whole level, a new array each time",
    ("whole_level", "out"): "Whole level, into a given array",
    ("grid", "aligned"): "Grid of patches on the tiles",
    ("grid", "half"): "Grid of patches half a tile off",
    ("grid", "half-large"): "Grid of patches half a tile off, on large slides, beside the grid on the tiles",
    ("grid", "overlap"): "Grid of patches overlapping by half",
    ("random", "dense"): "Random patches, each tile wanted about four times",
    ("random", "sparse"): "Random patches, no tile wanted twice",
    ("shuffled_loader", ""): "Shuffled loader over the grid half a tile off",
    ("many_slides", ""): "Many slides, eight patches of each",
    ("latency", ""): "One 256 x 256 patch, its tiles cached",
    ("open", ""): "Opening a slide",
    ("memory", ""): "Peak memory of a whole-level read",
    ("import", ""): "Importing the package",
}
CHARTS = {
    "levels": ("Whole level 0, a new array each time", [("whole_level", "fresh")]),
    "grids": (
        "Grids of patches, batches of 64",
        [("grid", "aligned"), ("grid", "half"), ("grid", "overlap")],
    ),
    "random": (
        "Patches in random order",
        [("random", "dense"), ("random", "sparse"), ("shuffled_loader", ""), ("many_slides", "")],
    ),
}
PANEL_TITLES = {"aligned": "on the tiles", "half": "half a tile off", "overlap": "overlapping"}
PANEL_TITLES |= {
    "dense": "dense",
    "sparse": "sparse",
    "shuffled_loader": "shuffled",
    "many_slides": "many slides",
}
KINDS = {"A": "J2K 4:2:2, 240", "B": "JPEG 256", "C": "J2K RGB, 240"}
KINDS |= {name: "JPEG 512, blank" for name in "DEF"} | {"1065626": "J2K 4:2:2, 512"}


def merged(parts):
    """One set of results: the last of equal rows, in the order of TASKS, slides and workers."""
    rows = {}
    for part in parts:
        for row in part["rows"]:
            rows[row["task"], row["variant"], row["cold"], row["slide"], row["workers"]] = row
    order = list(TASKS)

    def place(row):
        task = order.index((row["task"], row["variant"]))
        return row["cold"], task, len(row["slide"]), row["slide"], row["workers"]

    return sorted(rows.values(), key=place)


def readers(row):
    """The row's entries that are contenders, Microtome's companions left out."""
    return [entry for entry in row["entries"] if "label" not in entry]


def contenders_of(rows):
    """In SHOWN's order, those that have a figure in any of the rows."""
    named = {entry["contender"] for row in rows for entry in readers(row) if "ratio" in entry}
    return [name for name in SHOWN if name in named]


def speed(row):
    """Microtome's best in the row's own unit."""
    first = row["entries"][0]
    if "best" not in first:
        return "–"
    if row["unit"] == "bytes":
        return f"{first['median'] / 2**20:.0f} MiB"
    best = first["best"]
    time = f"{best * 1e6:.3g} µs" if best < 1e-3 else f"{best * 1e3:.3g} ms" if best < 1 else f"{best:.2f} s"
    if "patches" in row and row["task"] != "latency":
        count = first["pixels"] / (row["entries"][0]["pixels"] / row["patches"]) if row["patches"] else 0
        return f"{time}, {count / best:.0f} patches/s"
    return f"{time}, {first['pixels'] / best / 1e6:.0f} MP/s" if first["pixels"] > 1e6 else time


def cell(entry):
    if entry is None:
        return ""
    if "ratio" not in entry:
        return "–"
    text = number(entry["ratio"])
    if entry["contender"] in BARE or entry["ratio"] >= 1:
        return text
    return f"**◀ {text}**"


def task_table(rows):
    names = [name for name in contenders_of(rows) if name != "microtome"]
    lines = ["| slide | workers | Microtome | " + " | ".join(SHOWN[name] for name in names) + " |"]
    lines.append("|---|---|---|" + "---|" * len(names))
    for row in rows:
        found = {entry["contender"]: entry for entry in readers(row)}
        cells = " | ".join(cell(found.get(name)) for name in names)
        lines.append(f"| {row['slide']} | {row['workers']} | {speed(row)} | {cells} |")
    return "\n".join(lines)


def ahead(rows):
    """Sentences: how often which other reader is ahead of Microtome."""
    wins, total = {}, 0
    for row in rows:
        for entry in readers(row):
            if entry["contender"] not in (*BARE, "microtome") and "ratio" in entry:
                total += 1
                if entry["ratio"] < 1:
                    heading = TASKS[row["task"], row["variant"]]
                    place = f"{heading[0].lower()}{heading[1:]}: {row['slide']} with {row['workers']}"
                    wins.setdefault(entry["contender"], []).append(f"{place} ({number(entry['ratio'])})")
    count = sum(map(len, wins.values()))
    head = f"Microtome is ahead in {total - count} of {total} comparisons with other readers."
    if not count:
        return head
    return (
        head
        + " Ahead of it are (slide with workers, and the ratio):\n\n"
        + "\n".join(f"- {SHOWN[name]}: {'; '.join(places)}" for name, places in wins.items())
    )


def pixel_lines(rows):
    """For each contender: on which slides its pixels are Microtome's, and how far they are elsewhere."""
    found = {}
    for row in rows:
        for entry in readers(row):
            if entry.get("pixels_compared") and entry["contender"] != "microtome" and entry["pixels"]:
                found.setdefault(entry["contender"], {}).setdefault(row["slide"], []).append(
                    entry["pixels_compared"]
                )
    lines = ["| | equal on | else |", "|---|---|---|"]
    for name in SHOWN:
        slides = found.get(name, {}) if name != "numpy_copy" else {}  # it copies what tifffile decoded
        worst = {
            s: max(c, key=lambda d: (not d["equal"], d.get("max", 999))) for s, c in sorted(slides.items())
        }
        equal = ", ".join(s for s, d in worst.items() if d["equal"])
        other = "; ".join(f"{s}: {pixels.described(d)}" for s, d in worst.items() if not d["equal"])
        if slides:
            lines.append(f"| {SHOWN[name]} | {equal} | {other} |")
    return "\n".join(lines)


def unable(rows):
    """What could not be measured and why, each reason once."""
    found = {}
    for row in rows:
        for entry in readers(row):
            if "unsupported" in entry:
                found.setdefault((entry["contender"], entry["unsupported"]), set()).add(row["slide"])
    return "\n".join(
        f"- {SHOWN[name]} ({', '.join(sorted(slides))}): {why}" for (name, why), slides in found.items()
    )


def charts(rows, folder):
    """Writes the SVGs; returns Markdown that shows them."""
    folder.mkdir(exist_ok=True)
    shown = []
    for file, (title, tasks) in CHARTS.items():
        chosen = [row for row in rows if (row["task"], row["variant"]) in tasks]
        names = [name for name in contenders_of(chosen) if name != "microtome"]
        panels = {}
        for row in chosen:
            what = PANEL_TITLES.get(row["variant"] or row["task"], KINDS.get(row["slide"], ""))
            panel = panels.setdefault(f"{row['slide']}: {what}", {})
            for entry in readers(row):
                if "ratio" in entry and entry["contender"] in names:
                    panel.setdefault(SHOWN[entry["contender"]], {})[row["workers"]] = entry["ratio"]
        if panels:
            drawn = [Panel(*item) for item in panels.items()]
            workers = sorted({row["workers"] for row in chosen})
            lines = [SHOWN[name] for name in names]
            (folder / f"{file}.svg").write_text(draw(title, drawn, lines, [SHOWN[b] for b in BARE], workers))
            shown.append(
                f"![{title}: time divided by Microtome's, by slide and reader]({folder.name}/{file}.svg)"
            )
    return "\n\n".join(shown)


def conditions(parts, rows):
    machine = parts[-1]["machine"]
    versions = {e["contender"]: e["version"] for row in rows for e in readers(row) if "version" in e}
    listed = ", ".join(
        f"{SHOWN[name]} {versions[name]}"
        for name in SHOWN
        if name in versions and name not in (*BARE, "cucim_cache")
    )
    kind = "a virtual machine on " if machine["virtual"] else ""
    minutes = sum(part.get("minutes", 0) for part in parts)
    found = sorted(row["rounds"] for row in rows)
    rounds = dict.fromkeys((found[0], found[-1]))
    widest = {"avx2": "AVX2", "avx512f": "AVX-512", "avx512vbmi2": "AVX-512 with VBMI2"}
    vectors = f" ({widest[machine['simd'][-1]]})" if machine.get("simd") else ""
    return (
        f"Measured on {kind}{machine['cpu']}{vectors}, {machine['cores']} cores, {machine['memory_gib']} GiB, Linux "
        f"{machine['kernel']}, Python {machine['python']}, in {minutes:.0f} minutes; {'–'.join(map(str, rounds))} "
        f"rounds a row.\n\nVersions: {listed}."
    )


def results(parts, folder):
    rows = merged(parts)
    warm = [row for row in rows if not row["cold"]]
    cold = [row for row in rows if row["cold"]]
    sections = [conditions(parts, rows), "### At a glance", ahead(warm), charts(warm, folder)]
    for title, chosen in (("", warm), (", cold page cache", cold)):
        for place, heading in TASKS.items():
            found = [row for row in chosen if (row["task"], row["variant"]) == place]
            if found:
                sections += [f"### {heading}{title}", task_table(found)]
    sections += ["### Goals", goals.table(rows), "### Pixels compared with Microtome's", pixel_lines(warm)]
    if reasons := unable(rows):
        sections += ["### Not measured", reasons]
    return "\n\n".join(sections)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("results", type=Path, nargs="+")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "benchmarks.md")
    options = parser.parse_args()
    text = options.page.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        parser.error(f"{options.page} has no lines {BEGIN!r} and {END!r} to write between")
    parts = [json.loads(path.read_text()) for path in options.results]
    found = results(parts, options.page.parent / options.page.stem)
    options.page.write_text(f"{before}{BEGIN}\n\n{found}\n\n{END}{after}")
    print(f"{options.page} is written")


if __name__ == "__main__":
    main()
