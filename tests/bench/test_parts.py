"""The runner's parts, on figures that can be worked out by hand."""

import argparse
import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import chart
import goals
import numpy as np
import pixels
import process
import pytest
import report
import tasks
from run import SlideFacts

ALL_TILES = argparse.Namespace(patch_tiles=0)
B = SlideFacts("B", Path("B.tif"), (4980, 6605), 256, False)
D = SlideFacts("D", Path("D.tif"), (6912, 7360), 512, False)


def entry(contender, values, pixels=100, **more):
    return {"contender": contender, "values": values, "best": 1, "median": 1, "pixels": pixels} | more


def row(task, variant, slide, entries, workers=1):
    place = {"task": task, "variant": variant, "slide": slide, "workers": workers}
    return place | {"cold": False, "unit": "s", "rounds": 3, "entries": entries}


def goal(text, against):
    return next(g for g in goals.goals() if g.text == text and g.against == against)


@pytest.mark.parametrize(("own", "verdict"), [([0.8, 9, 0.7], "met"), ([0.8, 9, 0.9], "missed")])
def test_a_goal_is_judged_by_the_median_of_ratios_within_rounds(own, verdict):
    # Ratios 0.8, 1 and 0.7 or 0.9: medians 0.8 and 0.9, whatever the slow round did.
    found = row("whole_level", "fresh", "B", [entry("microtome", own), entry("cucim", [1, 9, 1])])
    figure, judged = goals.judge(goal("whole level, fresh", "cuCIM"), [found])
    assert judged == verdict
    assert figure == {1: (sorted([0.8, 1, own[2]])[1], "B")}


def test_a_round_in_which_one_did_not_take_part_does_not_count():
    found = row("whole_level", "fresh", "B", [entry("microtome", [1, 5]), entry("cucim", [2, None])])
    assert goals.over("cucim")(found) == 0.5
    assert goals.over("tifffile")(found) is None


def test_a_grid_is_compared_with_the_whole_level_by_the_pixel():
    whole = entry("microtome", [1.0], pixels=200, label="whole level")
    found = row("grid", "aligned", "B", [entry("microtome", [0.55], pixels=100), whole])
    assert goals.over("microtome", "whole level", per_pixel=True)(found) == pytest.approx(1.1)


def test_scaling_is_judged_both_ways():
    entries = [
        entry("microtome", [1.0]),
        entry("microtome", [2.0], label="1 worker"),
        entry("microtome", [1.5], label="16 workers"),
    ]
    found = [row("grid", "aligned", "B", entries, workers=2)]
    assert goals.judge(goal("aligned grid", "own, 2 workers / 1 worker"), found) == ({2: (0.5, "B")}, "met")
    judged = goals.judge(goal("aligned grid", "own, 16 workers / 2, on 2 CPUs"), found)
    assert judged == ({2: (1.5, "B")}, "missed")


def test_a_goal_without_rows_is_not_measured():
    assert goals.judge(goal("open, 100,000 tiles", "OpenSlide"), []) == ({}, "not measured")
    assert goals.table([]).count("not measured") == len(goals.goals())


def test_differences_of_pixels_are_counted(tmp_path):
    first, second, longer = (tmp_path / name for name in ("first", "second", "longer"))
    first.write_bytes(bytes([10, 20, 30, 40]))
    second.write_bytes(bytes([10, 23, 29, 40]))
    longer.write_bytes(bytes(5))
    assert pixels.difference(first, first) == {"equal": True}
    assert pixels.difference(second, first) == {"equal": False, "max": 3, "mean": 1.0, "share": 0.5}
    assert pixels.difference(longer, first) == {"equal": False, "sizes": [5, 4]}


