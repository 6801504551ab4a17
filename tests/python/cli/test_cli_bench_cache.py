"""`microtome bench` and `microtome cache`: what they measure is there and adds up; not how fast it is."""

import json
import os
import signal

import pytest
from microtome.cli.bench import Measured, Timing, chart, measured
from microtome.cli.peers import process
from microtome.cli.peers.process import Answer, ReaderProcess, Task
from rich.console import Console


def test_readers_agree(cli, made_slide):
    """On a small slide, with the readers that the tests have."""
    readers = ["--reader", "openslide", "--reader", "tifffile"]
    ran = cli("bench", made_slide("generic-jpeg-420"), "--rounds", "1", "--json", "-q", *readers)
    assert (ran.code, ran.err) == (0, "")
    level, near, far = (task["readers"] for task in json.loads(ran.out)["tasks"])
    for task in (level, near, far):
        assert [each["reader"] for each in task] == ["microtome", "openslide", "tifffile"]
        ours, other, _ = task
        assert ours["ratio"] == 1 and ours["rate"] > 0 and ours["difference"] == 0
        assert other["ratio"] > 0 and other["difference"] == 0 and other["problem"] == ""
    assert level[2]["difference"] == 0
    assert near[2]["problem"] == far[2]["problem"] == "reads no regions"


def test_a_chart_is_shown(cli, made_slide):
    ran = cli(
        "bench", made_slide("generic-jpeg-420"), "--rounds", "1", "-q", "--reader", "cucim", "--size", "64"
    )
    assert ran.code == 0
    assert "level 0, 603×437, whole" in ran.out and "neighbouring patches of 64×64" in ran.out
    assert ran.out.count("█") >= 3 and "microtome" in ran.out and "cucim" in ran.out


def test_only_rgb_is_compared(refused, made_slide):
    assert "only 8-bit RGB" in refused(2, "bench", made_slide("generic-uint16"))


def test_a_broken_tile_ends_it(cli, broken_path):
    ran = cli("bench", broken_path, "--rounds", "1", "--reader", "tifffile")
    assert ran.code == 4 and "tile 1,0 level 0" in ran.err


def test_ratios_are_of_the_same_round():
    import numpy as np

    pixels = np.zeros((2, 2, 3), np.uint8)
    ours = [Answer(9, pixels), Answer(1, pixels), Answer(2, pixels), Answer(4, pixels)]
    other = [Answer(9, pixels + 3), Answer(3, pixels), Answer(4, pixels), Answer(20, pixels)]
    answers = {"microtome": ours, "tifffile": other}
    timing = Timing("", "MP", 8.0, None)
    found = measured("tifffile", timing, answers)
    assert (found.rate, found.ratio, found.difference) == (2.0, 3.0, 3)
    answers["tifffile"] = [Answer(problem="crashed")]
    assert measured("tifffile", timing, answers).problem == "crashed"


def test_bars_are_as_long_as_readers_are_fast():
    found = [
        Measured("microtome", "1", 100.0, 1.0, 0),
        Measured("a", "2", 25.0, 4.0, 1),
        Measured("b", None, problem="no"),
    ]
    console = Console(width=200)
    with console.capture() as captured:
        console.print(chart(Timing("task", "MP", 1.0, None), found))
    ours, a, b = captured.get().splitlines()[1:]
    assert ours.count("█") == 4 * a.count("█") > 0 and b.count("█") == 0
    assert "4.00" in a and "±1" in a and "no" in b


@pytest.mark.parametrize(
    ("number", "said"), [(signal.SIGKILL, "crashed"), (signal.SIGSTOP, "took more than 0.5 s")]
)
def test_a_reader_that_crashes_or_hangs(number, said, monkeypatch, made_slide):
    """Its process ends; the program goes on."""
    path = made_slide("generic-jpeg-420")
    reader = ReaderProcess("microtome", path, 1)
    monkeypatch.setattr(process, "TIMEOUT_S", 0.5)
    try:
        assert reader.problem == ""
        os.kill(reader._process.pid, number)
        answer = reader.ask(Task("level", 0, (603, 437)))
        assert answer.problem == said and reader.ask(Task("level", 0, (1, 1))).problem == said
    finally:
        reader.close()


def test_ctrl_c_ends_the_readers(cli, made_slide, monkeypatch):
    started = []
    ask = ReaderProcess.ask

    def interrupted(self, task):
        started.append(self._process)
        if len(started) == 3:
            signal.raise_signal(signal.SIGINT)
        return ask(self, task)

    monkeypatch.setattr(ReaderProcess, "ask", interrupted)
    ran = cli("bench", made_slide("generic-jpeg-420"), "--reader", "tifffile")
    assert (ran.code, ran.err) == (130, "microtome: interrupted\n")
    assert not any(process.is_alive() for process in started)


def test_capacities_of_the_cache(cli, pyramid):
    import microtome as mt

    ran = cli("cache", pyramid.path, "--size", "100", "--json")
    facts = json.loads(ran.out)
    assert (ran.code, ran.err) == (0, "") and facts["patches"] == 336 and facts["stride"] == [50, 50]
    none, row, two, whole = facts["trials"]
    assert none["what"] == "no cache" and none["hits"] == none["misses"] == 0
    assert none["capacity_bytes"] < row["capacity_bytes"] < two["capacity_bytes"] < whole["capacity_bytes"]
    assert whole["misses"] == 48 and whole["evictions"] == 0  # each of the 8×6 tiles once
    assert whole["hits"] >= two["hits"] >= row["hits"] > 0
    assert mt.cache.info()["capacity_bytes"] == 0


def test_capacities_of_ones_own(cli, refused, pyramid):
    ran = cli(
        "cache",
        pyramid.path,
        "--capacity",
        "1M",
        "--capacity",
        "1.5GiB",
        "--patches",
        "5",
        "--level",
        "1",
        "--json",
    )
    assert [each["capacity_bytes"] for each in json.loads(ran.out)["trials"]] == [1 << 20, 3 << 29]
    shown = cli("cache", pyramid.path, "--patches", "5", "-q")
    assert shown.code == 0 and "a row of tiles" in shown.out and "patches/s" in shown.out
    assert "not a number of bytes" in refused(2, "cache", pyramid.path, "--capacity", "much")
    assert "level 3: the slide has" in refused(2, "cache", pyramid.path, "--level", "3")
    assert "no stored level" in refused(2, "cache", pyramid.path, "--mpp", "3")


def test_a_broken_tile_ends_the_trial(refused, broken_path):
    import microtome as mt

    assert "tile 1,0 level 0" in refused(4, "cache", broken_path)
    assert mt.cache.info()["capacity_bytes"] == 0


def test_ctrl_c_ends_the_trial(refused, pyramid, monkeypatch):
    import microtome as mt

    read = mt.Slide.read
    reads = iter(range(1000))

    def interrupted(*arguments, **options):
        if next(reads) == 20:
            signal.raise_signal(signal.SIGINT)
        return read(*arguments, **options)

    monkeypatch.setattr(mt.Slide, "read", interrupted)
    assert "interrupted" in refused(130, "cache", pyramid.path)
    assert next(reads) == 21 and mt.cache.info()["capacity_bytes"] == 0
