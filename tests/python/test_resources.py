"""What a process keeps after it has used Microtome: nothing it did not have before. And what it costs to import."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from pathlib import Path

import microtome as mt
import numpy as np
import pytest


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


def test_a_thousand_opens_and_reads_leave_nothing_behind(made_slide):
    path = made_slide("aperio-jpeg-420")

    def use(times: int) -> None:
        for number in range(times):
            with mt.open(path) as slide:
                slide.read((number % 50, number % 70), (100, 100), workers=2)
                slide.associated["thumbnail"]
                for batch in mt.Loader(
                    slide, [(0, 0), (64, 64), (128, 0)], (64, 64), batch_size=2, workers=2
                ):
                    batch.pixels.sum()

    use(100)  # warm-up: thread starts, pools, the allocator's arenas
    gc.collect()
    before = resident_bytes(), descriptors(), threads()
    use(1000)
    gc.collect()
    after = resident_bytes(), descriptors(), threads()
    assert after[1] == before[1]
    assert after[2] == before[2]
    assert after[0] - before[0] < 4 << 20, f"resident memory grew by {(after[0] - before[0]) >> 10} KiB"


def test_failed_opens_and_reads_leave_nothing_behind(tmp_path, made_slide):
    broken = tmp_path / "broken.svs"
    content = bytearray(Path(made_slide("aperio-jpeg-420")).read_bytes())
    broken.write_bytes(content[: len(content) // 2])
    not_a_slide = tmp_path / "text.svs"
    not_a_slide.write_text("not a slide\n" * 100)

    def use(times: int) -> None:
        for _ in range(times):
            for path in (broken, not_a_slide, tmp_path / "missing.svs"):
                with pytest.raises((mt.Error, OSError)), mt.open(path) as slide:
                    slide.read_level(0, workers=2)

    use(50)
    before = descriptors(), threads()
    use(500)
    assert (descriptors(), threads()) == before


def test_abandoned_loaders_leave_nothing_behind(made_slide):
    slide = mt.open(made_slide("aperio-jpeg-420"))
    locations = mt.grid(slide, (32, 32))

    def use(times: int) -> None:
        for number in range(times):
            loader = iter(mt.Loader(slide, locations, (32, 32), batch_size=4, workers=2, prefetch=4))
            for _ in range(number % 3):
                next(loader)
            del loader

    use(50)
    gc.collect()
    before = resident_bytes(), descriptors(), threads()
    use(300)
    gc.collect()
    assert (descriptors(), threads()) == before[1:]
    assert resident_bytes() - before[0] < 4 << 20


def test_eight_threads_share_one_slide(made_slide):
    slide = mt.open(made_slide("aperio-jpeg-420"))
    whole = slide.read_level(0)
    height, width = whole.shape[:2]
    wrong: list[str] = []

    def read(seed: int) -> None:
        random = np.random.default_rng(seed)
        for _ in range(40):
            x, y = int(random.integers(0, width - 90)), int(random.integers(0, height - 70))
            if not np.array_equal(
                slide.read((x, y), (90, 70), workers=1 + seed % 3), whole[y : y + 70, x : x + 90]
            ):
                wrong.append(f"{x},{y}")

    team = [threading.Thread(target=read, args=(seed,)) for seed in range(8)]
    for thread in team:
        thread.start()
    for thread in team:
        thread.join()
    assert wrong == []


def test_import_is_quiet_and_starts_nothing():
    out = run_python(
        "import numpy, os\n"
        "before = len(os.listdir('/proc/self/task'))\n"
        "import microtome\n"
        "assert len(os.listdir('/proc/self/task')) == before, 'import started a thread'\n"
        "maps = open('/proc/self/maps').read()\n"
        "print([name for name in ('libcuda', 'libnvjpeg', 'libcufile', 'libcudart') if name in maps])\n"
    )
    assert out == "[]\n"


def test_import_takes_under_150_ms():
    """Of a processor, which a busy machine gives in pieces."""
    code = "import time; start = time.process_time(); import microtome; print(time.process_time() - start)"
    assert min(float(run_python(code)) for _ in range(7)) < 0.150
