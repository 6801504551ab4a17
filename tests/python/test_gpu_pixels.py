"""device="cuda" on the FAKE driver of tests/fake_cuda: the CPU's pixels, whoever decodes. See fake_gpu.py."""

import fake_gpu
import make_slides
import pytest
from fake_gpu import run
from reference import write_jpeg_tiles

pytestmark = fake_gpu.needed

COMPARE = """
import logging
logging.getLogger("microtome").addHandler(logging.NullHandler())   # without direct I/O a warning says so

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
            for way in ({}, {"allow_inexact": True}, {"decode": "gpu"}, {"gds": "auto"}):
                loader = mt.Loader(slide, places, (97, 61), device="cuda", **way, **options)
                alone = "decode" in way
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

def alive(report):                          # a single read's pipeline stays for the next one, with events
    return report.contexts, report.modules, report.streams, report.pinned_blocks

consumer = Consumer()
on_gpu = {}
first = None
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
    first = first or alive(consumer.report())
report = clean(consumer)
assert report.misuses == 0, report.first_misuse
assert alive(report) == first, (alive(report), first)
assert report.engine_images + report.library_images > 0 or not any(on_gpu.values())
"""


def test_batches_of_made_slides_are_the_cpus(made_slide):
    paths = [made_slide(name) for name in make_slides.SMALL]
    assert len(run(COMPARE, paths=paths).splitlines()) == len(paths)


@pytest.mark.parametrize(
    "settings", ["delay=100", "delay=50,nvjpeg_engines=0", "seed=2,delay=500,nvjpeg_restarts=0"]
)
@pytest.mark.parametrize("folder", ["aperio", "generic-pyramid"])
def test_batches_of_real_slides_are_the_cpus(folder, settings, real_slides):
    paths = sorted(str(path) for path in (real_slides / folder).rglob("*") if path.is_file())
    if not paths:
        pytest.skip(f"no slides in {real_slides / folder}")
    # A tile that the device has refused is decoded again for each batch that was to have it from there.
    again = "nvjpeg_restarts=0" in settings
    assert len(run(COMPARE, settings, again, paths=paths).splitlines()) >= 3


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


def test_tiles_that_are_not_as_the_first(tmp_path, pyramid):
    """Slots have the room of the first tile's planes, 4:2:0: what needs more goes another way."""
    path = str(tmp_path / "mixed.tif")
    write_jpeg_tiles(path, ["4:2:0", "4:4:4", "progressive", "4:2:2", "4:2:0", "progressive"])
    code = COMPARE + "print(clean(consumer).launches)\n"
    launches = [int(run(code, paths=[each], again=True).split()[-1]) for each in (pyramid.path, path)]
    assert launches[1] > launches[0]


def test_a_broken_tile_is_the_cpus_error(broken_path):
    assert run(COMPARE, paths=[broken_path])


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
