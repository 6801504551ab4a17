"""`microtome patches` killed at random moments, and at each of its own: run again it makes the set of a single run."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from microtome.cli import main
from microtome.cli.patchsets.manifest import Manifest

KILLS = 20
DONE = (0, 5 << 8)  # wait statuses: made now, or there already, because the last kill came after the end
OUTPUTS = {
    "png": ["set"],
    "jpeg": ["set", "--format", "jpeg"],
    "webdataset": ["set.tar"],
    "hdf5": ["set.h5"],
    "zarr": ["set.zarr"],
}


class KillServer:
    def __init__(self):
        script = Path(__file__).with_name("kill_server.py")
        self._process = subprocess.Popen(
            [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout.readline() == "ready\n"

    def run(self, arguments, kill_after=None):
        """The wait status of a command line; `kill_after`: seconds until it is killed."""
        request = [[str(each) for each in arguments], kill_after]
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self):
        self._process.stdin.close()
        self._process.wait()


@pytest.fixture(scope="module")
def server():
    running = KillServer()
    yield running
    running.close()


def command(slide, folder, output):
    name, *options = OUTPUTS[output]
    return ["patches", slide, folder / name, "--size", "32", "--workers", "2", "-q", *options]


def whole_set(tmp_path, output, server, slide, tree):
    """(content of an uninterrupted run's files, seconds that it took)."""
    folder = tmp_path / "whole"
    folder.mkdir()
    begin = time.monotonic()
    assert server.run(command(slide, folder, output)) == 0
    return tree(folder), time.monotonic() - begin


@pytest.mark.parametrize("output", OUTPUTS)
def test_killed_at_random_moments(output, tmp_path, server, many_patches, tree):
    pytest.importorskip({"hdf5": "h5py", "zarr": "zarr"}.get(output, "PIL"))
    expected, seconds = whole_set(tmp_path, output, server, many_patches, tree)
    chance = random.Random(output)
    kills = finished = 0
    while kills < KILLS:
        folder = tmp_path / str(finished)
        folder.mkdir(exist_ok=True)
        status = server.run(command(many_patches, folder, output), chance.uniform(0, 0.7 * seconds))
        if os.WIFSIGNALED(status):
            kills += 1
            final = folder / OUTPUTS[output][0]
            assert not final.exists() or tree(final) == tree(tmp_path / "whole" / final.name)
        else:
            assert status in DONE
            assert tree(folder) == expected
            finished += 1
    folder.mkdir(exist_ok=True)
    assert server.run(command(many_patches, folder, output)) in DONE
    assert tree(folder) == expected


@pytest.mark.parametrize("output", [name for name in OUTPUTS if name != "jpeg"])
def test_killed_at_each_change_of_the_disk(output, tmp_path, pyramid, tree, monkeypatch):
    """Between any two changes of names, and of the manifest: three batches, and each step in turn is the last."""
    pytest.importorskip({"hdf5": "h5py", "zarr": "zarr"}.get(output, "PIL"))
    arguments = [str(each) for each in command(pyramid.path, tmp_path, output)] + ["--size", "80"]
    whole = tmp_path / "whole"
    whole.mkdir()
    assert main([*arguments[:2], str(whole / OUTPUTS[output][0]), *arguments[3:]]) == 0
    expected = tree(whole)
    folder = tmp_path / "cut"
    folder.mkdir()
    arguments[2] = str(folder / OUTPUTS[output][0])
    steps = 0
    while True:
        pid = os.fork()
        if pid == 0:
            die_after(steps)
            os._exit(main(arguments))
        status = os.waitpid(pid, 0)[1]
        if status == 0:
            break
        assert os.waitstatus_to_exitcode(status) == 99
        assert main(arguments) == 0, steps
        assert tree(folder) == expected, steps
        for left in folder.iterdir():
            subprocess.run(["rm", "-r", left], check=True)
        steps += 1 if steps < 12 else 17  # a folder has a step for each picture
    assert steps >= 5
    assert tree(folder) == expected


def die_after(steps):
    """Ends this process at the `steps`-th change of the disk from now on, before it is made."""
    left = [steps]

    def counted(function):
        def change(*arguments, **options):
            if left[0] == 0:
                os._exit(99)
            left[0] -= 1
            return function(*arguments, **options)

        return change

    for name in ("replace", "unlink", "mkdir", "rmdir", "rename"):
        setattr(os, name, counted(getattr(os, name)))
    Manifest._append = counted(Manifest._append)
