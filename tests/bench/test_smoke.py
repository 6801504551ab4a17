"""Every task with every contender, on tiny slides, once: all deliver, and their pixels are the others'."""

import json
import subprocess
import sys
from pathlib import Path

import contenders
import make_slides
import matrix
import pytest

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / "build" / "peers-venv"
ROWS = [row for row in matrix.quick(matrix.rows([1])) if row.slide != "1065626"]
CASES = [(row, name) for row in ROWS for name in row.contenders]
# How far those may be off that upsample chroma in ways of their own; all others agree to the byte on JPEG.
OWN_PIXELS = {"fastslide": 45, "slideio": 45}


def floor_program():
    done = subprocess.run(
        [sys.executable, ROOT / "bench" / "build_floor.py"], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """{(task, variant, slide): {contender or companion: its entry}} of one run.

    The environment of the other readers and the bare codec loops are made if they are missing.
    """
    folder = tmp_path_factory.mktemp("bench")
    slides = folder / "slides"
    slides.mkdir()
    for name in sorted({row.slide for row in ROWS}):
        path = slides / f"{name}.{make_slides.EXTENSIONS[name]}"
        make_slides.make(name, path, scale=1 / 1024)
    subprocess.run([sys.executable, ROOT / "bench" / "setup_peers.py", PEERS], timeout=300)
    peers = PEERS / "bin" / "python"
    command = [sys.executable, ROOT / "bench" / "run.py", slides, "--json", folder / "out.json", "--quick"]
    command += ["--rounds", "1", "--patience", "60", "--peers", peers if peers.exists() else sys.executable]
    command += ["--floor", floor_program()]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = json.loads((folder / "out.json").read_text())["rows"]
    return {
        (row["task"], row["variant"], row["slide"]): {
            entry.get("label", entry["contender"]): entry for entry in row["entries"]
        }
        for row in rows
    }


@pytest.mark.parametrize(("row", "name"), CASES, ids=[f"{row.name}-{name}" for row, name in CASES])
def test_a_contender_delivers_the_others_pixels(results, row, name):
    entry = results[row.task, row.variant, row.slide][name]
    if "unsupported" in entry:
        reason = entry["unsupported"]
        missing = "No module named" in reason or reason.startswith("no Python")
        undecoded = name == "pyvips" and row.slide == "A" and "does not decode this slide" in reason
        assert missing or undecoded, reason
        pytest.skip(f"{name}: {reason}")
    assert entry["values"][0] > 0
    if name == "microtome":
        return
    difference = entry["pixels_compared"]
    if row.slide == "A":
        assert difference.get("max", 0) <= (45 if name == "slideio" else 2), difference
    else:
        assert difference.get("max", 0) <= OWN_PIXELS.get(name, 0), difference
    assert "sizes" not in difference


def test_microtome_takes_part_in_its_own_rounds(results):
    """What the goals that compare it with itself are judged by."""
    entries = results["grid", "aligned", "B"]
    assert entries["whole level"]["contender"] == "microtome"
    assert entries["whole level"]["values"][0] > 0


def test_every_contender_has_a_file():
    files = {path.stem for path in (ROOT / "bench" / "contenders").glob("*.py")} - {"__init__"}
    assert files | {"floor"} == set(contenders.NAMES)
