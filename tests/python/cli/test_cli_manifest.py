"""The manifest: whole lines are kept, cut ones and another job's are not."""

import errno
import os
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


def test_a_disk_that_fills_up_leaves_whole_lines(tmp_path):
    def row(index):
        return ("a.svs", str(index), *("1",) * (len(COLUMNS) - 3)) if index < 5 else None

    manifest = Manifest(str(tmp_path / "m.csv"), row)
    manifest.begin()
    manifest.add(0, ["", ""])
    whole = (tmp_path / "m.csv").read_bytes()

    class Full:
        """A file that takes seven bytes more."""

        def __init__(self, file):
            self._file, self._taken = file, False

        def write(self, data):
            if self._taken:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._taken = True
            return self._file.write(data[:7])

        def __getattr__(self, name):
            return getattr(self._file, name)

    manifest._file = Full(manifest._file)
    with pytest.raises(OSError, match="No space"):
        manifest.add(2, ["", ""])
    manifest.close()
    assert (tmp_path / "m.csv").read_bytes() == whole
