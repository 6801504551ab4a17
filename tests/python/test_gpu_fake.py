"""device="cuda" on the FAKE driver of tests/fake_cuda: the CPU's pixels, as CuPy and PyTorch would take them.

Each test is a process of its own, whose driver is the fake one; `fake_cupy.Consumer` has their part. Nothing here says
anything about a real driver or a real GPU.
"""

import os
import subprocess
import sys
from pathlib import Path

import make_slides
import microtome as mt
import pytest
from conftest import ROOT

FAKE = Path(os.environ.get("MICROTOME_FAKE_CUDA", ROOT / "build" / "release" / "tests" / "fake_cuda"))
DRIVER = FAKE / "driver" / "libcuda.so.1"

pytestmark = pytest.mark.skipif(
    not DRIVER.exists(), reason=f"no fake CUDA driver in {FAKE}; tools/run_tests.py builds it"
)


@pytest.fixture
def mixed_jpeg():
    """Function: path and one kind of JPEG for each tile → writes a slide of 64×64 tiles of noise, three in a row."""
    import io

    import numpy as np
    import tifffile
    from PIL import Image

    def encode(kind, seed):
        noise = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), np.uint8)
        tile = Image.fromarray(noise).resize((64, 64), Image.Resampling.BICUBIC)
        content = io.BytesIO()
        options = {"progressive": True} if kind == "progressive" else {"subsampling": kind}
        tile.save(content, "jpeg", quality=85, **options)
        return content.getvalue()

    def write(path, kinds):
        tiles = [encode(kind, seed) for seed, kind in enumerate(kinds)]
        tifffile.imwrite(
            path,
            iter(tiles),
            shape=(64 * len(kinds) // 3, 192, 3),
            dtype="uint8",
            tile=(64, 64),
            compression="jpeg",
            photometric="ycbcr",
            metadata=None,
        )

    return write


@pytest.fixture
def jpeg_path(mixed_jpeg, tmp_path):
    """A slide of 192×1920, 4:2:0."""
    path = str(tmp_path / "jpeg.tif")
    mixed_jpeg(path, ["4:2:0"] * 90)
    return path


PRELUDE = """
import sys
import time
sys.path.insert(0, {here!r})
import microtome as mt, numpy as np
from microtome import CuImage
from fake_cupy import Consumer

def same(device, host):
    assert device.dtype == host.dtype and device.shape == host.shape, (device.dtype, device.shape, host.shape)
    assert np.array_equal(device, host), "pixels differ"

def clean(consumer):
    report = consumer.report()
    assert report.races == 0, report.first_race
    assert report.foreign_calls == 0
    return report
"""


def run(code, settings="delay=100", again=False, **values):
    """What `code` prints in a process with the fake driver; it must end well and say nothing to stderr.

    `again`: tiles may be decoded more than once.
    """
    text = PRELUDE.format(here=str(Path(__file__).parent)) + code
    for name, value in (values | {"again": again}).items():
        text = text.replace(f"<{name}>", repr(value))
    environment = os.environ | {"MICROTOME_LIB_CUDA": str(DRIVER), "FAKE_CUDA": settings}
    environment["MICROTOME_LIB_NVJPEG"] = str(DRIVER.parent / "libnvjpeg.so.13")
    environment["MICROTOME_LIB_NVJPEG2K"] = str(DRIVER.parent / "libnvjpeg2k.so.0")
    # From Python 3.12 on os.fork() warns in processes with threads; what becomes of those is what is tested.
    quiet = ["-W", "ignore:This process:DeprecationWarning"]
    done = subprocess.run(
        [sys.executable, *quiet, "-c", text], capture_output=True, text=True, env=environment, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


# Every slide, every codec

COMPARE = """
def compare(path, consumer):
    with mt.open(path) as slide:
        random = np.random.default_rng(1)
        for level in {0, len(slide.levels) - 1}:
            (w, h), tile = slide.levels[level].size, slide.levels[level].tile_size
            if tile[0] * tile[1] > 1 << 22:
                continue
            scale = slide.levels[level].downsample
            places = random.integers((-60, -60), (max(w - 20, -50), max(h - 20, -50)), (10, 2))
            places = (places * scale).astype(np.int64)
            options = {"level": level, "batch_size": 4, "fill": 7, "on_error": "fill"}
            for decode in ({}, {"allow_inexact": True}, {"decode": "gpu"}):
                loader = mt.Loader(slide, places, (97, 61), device="cuda", **decode, **options)
                alone = "decode" in decode
                try:
                    batches = iter(loader)
                except mt.UnsupportedError as error:
                    assert alone and "which no decoder of the GPU takes" in str(error), error
                    continue
                errors = 0
                for batch in batches:
                    # A batch by itself, which decodes of broken tiles what it needs.
                    (host,) = mt.Loader(slide, batch.locations, (97, 61), **options)
                    assert np.array_equal(batch.locations, places[batch.indices])
                    errors += len(batch.errors)
                    if alone:  # broken tiles are filled whole
                        assert {each.row for each in batch.errors} >= {each.row for each in host.errors}
                        if batch.errors:
                            continue
                    same(consumer.from_dlpack(batch), host.pixels)
                    assert sorted(batch.errors) == sorted(host.errors), (batch.errors, host.errors)
                stats = loader.stats()
                assert <again> or stats.decoded + stats.constant <= stats.tiles + errors, stats
                assert not alone or stats.decoded == stats.gpu, stats
                on_gpu[path] = on_gpu.get(path, 0) + stats.gpu
            try:
                host = slide.read(tuple(places[0].tolist()), (130, 70), level=level)
            except mt.Error as error:
                try:
                    slide.read(tuple(places[0].tolist()), (130, 70), level=level, device="cuda")
                    raise AssertionError("no error")
                except type(error) as found:
                    assert str(found) == str(error)
            else:
                device = slide.read(tuple(places[0].tolist()), (130, 70), level=level, device="cuda")
                same(consumer.asarray(device), host)
                same(device.to_host(), host)

consumer = Consumer()
on_gpu = {}
for path in <paths>:
    try:
        mt.open(path).close()
    except (mt.Error, OSError):
        continue
    try:
        compare(path, consumer)
    except BaseException as error:
        raise RuntimeError(path) from error
    print(path)
report = clean(consumer)
assert report.misuses == 0, report.first_misuse
assert report.engine_images + report.library_images > 0 or not any(on_gpu.values())
"""


def test_batches_of_made_slides_are_the_cpus(made_slide):
    paths = [made_slide(name) for name in make_slides.SMALL]
    assert len(run(COMPARE, paths=paths).splitlines()) == len(paths)


@pytest.mark.parametrize("folder", ["aperio", "generic-pyramid"])
def test_batches_of_real_slides_are_the_cpus(folder, real_slides):
    paths = sorted(str(path) for path in (real_slides / folder).rglob("*") if path.is_file())
    if not paths:
        pytest.skip(f"no slides in {real_slides / folder}")
    assert len(run(COMPARE, paths=paths).splitlines()) >= 3


def test_samples_of_every_type_and_number(tmp_path):
    import numpy as np
    import tifffile

    paths = []
    for dtype in ("uint16", "int16", "float32", "float64", "uint8"):
        for channels in (1, 2, 5):
            image = np.random.default_rng(1).integers(0, 100, (70, 90, channels)).astype(dtype)
            paths.append(str(tmp_path / f"{dtype}-{channels}.tif"))
            tifffile.imwrite(
                paths[-1],
                image if channels > 1 else image[..., 0],
                photometric="minisblack",
                planarconfig="contig" if channels > 1 else None,
                extrasamples=["unspecified"] * (channels - 1),
                tile=(32, 48),
                compression="zlib",
                metadata=None,
            )
    assert len(run(COMPARE, paths=paths).splitlines()) == len(paths)


def test_tiles_that_are_not_as_the_first(tmp_path, pyramid, mixed_jpeg):
    """Slots have the room of the first tile's planes, 4:2:0: what needs more goes another way."""
    path = str(tmp_path / "mixed.tif")
    mixed_jpeg(path, ["4:2:0", "4:4:4", "progressive", "4:2:2", "4:2:0", "progressive"])
    code = COMPARE + "print(clean(consumer).launches)\n"
    launches = [int(run(code, paths=[each], again=True).split()[-1]) for each in (pyramid.path, path)]
    assert launches[1] > launches[0]


def test_a_broken_tile_is_the_cpus_error(broken_path):
    assert run(COMPARE, paths=[broken_path])


# How it is taken

RELEASE_NOTE = """
consumer = Consumer()
img = CuImage(<path>)
locations = [[0, 0], [100, 0], [200, 0], [300, 0]]
expected = [np.asarray(batch) for batch in img.read_region(locations, (224, 224), batch_size=4)]
for batch, host in zip(img.read_region(locations, (224, 224), batch_size=4, num_workers=2, device="cuda"), expected):
    assert str(batch.device) == "cuda" and batch.shape == [4, 224, 224, 3]
    same(consumer.asarray(batch), host)
    same(consumer.from_dlpack(batch), host)
region = img.read_region((100, 50), (64, 48), device="cuda:0")
same(consumer.asarray(region), np.asarray(img.read_region((100, 50), (64, 48))))
assert not hasattr(region, "__array_interface__") or False
"""


def test_the_release_notes_example(pyramid):
    code = RELEASE_NOTE.rsplit("\n", 2)[0] + (
        "\ntry:\n    np.asarray(region)\nexcept TypeError as error:\n    print(error)\n"
        "plain = list(img.read_region(locations, (224, 224), device='cuda'))\n"
        "assert len(plain) == 4 and plain[2].shape == [224, 224, 3]\n"
        "same(consumer.asarray(plain[2]), expected[0][2])\n"
        "clean(consumer)\n"
    )
    assert "to_host() copies them, cupy.asarray" in run(code, path=pyramid.path)


STREAMS = """
consumer = Consumer()
other = Consumer(blocking=False)
with mt.open(<path>) as slide:
    host = slide.read((10, 20), (300, 200))
    for stream in (None, -1, 1, 2):
        array = slide.read((10, 20), (300, 200), device="cuda")
        same(consumer.from_dlpack(array, stream=stream), host)
    for version in (None, (0, 8), (1, 0), (2, 3)):
        array = slide.read((10, 20), (300, 200), device="cuda")
        same(other.from_dlpack(array, max_version=version), host)
    array = slide.read((10, 20), (300, 200), device="cuda")
    for wrong, error in (({"stream": 0}, ValueError), ({"stream": -2}, ValueError), ({"stream": 1.5}, TypeError),
                         ({"copy": True}, BufferError), ({"dl_device": (2, 5)}, BufferError),
                         ({"dl_device": (1, 0), "copy": False}, BufferError)):
        try:
            array.__dlpack__(**wrong)
        except error:
            continue
        raise AssertionError(wrong)
    same(np.from_dlpack(array.to_host()), host)
    capsule = array.__dlpack__(dl_device=(1, 0))
    del capsule                             # never taken: it frees what it has
    capsule = array.__dlpack__()
    del capsule
    same(other.asarray(array[17]), host[17])
    same(other.asarray(array[-1]), host[-1])
    for wrong in (200, -201):
        try:
            array[wrong]
        except IndexError:
            continue
        raise AssertionError(wrong)
    assert (len(array), array.ndim, array.nbytes, array.device) == (200, 3, host.nbytes, "cuda:0")
clean(consumer)
"""


def test_dlpack_by_the_standard(pyramid):
    run(STREAMS, path=pyramid.path)


STEADY = """
consumer = Consumer(blocking=False)
with mt.open(<path>) as slide:
    places = mt.grid(slide, (64, 64), stride=(40, 40))
    loader = mt.Loader(slide, places, (64, 64), batch_size=16, device="cuda", stream=<named> and consumer.stream,
                       decode=<decode>)
    waits = 0
    held = []
    for i, batch in enumerate(loader):
        held.append(batch if <by_interface> else consumer.take(batch))
        same(consumer.asarray(batch), np.stack([slide.read(tuple(p), (64, 64)) for p in batch.locations.tolist()]))
        copies = 2 * (i + 1)  # the test's own: each copies to memory that is not pinned, and waits
        if i == 8:
            time.sleep(0.5)  # the loader is as far ahead as it gets, and has as many blocks as it ever needs
            waits = consumer.report().synchronous_calls - copies
        if 8 < i < len(loader) - 1:
            assert consumer.report().synchronous_calls - copies == waits, i
        if len(held) > 2:
            first = held.pop(0)
            if not <by_interface>:
                first.drop()
        del batch
    stats = loader.stats()
    assert stats.decoded == stats.tiles, stats
    for each in held:
        if not <by_interface>:
            each.drop()
    held.clear()
report = clean(consumer)
assert report.misuses == 0, report.first_misuse
print(report.launches == len(loader), len(loader) > 12)
"""


@pytest.mark.parametrize("by_interface", [True, False])
def test_nothing_waits_and_each_tile_is_decoded_once(pyramid, by_interface):
    assert (
        run(STEADY, path=pyramid.path, named=True, by_interface=by_interface, decode="auto") == "True True\n"
    )


@pytest.mark.parametrize("engines", [0, 1, 7])
def test_nothing_waits_where_the_gpu_decodes(jpeg_path, engines):
    settings = f"delay=100,nvjpeg_engines={engines}"
    said = run(STEADY, settings, path=jpeg_path, named=True, by_interface=False, decode="gpu")
    assert said == "False True\n"  # marks are launches too


OUT = """
consumer = Consumer(blocking=False)
with mt.open(<path>) as slide:
    host = slide.read((10, 20), (300, 200))
    for stream in (consumer.stream, None):
        out = consumer.empty((200, 300, 3), np.uint8, stream=stream)
        if stream is not None:
            for _ in range(20):
                out.fill(9)                  # still on their way when the read is asked for
        assert slide.read((10, 20), (300, 200), out=out, device="cuda") is out
        same(out.to_host(), host)
        out.free()
    buf = consumer.empty((48, 64, 3), np.uint8)
    img = CuImage(<path>)
    assert img.read_region((100, 50), (64, 48), device="cuda", buf=buf) is buf
    same(buf.to_host(), np.asarray(img.read_region((100, 50), (64, 48))))
    for change, error in (({"shape": (48, 64)}, ValueError), ({"typestr": "<u2"}, ValueError),
                          ({"data": (buf.address, True)}, ValueError), ({"strides": (500, 3, 1)}, ValueError)):
        wrong = type("Wrong", (), {"__cuda_array_interface__": buf.__cuda_array_interface__ | change})()
        try:
            slide.read((0, 0), (64, 48), out=wrong, device="cuda")
        except error as found:
            print(found)
            continue
        raise AssertionError(change)
    try:
        slide.read((0, 0), (64, 48), out=np.empty((48, 64, 3), np.uint8), device="cuda")
    except TypeError as found:
        print(found)
clean(consumer)
"""


def test_out_is_written_after_what_its_stream_was_given(pyramid):
    said = run(OUT, settings="delay=2000", path=pyramid.path).splitlines()
    assert len(said) == 5
    assert all(line.startswith("out ") for line in said)


# What decodes

DECODE = """
import logging
logging.basicConfig(stream=sys.stdout, format="%(name)s %(levelname)s %(message)s")
with mt.open(<path>) as slide:
    places = mt.grid(slide, (64, 64))
    def stats(**options):
        loader = mt.Loader(slide, places, (64, 64), batch_size=8, device="cuda", **options)
        for _ in range(2):
            list(loader)
        return loader.stats()
    for options in ({"decode": "cpu"}, {}, {"allow_inexact": True}, {"decode": "gpu"}):
        try:
            found = stats(**options)
        except mt.DeviceUnavailableError as error:
            print(error)
            continue
        print(found.gpu == found.decoded, found.gpu == 0, found.gpu_left > 0)
"""


def test_who_decodes(jpeg_path):
    exact, by_gpu = "False True False", "True False False"
    assert run(DECODE, path=jpeg_path).splitlines() == [exact, exact, by_gpu, by_gpu]
    for settings in ("nvjpeg_engines=0", "nvjpeg_restarts=0"):
        assert run(DECODE, path=jpeg_path, settings=settings).splitlines() == [
            exact,
            exact,
            by_gpu,
            by_gpu,
        ]
    said = run(DECODE, path=jpeg_path, settings="nvjpeg_skip=3").splitlines()
    assert said == [exact, exact, "False False True", "False False True"]


def test_a_missing_library_is_an_error_or_a_warning(jpeg_path):
    code = "import os; os.environ['MICROTOME_LIB_NVJPEG'] = '/nowhere/libnvjpeg.so.13'\n" + DECODE
    said = run(code, path=jpeg_path).splitlines()
    exact = "False True False"
    assert said[:2] == [exact, exact] and said[3] == exact and len(said) == 5
    assert said[2].startswith("microtome WARNING nvJPEG cannot be opened: MICROTOME_LIB_NVJPEG = /nowhere/")
    assert said[2].endswith("; the CPU decodes instead")
    assert said[4].startswith("nvJPEG cannot be opened: MICROTOME_LIB_NVJPEG = /nowhere/")


# Life

LIFE = """
consumer = Consumer(device=1)
before = consumer.report()
with mt.open(<path>) as slide:
    loader = mt.Loader(slide, mt.grid(slide, (64, 64)), (64, 64), batch_size=8, device="cuda:1", prefetch=3)
    kept = []
    for i, batch in enumerate(loader):
        if i % 5 == 0:
            kept.append((consumer.take(batch), batch.locations))
        if i == 12:
            break
    del batch
    two = zip(mt.Loader(slide, [(0, 0), (9, 9)], (64, 64), device="cuda:1"),
              mt.Loader(slide, [(0, 0), (9, 9)], (64, 64), device="cuda:0"))
    for one, other in two:
        assert one.pixels.device == "cuda:1" and other.pixels.device == "cuda:0"
        assert other.__dlpack_device__() == (2, 0)
        same(one.pixels.to_host(), other.pixels.to_host())
    del one, other, two
for taken, locations in kept:
    with mt.open(<path>) as slide:
        same(consumer.copy(taken.address, taken.shape, taken.dtype),
             np.stack([slide.read(tuple(p), (64, 64)) for p in locations.tolist()]))
    taken.drop()
after = consumer.report()
assert (after.memory_blocks, after.pinned_blocks, after.streams) == (0, 0, before.streams), vars(after)
assert after.events == 0
print(after.modules, after.contexts)
clean(consumer)
"""


def test_all_is_given_back_but_what_stays_for_the_process(pyramid):
    # A module and a context of each device: of those that were used, and the consumer's own.
    assert run(LIFE, settings="devices=2,delay=100", path=pyramid.path) == "2 2\n"


FORK = """
import os
with mt.open(<path>) as slide:
    loader = iter(mt.Loader(slide, [(0, 0)] * 40, (64, 64), batch_size=4, device="cuda"))
    batch = next(loader)
    child = os.fork()
    if child == 0:
        for ask in (lambda: next(loader), lambda: slide.read((0, 0), (8, 8), device="cuda"),
                    lambda: mt.Loader(slide, [(0, 0)], (8, 8), device="cuda")):
            try:
                ask()
            except mt.DeviceUnavailableError as error:
                print("made by fork" in str(error), flush=True)
        del loader, batch
        print(slide.read((0, 0), (8, 8)).shape, flush=True)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    print(len(list(loader)), flush=True)
"""


def test_a_forked_child_is_told_and_its_parent_goes_on(pyramid):
    assert run(FORK, path=pyramid.path).splitlines() == ["True", "True", "True", "(8, 8, 3)", "9"]


FAULTS = """
import ctypes
consumer = Consumer()
configure = consumer.lib.fake_cuda_configure
with mt.open(<path>) as slide:
    places = [(40 * i, 31 * i) for i in range(16)]
    expected = [slide.read(place, (16, 12)) for place in places]
    def attempt():
        batches = mt.Loader(slide, places, (16, 12), batch_size=1, workers=2, device="cuda", decode=<decode>)
        pixels = np.concatenate([batch.pixels.to_host() for batch in batches])
        one = slide.read(places[1], (16, 12), device="cuda").to_host()
        return all(map(np.array_equal, pixels, expected)) and np.array_equal(one, expected[1])
    configure(b"")
    assert attempt()
    configure(b"")                          # and from here on the calls that there are each time
    assert attempt()
    calls = consumer.report().calls
    right = refused = 0
    for k in range(1, 301):
        answer = (2, 999, 400)[k % 3]
        configure(f"fail_at={k},fail_with={answer}".encode())
        try:
            assert attempt(), k
            right += 1
        except (mt.Error, MemoryError):
            refused += 1
    configure(b"")
    assert attempt()                        # and it goes on
print(calls >= 300, right > 0, refused > 100)  # a context that is not popped is no error
"""


@pytest.mark.parametrize("decode", ["auto", "gpu"])
def test_a_fault_at_each_of_300_calls_is_an_exception_or_the_right_pixels(jpeg_path, decode):
    assert run(FAULTS, settings="", path=jpeg_path, decode=decode) == "True True True\n"


LOST = """
consumer = Consumer()
with mt.open(<path>) as slide:
    loader = iter(mt.Loader(slide, [(0, 0)] * 40, (64, 64), batch_size=4, device="cuda"))
    next(loader)
    consumer.lib.fake_cuda_configure(b"lost_at=10")
    for _ in range(3):
        try:
            for batch in loader:
                pass
            slide.read((0, 0), (8, 8), device="cuda")
        except mt.DeviceUnavailableError as error:
            print("it must be started anew" in str(error))
    print(slide.read((0, 0), (8, 8)).shape)
"""


def test_a_lost_device_says_so_and_the_cpu_goes_on(pyramid):
    assert run(LOST, path=pyramid.path).splitlines() == ["True"] * 3 + ["(8, 8, 3)"]


# Arguments

ARGUMENTS = """
with mt.open(<path>) as slide:
    for options in ({"device_memory_limit": 1000}, {"device_memory_limit": 0}, {"stream": -5}, {"stream": "x"},
                    {"decode": "hw"}, {"decode": "gpu", "allow_inexact": True}, {"allow_inexact": 1}):
        try:
            next(iter(mt.Loader(slide, [(0, 0)], (64, 64), device="cuda", **options)))
        except (ValueError, TypeError, mt.UnsupportedError) as error:
            print(error)
    import pickle
    loader = pickle.loads(pickle.dumps(mt.Loader(slide, [(0, 0)], (64, 64), device="cuda")))
    batch = next(iter(loader))
    named = mt.Loader(slide, [(0, 0)], (64, 64), device="cuda", stream=Consumer().stream)
    for refused in (lambda: pickle.dumps(batch), lambda: np.asarray(batch), lambda: pickle.dumps(named)):
        try:
            refused()
        except TypeError as error:
            print(error)
    assert batch._repr_html_()
    assert mt.info()["cuda"]["available"] is True and mt.info()["cuda"]["reason"] == ""
"""


def test_arguments(pyramid):
    said = run(ARGUMENTS, path=pyramid.path).splitlines()
    for line, start in zip(
        said,
        (
            "device_memory_limit is 1000 bytes, expected",
            "device_memory_limit = 0, expected at least 1",
            "stream = -5, expected",
            "stream = 'x', expected",
            "decode = 'hw', expected 'auto' or 'cpu' or 'gpu'",
            "allow_inexact is of decode='auto', and decode is 'gpu'",
            "allow_inexact = 1, expected",
            "an array on cuda:0 cannot be pickled",
            "the pixels are on cuda:0",
            "a loader with stream= cannot be pickled",
        ),
        strict=True,
    ):
        assert line.startswith(start)


def test_options_of_a_gpu_are_refused_on_the_cpu(slide):
    for options in (
        {"device_memory_limit": 1 << 20},
        {"stream": 1},
        {"decode": "gpu"},
        {"allow_inexact": True},
    ):
        with pytest.raises(ValueError, match="is of a GPU, and device is 'cpu'"):
            mt.Loader(slide, [(0, 0)], (8, 8), **options)
