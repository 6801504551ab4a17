"""gds= of a loader on the FAKE driver and the fake cuFile of tests/fake_cuda; see fake_gpu.py.

Slides of uncompressed tiles, which cuFile reads into the device's memory, in files beside the fakes: there is no
direct I/O in some temporary folders.
"""

import uuid

import fake_gpu
import microtome as mt
import numpy as np
import pytest
import tifffile

pytestmark = fake_gpu.needed


def run(code, settings, **values):
    return fake_gpu.run("import logging, os\n" + code, settings=settings, **values)


@pytest.fixture
def plain():
    """Path of a slide of uncompressed tiles, and of one of deflate tiles."""
    folder = fake_gpu.FAKE / f"slides-{uuid.uuid4().hex}"
    folder.mkdir()
    image = np.random.default_rng(2).integers(0, 256, (700, 1000, 3), np.uint8)
    for name, options in (("plain", {}), ("packed", {"compression": "zlib"})):
        tifffile.imwrite(
            folder / f"{name}.tif", image, tile=(160, 256), photometric="rgb", metadata=None, **options
        )
    yield str(folder / "plain.tif"), str(folder / "packed.tif")
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


READ = """
consumer = Consumer()
told = []
class Listener(logging.Handler):
    def emit(self, record):
        told.append(record.getMessage())
logging.getLogger("microtome").addHandler(Listener())
logging.getLogger("microtome").propagate = False
with mt.open(<path>) as slide, mt.open(<other>) as packed:
    places = mt.grid(slide, (200, 150), stride=(130, 90))
    patches = [(i % 2, *place) for i, place in enumerate(places.tolist())]
    options = {"batch_size": 8, "device": "cuda", "gds": <gds>, "dtype": "float32"}
    loader = mt.Loader([slide, packed], patches, (200, 150), **options)
    for _ in range(2):
        for batch in loader:
            host = np.stack([slide.read(tuple(place), (200, 150)) for place in batch.locations.tolist()])
            same(batch.pixels.to_host(), host.astype(np.float32))
    stats = loader.stats()
    print(stats.gds or "pinned", stats.by_cufile > 5, stats.decoded > 10, stats.cufile_failed)
    for line in told:
        print(line)
report = clean(consumer)
print(report.direct_reads > 5, report.compat_reads > 5, report.unaligned_reads, report.unregistered_reads)
"""


def test_tiles_that_are_their_pixels_come_past_the_host(plain):
    path, other = plain
    said = run(READ, "delay=50,cufile_delay=200", path=path, other=other, gds="auto").splitlines()
    assert said == ["direct True True 0", "True False 0 0"]
    said = run(READ, "cufile_direct=0", path=path, other=other, gds="on").splitlines()
    assert said == ["compat True True 0", "False True 0 0"]
    said = run(READ, "", path=path, other=other, gds="off").splitlines()
    assert said == ["pinned False True 0", "False False 0 0"]


def test_what_is_in_the_way_is_told_once(plain):
    path, other = plain
    said = run(READ, "cufile_direct=0", path=path, other=other, gds="auto").splitlines()
    assert said[0] == "pinned False True 0" and len(said) == 3
    assert said[1].startswith("gds = 'auto': cuFile ") and "has compat mode alone" in said[1]
    said = run(READ, "cufile_fail=7", path=path, other=other, gds="auto").splitlines()
    assert said[0].startswith("direct True True ") and not said[0].endswith(" 0") and len(said) == 3
    assert said[1].startswith("gds = 'auto': ") and "Input/output error (tile " in said[1]


REFUSED = """
import io
slide = mt.open(<path>)
packed = mt.open(<other>)
memory = mt.open(open(<path>, "rb").read())
library = os.environ.pop("MICROTOME_LIB_CUFILE")
os.environ["MICROTOME_LIB_CUFILE"] = "/nowhere/libcufile.so.0"
try:
    next(iter(mt.Loader(slide, [(0, 0)], (300, 200), device="cuda", gds="on")))
except mt.DeviceUnavailableError as error:
    print("/nowhere/libcufile.so.0" in str(error))
os.environ["MICROTOME_LIB_CUFILE"] = library
for source, options in ((packed, {"gds": "on"}), (memory, {"gds": "on"}), (slide, {"gds": "yes"})):
    try:
        next(iter(mt.Loader(source, [(0, 0)], (300, 200), device="cuda", **options)))
    except (mt.UnsupportedError, ValueError) as error:
        print(type(error).__name__, error)
"""


def test_what_is_refused(plain):
    path, other = plain
    said = run(REFUSED, "", path=path, other=other).splitlines()
    assert said[0] == "True"
    assert said[1].startswith("UnsupportedError ")
    assert "no image that is read has tiles that are their pixels" in said[1]
    assert said[2].startswith("UnsupportedError ") and said[2].endswith("is not a file")
    assert said[3] == "ValueError gds = 'yes', expected 'off' or 'auto' or 'on'"


def test_it_is_of_a_gpu(slide):
    with pytest.raises(ValueError, match="gds = 'on' is of a GPU, and device is 'cpu'"):
        mt.Loader(slide, [(0, 0)], (8, 8), gds="on")
