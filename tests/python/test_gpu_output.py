"""Samples, layouts and `out=` of device="cuda" on the FAKE driver of tests/fake_cuda; see fake_gpu.py.

What is expected is NumPy's arithmetic on the CPU path's pixels.
"""

import fake_gpu
import microtome as mt
import numpy as np
import pytest
import tifffile

pytestmark = fake_gpu.needed
run = fake_gpu.run


@pytest.fixture
def two_channels(tmp_path):
    """Path of a uint16 slide of two channels, deflate."""
    path = str(tmp_path / "two.tif")
    image = np.random.default_rng(3).integers(0, 65536, (150, 200, 2), np.uint16)
    tifffile.imwrite(
        path,
        image,
        photometric="minisblack",
        planarconfig="contig",
        extrasamples=["unspecified"],
        tile=(64, 48),
        compression="zlib",
        metadata=None,
    )
    return path


FORMATS = """
def expected(host, dtype, planar, mean, std):
    if planar:
        host = np.moveaxis(host, -1, -3)
    if dtype is None:
        return host
    across = (slice(None), None, None) if planar else (slice(None),)
    mean, std = (np.broadcast_to(np.float64(each), host.shape[-3 if planar else -1])[across] for each in (mean, std))
    with np.errstate(over="ignore"):         # 65535 is no float16
        return ((host - mean) / std).astype(np.float32).astype(dtype)

def check(found, host, dtype, planar, mean, std):
    wanted = expected(host, dtype, planar, 0 if mean is None else mean, 1 if std is None else std)
    assert found.dtype == wanted.dtype and found.shape == wanted.shape, (found.dtype, found.shape, wanted.shape)
    if std in (None, 4):                     # exact in binary
        same(found, wanted)
    else:                                    # the device multiplies by 1 / std
        np.testing.assert_allclose(found, wanted, rtol=1e-3 if dtype == np.float16 else 3e-7, atol=1e-3)

consumer = Consumer()
with mt.open(<path>) as slide:
    channels = slide.channels
    places = [(-20, -10), (33, 50), (150, 90), (3, 7), (140, -30)]
    (host,) = mt.Loader(slide, places, (70, 61), fill=9)
    for dtype in (None, np.float32, "float16"):
        for planar in (False, True):
            for mean, std in ((None, None), (128.5, 4), (np.linspace(10, 200, channels), [57.5, 3.25, 120][:channels])):
                if dtype is None and mean is not None:
                    continue
                options = {"device": "cuda", "dtype": dtype, "mean": mean, "std": std, "fill": 9}
                (batch,) = mt.Loader(slide, places, (70, 61), layout="NCHW" if planar else "NHWC", **options)
                kind = None if dtype is None else np.dtype(dtype)
                check(consumer.from_dlpack(batch), host.pixels, kind, planar, mean, std)
                check(batch.pixels.to_host(), host.pixels, kind, planar, mean, std)
                array = slide.read(places[1], (70, 61), layout="CHW" if planar else "HWC", **options)
                check(consumer.asarray(array), host.pixels[1], kind, planar, mean, std)
clean(consumer)
print("done")
"""


def test_every_dtype_and_layout_normalised_or_not(pyramid, two_channels):
    for path in (pyramid.path, two_channels):
        assert run(FORMATS, path=path) == "done\n"


def test_little_memory_needs_many_steps(pyramid):
    """Each step takes the normalisation and the background with it."""
    code = """
with mt.open(<path>) as slide:
    whole = slide.read((-30, -30), (900, 700), fill=3, device="cuda", dtype="float32", layout="CHW", mean=3, std=2)
    same(whole.to_host(), np.moveaxis((slide.read((-30, -30), (900, 700), fill=3).astype(np.float32) - 3) / 2, -1, 0))
    places = mt.grid(slide, (100, 100), stride=(77, 77))
    for batch in mt.Loader(slide, places, (100, 100), device="cuda", dtype="float32", mean=3, std=2, batch_size=40,
                           device_memory_limit=1 << 19):
        host = np.stack([slide.read(tuple(each), (100, 100)) for each in batch.locations.tolist()])
        same(batch.pixels.to_host(), (host.astype(np.float32) - 3) / 2)
"""
    run(code, path=pyramid.path, again=True)


def test_a_broken_tile_is_filled_with_the_background_normalised(broken_path):
    code = """
with mt.open(<path>) as slide:
    w, h = slide.size
    host = slide.read((0, 0), (w, h), on_error="fill", fill=100)
    device = slide.read((0, 0), (w, h), on_error="fill", fill=100, device="cuda", dtype="float16", mean=100)
    same(device.to_host(), (host.astype(np.float32) - 100).astype(np.float16))
    print(len(slide.last_errors))
"""
    assert int(run(code, path=broken_path)) > 0


OUT = """
consumer = Consumer(blocking=False)
with mt.open(<path>) as slide:
    host = slide.read((10, 20), (300, 200))
    for shape, layout, wanted in (((200, 300, 3), "HWC", host), ((3, 200, 300), "CHW", np.moveaxis(host, -1, 0))):
        for dtype in (np.uint8, np.float16, np.float32):
            out = consumer.tensor(shape, dtype)
            for _ in range(20):
                out.fill(9)                  # still on their way when the read is asked for
            read = slide.read((10, 20), (300, 200), device="cuda", out=out, dtype=dtype, layout=layout)
            assert read is out and out.taken == 0
            same(out.to_host(), wanted.astype(dtype))
            for _ in range(20):
                out.fill(9)
            slide.read((10, 20), (300, 200), device="cuda", out=out, dtype=dtype, layout=layout, stream=consumer.stream)
            same(out.to_host(), wanted.astype(dtype))
            out.free()
    # The array interface says that nothing is to be waited for; stream= says otherwise.
    out = consumer.empty((200, 300, 3), np.uint8)
    for _ in range(20):
        out.fill(9)
    slide.read((10, 20), (300, 200), device="cuda", out=out, stream=consumer.stream)
    same(out.to_host(), host)
    # An array of ours is as good as another's.
    array = slide.read((0, 0), (300, 200), device="cuda")
    assert slide.read((10, 20), (300, 200), device="cuda", out=array) is array
    same(array.to_host(), host)
clean(consumer)
"""


