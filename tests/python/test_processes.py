"""Slides and loaders in other processes: fork, spawn, forkserver, and threads while forking."""

import io
import multiprocessing
import os
import subprocess
import sys
import threading
import traceback

import microtome as mt
import numpy as np
import pytest


def in_forked_child(work):
    """Runs `work` in a child made by fork() and fails if it raises or hangs."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            threading.Timer(60, lambda: os._exit(2)).start()
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        os._exit(status)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def check_slide(slide, expected):
    np.testing.assert_array_equal(slide.read_level(2, workers=2), expected)


def check_loader(loader, expected):
    np.testing.assert_array_equal(np.concatenate([batch.pixels for batch in loader]), expected)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_slides_and_loaders_go_to_other_processes(method, slide, pyramid):
    context = multiprocessing.get_context(method)
    loader = mt.Loader(slide, mt.grid(slide, (256, 256)), (256, 256), batch_size=5, workers=2)
    patches = np.concatenate([batch.pixels for batch in loader])
    for target, arguments in [(check_slide, (slide, pyramid.levels[2])), (check_loader, (loader, patches))]:
        child = context.Process(target=target, args=arguments)
        child.start()
        child.join(120)
        assert child.exitcode == 0


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_fork_with_live_iterators(slide, pyramid):
    loader = mt.Loader(
        slide, [(8 * i, 8 * i) for i in range(60)], (100, 100), batch_size=3, workers=2, prefetch=3
    )
    iterator = iter(loader)
    next(iterator)

    def rest():
        for batch in iterator:
            for row, (x, y) in enumerate(batch.locations):
                assert np.array_equal(
                    batch.pixels[row, : 768 - y, :], pyramid.levels[0][y : y + 100, x : x + 100][: 768 - y]
                )
        check_slide(slide, pyramid.levels[2])

    in_forked_child(rest)
    rest()  # the parent goes on as if nothing had happened


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
@pytest.mark.parametrize("capacity", [0, 1 << 20])
def test_fork_while_threads_read(capacity, slide, pyramid, tile_cache):
    tile_cache(capacity)
    stop = threading.Event()

    def read():
        while not stop.is_set():
            slide.read_level(1, workers=2)

    team = [threading.Thread(target=read) for _ in range(3)]
    for thread in team:
        thread.start()
    try:
        for _ in range(10):
            in_forked_child(lambda: check_slide(slide, pyramid.levels[2]))
    finally:
        stop.set()
        for thread in team:
            thread.join()
    check_slide(slide, pyramid.levels[2])


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_file_object_is_refused_in_a_forked_child(pyramid):
    slide = mt.open(io.BufferedReader(io.FileIO(pyramid.path)))

    def work():
        with pytest.raises(OSError, match="before fork"):
            slide.read((0, 0), (10, 10))

    in_forked_child(work)
    check_slide(slide, pyramid.levels[2])


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_bytes_work_in_a_forked_child(pyramid):
    with open(pyramid.path, "rb") as file:
        slide = mt.open(file.read())
    in_forked_child(lambda: check_slide(slide, pyramid.levels[2]))


@pytest.mark.parametrize("how", ["path", "bytes", "file"])
def test_exit_with_everything_alive(how, pyramid):
    code = (
        "import sys, microtome as mt\n"
        "path, how = sys.argv[1:]\n"
        "source = path if how == 'path' else open(path, 'rb')\n"
        "source = source.read() if how == 'bytes' else source\n"
        "slide = mt.open(source)\n"
        "loader = mt.Loader(slide, mt.grid(slide, (64, 64)), (64, 64), batch_size=2, workers=4, prefetch=8)\n"
        "iterator = iter(loader)\n"
        "batch = next(iterator)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore::ResourceWarning", "-c", code, pyramid.path, how],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
