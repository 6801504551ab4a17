"""The manifest: whole lines are kept, cut ones and another job's are not."""

from pathlib import Path

import pytest
from microtome.cli.patchsets.manifest import COLUMNS, Manifest


@pytest.mark.parametrize("cut", [0, 1, 60, 130, 200, 10**6])
def test_a_cut_manifest_keeps_whole_lines(cut, tmp_path):
    def row(index):
        return (
            ('a, "b"\n.svs', str(index), f"{index}.png", *("1",) * (len(COLUMNS) - 4)) if index < 9 else None
        )

    path = str(tmp_path / "m.csv")
    manifest = Manifest(path, row)
    manifest.begin()
    manifest.add(0, ["", 'bad, "very"', ""])
    manifest.add(3, ["", ""])
    manifest.close()
    whole = Path(path).read_bytes()
    Path(path).write_bytes(whole[: len(whole) - cut] if cut < len(whole) else b"")
    again = Manifest(path, row)
    kept = again.resume()
    assert again.errors == (kept > 1)
    assert kept == 5 if cut == 0 else kept < 5
    if kept == 0:
        again.begin()
    again.add(kept, ["", 'bad, "very"', "", "", ""][kept:])
    again.close()
    assert again.errors == 1
    assert Path(path).read_bytes() == whole


def test_lines_of_another_job_are_not_kept(tmp_path):
    def row_of(job):
        return lambda index: (job, str(index), *("",) * (len(COLUMNS) - 3)) if index < 5 else None

    first = Manifest(str(tmp_path / "m.csv"), row_of("a"))
    first.begin()
    first.add(0, [""] * 5)
    first.close()
    assert Manifest(str(tmp_path / "m.csv"), row_of("a")).resume() == 5
    assert Manifest(str(tmp_path / "m.csv"), row_of("b")).resume() == 0
