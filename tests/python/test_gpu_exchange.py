"""Arrays of device="cuda" as CuPy and PyTorch take and give them; arguments. On the FAKE driver: see fake_gpu.py."""

import fake_gpu
import microtome as mt
import pytest
from fake_gpu import run

pytestmark = fake_gpu.needed

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