@pytest.mark.parametrize("slide", [B, D], ids=["B", "D"])
def test_dense_patches_want_each_tile_four_times_and_sparse_ones_once(slide):
    plan = tasks.load("random").plan
    dense, sparse = (plan(slide, variant, ALL_TILES)["counts"] for variant in ("dense", "sparse"))
    tiles = -(-slide.size[0] // slide.tile) * -(-slide.size[1] // slide.tile)
    assert dense["tiles_wanted"] / tiles == pytest.approx(4, abs=0.05)
    assert sparse["tiles_wanted"] == sparse["tiles"] > tiles / 2


@pytest.mark.parametrize(
    ("variant", "first", "tiles_of_a_patch"), [("aligned", (0, 0), 1), ("half", (128, 128), 4)]
)
def test_grids_lie_as_their_names_say(variant, first, tiles_of_a_patch):
    plan = tasks.load("grid").plan(B, variant, ALL_TILES)
    assert tuple(plan["locations"][0]) == first
    assert plan["counts"]["tiles_wanted"] == tiles_of_a_patch * plan["counts"]["patches"]
    assert (plan["locations"] + 256 <= B.size).all()


def test_a_part_of_a_large_slide_is_its_middle():
    facts = SlideFacts("C", Path("C.svs"), (11500, 8223), 240, True)
    plan = tasks.load("grid").plan(facts, "aligned", argparse.Namespace(patch_tiles=200))
    assert 150 <= plan["counts"]["tiles"] <= 220
    middle = plan["locations"].mean(axis=0) + 120
    assert np.abs(middle - (5750, 4111)).max() < 480


def test_a_page_shows_where_another_reader_is_ahead(tmp_path):
    entries = [
        entry("microtome", [1.0], ratio=1.0, version="1"),
        entry("cucim", [2.0], ratio=2.0, version="2"),
    ]
    entries.append(entry("openslide", [0.5], ratio=0.5, version="3"))
    machine = {"cpu": "a CPU", "cores": 2, "memory_gib": 4, "kernel": "6", "python": "3", "virtual": True}
    results = {"machine": machine, "minutes": 1, "rows": [row("grid", "half", "B", entries)]}
    (tmp_path / "results.json").write_text(json.dumps(results))
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    sys.argv = ["report.py", str(tmp_path / "results.json"), "--page", str(page)]
    report.main()
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    assert "| B | 1 | 1.00 s | 2.0 | **◀ 0.50** |" in text
    assert "ahead in 1 of 2 comparisons" in text
    assert (tmp_path / "page" / "grids.svg").exists()


def test_of_rows_that_stand_in_two_files_the_last_counts():
    old, new = (row("grid", "half", "B", [entry("microtome", [value])]) for value in (1, 2))
    assert report.merged([{"rows": [old]}, {"rows": [new]}]) == [new]


def test_a_dot_lies_on_the_side_of_who_is_ahead():
    drawn = chart.draw("t", [chart.Panel("B & D", {"x": {1: 0.7}, "y": {1: 3.0}})], ["x", "y", "z"], [], [1])
    root = ElementTree.fromstring(drawn)
    space = {"svg": "http://www.w3.org/2000/svg"}
    dots = [float(circle.get("cx")) for circle in root.iterfind(".//svg:circle", space)]
    line = float(root.find(".//svg:line[@class='one']", space).get("x1"))
    assert dots[0] < line < dots[1]
    assert len(root.findall(".//svg:g[@class='win']", space)) == 1


def contender_that(script):
    return process.Process([sys.executable, "-c", script], {}, [0], patience=1 if "sleep" in script else 60)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("import os; os.kill(os.getpid(), 11)", "ended by SIGSEGV"),
        ("raise SystemExit('no such thing')", "ended with status 1: no such thing"),
        ("import time; time.sleep(60)", "no answer within 1 s"),
        ("""print('{"unsupported": "cannot"}')""", "^cannot$"),
    ],
)
def test_a_contender_that_fails_says_why(script, message):
    started = contender_that(script)
    try:
        with pytest.raises(process.Failed, match=message):
            started.ready()
    finally:
        started.close()
