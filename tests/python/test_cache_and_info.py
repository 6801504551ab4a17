"""microtome.cache and microtome.info."""

import os
import subprocess
import sys
from pathlib import Path

import microtome as mt
import numpy as np
import pytest
import tifffile

TILE_BYTES = 128 * 128 * 3


def test_the_cache_is_off_until_configured(slide):
    assert mt.cache.info()["capacity_bytes"] == 0
    slide.read((0, 0), (100, 100))
    assert mt.cache.info()["bytes"] == mt.cache.info()["tiles"] == 0


def test_hits_misses_and_bytes(slide, pyramid, tile_cache):
    tile_cache(100 * TILE_BYTES)
    assert mt.cache.info()["capacity_bytes"] == 100 * TILE_BYTES
    before = mt.cache.info()
    decoded = mt.info()["counters"]["decoded"]
    for _ in range(3):
        found = slide.read((100, 100), (100, 100), workers=2)
        np.testing.assert_array_equal(found, pyramid.levels[0][100:200, 100:200])
    after = mt.cache.info()
    assert after["misses"] - before["misses"] == 4
    assert after["hits"] - before["hits"] == 8
    assert after["tiles"] - before["tiles"] == 4
    assert after["bytes"] - before["bytes"] == 4 * TILE_BYTES
    assert mt.info()["counters"]["decoded"] - decoded == 4
    mt.cache.clear()
    assert mt.cache.info()["tiles"] == mt.cache.info()["bytes"] == 0
    assert mt.cache.info()["misses"] == after["misses"]


def test_capacity_bounds_it(slide, tile_cache):
    tile_cache(64 * TILE_BYTES)
    before = mt.cache.info()["evictions"]
    slide.read_level(0)  # 48 tiles
    tile_cache(10 * TILE_BYTES)
    info = mt.cache.info()
    assert info["bytes"] <= 10 * TILE_BYTES
    assert info["evictions"] - before >= 38


def test_loaders_use_it(slide, tile_cache):
    tile_cache(64 << 20)
    loader = mt.Loader(slide, mt.grid(slide, (128, 128)), (128, 128))
    list(loader)
    decoded = mt.info()["counters"]["decoded"]
    list(loader)
    assert mt.info()["counters"]["decoded"] == decoded


def test_a_rewritten_file_gives_no_stale_tiles(tmp_path, pyramid, tile_cache):
    tile_cache(64 << 20)
    path = tmp_path / "rewritten.tif"
    with open(pyramid.path, "rb") as file:
        path.write_bytes(file.read())
    status = os.stat(path)
    assert mt.open(path).read((0, 0), (1, 1)).tolist() == pyramid.levels[0][:1, :1].tolist()
    from reference import write_pyramid

    write_pyramid(path, [255 - level for level in pyramid.levels])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert mt.open(path).read((0, 0), (1, 1)).tolist() == (255 - pyramid.levels[0][:1, :1]).tolist()


def test_failures_are_never_kept(broken_path, tile_cache):
    tile_cache(64 << 20)
    slide = mt.open(broken_path)
    for _ in range(3):
        with pytest.raises(mt.CorruptSlideError):
            slide.read((130, 0), (10, 10), workers=2)
        assert (slide.read((130, 0), (10, 10), on_error="fill", fill=1) == 1).all()


def test_pool_bytes(slide):
    try:
        mt.cache.configure(pool_bytes=0)
        slide.read((0, 0), (500, 500))
        assert mt.cache.info()["pool_idle_bytes"] == 0
        mt.cache.configure(pool_bytes=10 << 20)
        assert mt.cache.info()["pool_capacity_bytes"] == 10 << 20
        slide.read((0, 0), (500, 500))
        assert mt.cache.info()["pool_idle_bytes"] > 0
        mt.cache.clear()
        assert mt.cache.info()["pool_idle_bytes"] == 0
    finally:
        mt.cache.configure(pool_bytes=512 << 20)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"capacity_bytes": -1}, ValueError, "capacity_bytes = -1"),
        ({"pool_bytes": 1.5}, TypeError, "pool_bytes = 1.5"),
        ({"capacity": 5}, TypeError, "capacity"),
    ],
)
def test_bad_configurations(options, error, text):
    with pytest.raises(error, match=text):
        mt.cache.configure(**options)