def test_out_by_dlpack_comes_after_its_owners_work(pyramid):
    run(OUT, settings="delay=2000", path=pyramid.path)


RESULT = """
consumer = Consumer(blocking=False)
with mt.open(<path>) as slide:
    host = slide.read((10, 20), (300, 200))
    for i in range(4):
        array = slide.read((10, 20), (300, 200), device="cuda", stream=consumer.stream)
        same(consumer.asarray(array), host)
        interface = array.__cuda_array_interface__
        for _ in range(10):                   # work that is queued when the array is dropped
            consumer.fill(interface["data"][0], 3, host.nbytes)
        del array
clean(consumer)
"""


def test_the_memory_of_a_result_waits_for_the_stream_that_was_named(pyramid):
    run(RESULT, settings="delay=2000", path=pyramid.path)


REFUSED = """
other = Consumer(device=1)
consumer = Consumer()                        # whose device is the current one from here on
slide = mt.open(<path>)
outs = {
    "shape": consumer.tensor((48, 64), np.uint8),
    "kind": consumer.tensor((48, 64, 3), np.uint16),
    "strides": consumer.tensor((48, 64, 3), np.uint8, strides=(64, 1, 64 * 48)),
    "host": np.empty((48, 64, 3), np.uint8),
    "nothing": [1, 2],
    "other": other.tensor((48, 64, 3), np.uint8),
}
for options in ({"dtype": "uint16"}, {"dtype": "float64"}, {"dtype": "fast"}, {"layout": "NCHW"}, {"layout": 3},
                {"mean": 1}, {"std": [1, 2, 3]}, {"dtype": "float32", "mean": [1, 2]},
                {"dtype": "float32", "std": 0}, {"dtype": "float32", "mean": float("nan")},
                {"dtype": "float32", "std": "x"}, {"stream": "x"}, *({"out": out} for out in outs.values())):
    try:
        slide.read((0, 0), (64, 48), device="cuda", **options)
    except (ValueError, TypeError) as error:
        print(type(error).__name__, error)
for options in ({"dtype": "float64"}, {"layout": "CHW"}, {"mean": 1}):
    try:
        mt.Loader(slide, [(0, 0)], (64, 48), device="cuda", **options)
    except ValueError as error:
        print(error)
assert outs["strides"].taken == 0
import pickle
loader = pickle.loads(pickle.dumps(mt.Loader(slide, [(0, 0)], (64, 48), device="cuda", dtype="float16", layout="NCHW")))
print(next(iter(loader)).pixels.shape)
"""


def test_what_is_refused(pyramid):
    said = run(REFUSED, settings="devices=2", path=pyramid.path).splitlines()
    assert said == [
        "ValueError dtype = 'uint16', expected 'uint8', 'float16' or 'float32'",
        "ValueError dtype = 'float64', expected 'uint8', 'float16' or 'float32'",
        "ValueError dtype = 'fast', expected 'uint8', 'float16' or 'float32'",
        "ValueError layout = 'NCHW', expected 'HWC' or 'CHW'",
        "ValueError layout = 3, expected 'HWC' or 'CHW'",
        "ValueError mean = 1 with samples of uint8, expected dtype='float16' or 'float32'",
        "ValueError std = [1, 2, 3] with samples of uint8, expected dtype='float16' or 'float32'",
        "ValueError mean has 2 values, expected one, or one for each of 3 channels",
        "ValueError std = 0, expected a finite number above 0",
        "ValueError mean = nan, expected a finite number",
        "TypeError std = 'x', expected a number or one per channel",
        "TypeError stream = 'x', expected a stream's pointer, or a stream of CuPy or PyTorch",
        "ValueError out has shape (48, 64) and dtype uint8, expected (48, 64, 3) and uint8",
        "ValueError out has shape (48, 64, 3) and dtype uint16, expected (48, 64, 3) and uint8",
        "ValueError out has strides (64, 1, 3072), expected a C-contiguous array",
        "TypeError out is in the host's memory, expected an array on cuda:0",
        "TypeError out is of type list, expected an array on cuda:0, with __dlpack__ or __cuda_array_interface__",
        "ValueError out is on cuda:1, expected an array on cuda:0",
        "dtype = 'float64', expected 'uint8', 'float16' or 'float32'",
        "layout = 'CHW', expected 'NHWC' or 'NCHW'",
        "mean = 1 with samples of uint8, expected dtype='float16' or 'float32'",
        "(1, 3, 48, 64)",
    ]


def test_they_are_of_a_gpu(slide):
    for options in ({"dtype": "float32"}, {"mean": 1}, {"std": 1}):
        with pytest.raises(ValueError, match="is of a GPU, and device is 'cpu'"):
            mt.Loader(slide, [(0, 0)], (8, 8), **options)
        with pytest.raises(ValueError, match="is of a GPU, and device is 'cpu'"):
            slide.read((0, 0), (8, 8), **options)
    with pytest.raises(ValueError, match="layout = 'NCHW' is of a GPU"):
        mt.Loader(slide, [(0, 0)], (8, 8), layout="NCHW")
    for options in ({"layout": "CHW"}, {"stream": 1}):
        with pytest.raises(ValueError, match="is of a GPU, and device is 'cpu'"):
            slide.read((0, 0), (8, 8), **options)