def test_info(slide):
    info = mt.info()
    assert info["versions"]["numpy"] == np.__version__
    assert info["cpu"]["count"] == len(os.sched_getaffinity(0)) or info["cpu"]["count"] >= 1
    assert {"jpeg", "jpeg2000", "deflate", "lzw"} <= set(info["codecs"])
    assert all(info["codecs"].values())
    assert info["cpu"]["simd"] in info["cpu"]["simd_available"]
    assert info["cpu"]["simd_problem"] == ""
    before = info["counters"]
    slide.read((0, 0), (128, 128))
    after = mt.info()["counters"]
    assert after["decoded"] - before["decoded"] == 1
    assert after["direct"] - before["direct"] == 1
    assert after["packed_bytes"] > before["packed_bytes"]


def test_a_new_process_has_no_threads_and_says_so():
    code = "import microtome as mt; i = mt.info(); print(i['threads'], i['counters']['decoded'], len(mt.__all__))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[:2] == ["0", "0"]
    assert done.stderr == ""


def test_importing_brings_nothing_that_takes_longer_than_the_package_itself():
    code = "import sys; before = {*sys.modules}; import microtome; print(*({*sys.modules} - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    brought = {name.partition(".")[0] for name in done.stdout.split()}
    assert "microtome" in brought
    assert not brought & {"json", "logging", "numpy", "subprocess"}


JPEG_COUNTS = """
import sys
import microtome as mt
with mt.open(sys.argv[1]) as slide:
    pixels = slide.read((0, 0), slide.size)
    counters = mt.info()["counters"]
    loader = mt.Loader(slide, [(0, 0)], (100, 100))
    list(loader)
    stats = loader.stats()
print(counters["decoded"], counters["own"], counters["library"], stats.own, stats.library)
print(mt.info()["codecs"]["jpeg"], mt.info()["cpu"]["simd"], mt.info()["cpu"]["simd_problem"], hash(pixels.tobytes()))
"""


def counted_jpeg(path, **environment):
    done = subprocess.run(
        [sys.executable, "-c", JPEG_COUNTS, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "1", **environment},
    )
    counts, *rest = done.stdout.splitlines()
    return [int(count) for count in counts.split()], rest[0].rsplit(" ", 1)


def test_who_decoded_jpeg_tiles_and_how(tmp_path):
    path = tmp_path / "jpeg.tif"
    pixels = np.random.default_rng(1).integers(0, 256, (256, 256, 3), np.uint8)
    tifffile.imwrite(path, pixels, tile=(128, 128), compression="jpeg", photometric="rgb")
    counts, (how, pixels) = counted_jpeg(path, MICROTOME_JPEG="", MICROTOME_SIMD="portable")
    assert counts == [4, 4, 0, 1, 0]
    assert how.startswith("built in (portable), libjpeg-turbo")
    assert " portable " in how
    counts, (how, same) = counted_jpeg(path, MICROTOME_JPEG="library", MICROTOME_SIMD="oops")
    assert counts == [4, 0, 4, 0, 1]
    assert how.startswith("libjpeg-turbo")
    assert "oops" in how
    assert same == pixels


def import_with(simd):
    return subprocess.run(
        [sys.executable, "-c", "import microtome"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "MICROTOME_SIMD": simd},
    ).stderr


def test_an_instruction_set_that_is_not_there_is_warned_of_at_import():
    assert import_with("") == import_with("portable") == ""
    problem = "MICROTOME_SIMD=oops: no such instruction set; this processor has "
    assert f"RuntimeWarning: {problem}" in import_with("oops")


def test_everything_named_is_there():
    for name in mt.__all__:
        assert getattr(mt, name) is not None
        assert name in dir(mt)
    with pytest.raises(AttributeError, match="nothing"):
        mt.nothing  # noqa: B018


def test_libraries_have_versions_and_licences():
    info = mt.info()
    libraries = info["libraries"]
    assert {
        "LERC",
        "OpenJPEG",
        "libdeflate",
        "libjpeg-turbo",
        "libjxl",
        "liblzma",
        "libwebp",
        "libzstd",
    } <= set(libraries)
    assert {"Expat", "Highway", "nanobind", "{fmt}"} <= set(libraries)
    for name, library in libraries.items():
        assert library["version"][0].isdigit(), name
        assert library["licence"], name
        assert library["linked"] == "system", "this copy is built from source"
    said = " ".join(info["codecs"].values())
    assert f"libjpeg-turbo {libraries['libjpeg-turbo']['version']}" in said
    assert libraries["libjxl"]["licence"] == "BSD-3-Clause"


def test_the_notice_names_all_that_a_wheel_may_hold():
    from microtome._libraries import LICENCES

    notice = (Path(__file__).resolve().parents[2] / "NOTICE").read_text(encoding="utf-8")
    assert [name for name in LICENCES if name.lower() not in notice.lower()] == []
