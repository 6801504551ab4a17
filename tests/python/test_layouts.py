"""Layouts: strips, edges, large files, and claims that nothing backs."""

import os
import struct
import time

import microtome as mt
import numpy as np
import pytest
import tifffile
from reference import random_levels
from slidemaker.tiff_writer import Directory, tiff_bytes


def grey(w, h, segments, **more):
    """A file of one uncompressed grey image, with `segments` for its tiles or strips."""
    names = {"tile_w": 322, "tile_h": 323, "rows_per_strip": 278, "compression": 259}
    tags = {256: w, 257: h, 258: 8, 259: 1, 262: 1, 277: 1} | {names[k]: v for k, v in more.items()}
    return tiff_bytes([Directory(tags, segments, tiled="tile_w" in more)])


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("rows", [1, 2, 7, 64, 199, 200, 201, 2**32 - 1])
def test_strips_of_any_size(tmp_path, rows, planar):
    (image,) = random_levels((123, 200), 1)
    stored = np.ascontiguousarray(np.moveaxis(image, 2, 0)) if planar else image
    config = "separate" if planar else "contig"
    path = tmp_path / "strips.tif"
    options = {"photometric": "rgb", "compression": "zlib", "planarconfig": config, "metadata": None}
    tifffile.imwrite(path, stored, rowsperstrip=min(rows, 200), **options)
    if rows > 200:
        with tifffile.TiffFile(path, mode="r+b") as file:
            file.pages[0].tags["RowsPerStrip"].overwrite(rows)
    with mt.open(path) as slide:
        assert slide.levels[0].tile_size == (123, min(rows, 200))
        np.testing.assert_array_equal(slide.read_level(0), image)
        np.testing.assert_array_equal(slide.read((100, 190), (50, 30), fill=9)[:10, :23], image[190:, 100:])


@pytest.mark.parametrize("size", [(1, 1), (31, 1), (1, 33), (32, 32), (33, 65), (95, 64)])
@pytest.mark.parametrize("tile", [(32, 32), (64, 16), (256, 512)])
def test_edge_tiles_and_tiles_larger_than_the_image(tmp_path, size, tile):
    (image,) = random_levels(size, 1)
    tifffile.imwrite(
        tmp_path / "a.tif", image, tile=tile, photometric="rgb", compression="zlib", metadata=None
    )
    with mt.open(tmp_path / "a.tif") as slide:
        np.testing.assert_array_equal(slide.read_level(0), image)
        around = slide.read((-3, -2), (size[0] + 7, size[1] + 5), fill=1)
        np.testing.assert_array_equal(around[2:-3, 3:-4], image)


@pytest.mark.parametrize("marked", [False, True])
@pytest.mark.parametrize("subifds", [False, True])
def test_pyramids_of_strips(tmp_path, subifds, marked):
    levels = random_levels((300, 200), 3)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for index, level in enumerate(levels):
            file.write(
                level,
                photometric="rgb",
                rowsperstrip=11,
                subifds=2 if subifds and index == 0 else None,
                subfiletype=int(marked and index > 0),
                metadata=None,
            )
    with mt.open(tmp_path / "a.tif") as slide:
        assert [level.size for level in slide.levels] == [(300, 200), (150, 100), (75, 50)]
        assert len(slide.images) == 1
        for index, level in enumerate(levels):
            np.testing.assert_array_equal(slide.read_level(index), level)


def test_a_large_strip_is_read_in_part(tmp_path):
    image = np.random.default_rng(1).integers(0, 65536, (3000, 1500), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", image, byteorder=">", rowsperstrip=3000, metadata=None)
    with mt.open(tmp_path / "a.tif") as slide:
        assert slide.levels[0].tile_size == (1500, (1 << 18) // 3000)
        np.testing.assert_array_equal(slide.read_level(0)[..., 0], image)
        np.testing.assert_array_equal(slide.read((700, 2900), (50, 60))[..., 0], image[2900:2960, 700:750])


def test_a_strip_of_more_than_4_gib(tmp_path):
    """Sparse on disk: only what is written takes room."""
    w, h = 70_000, 65_000
    patch = np.random.default_rng(2).integers(0, 256, (50, 60), np.uint8)
    path = tmp_path / "large.tif"
    memory = tifffile.memmap(path, shape=(h, w), dtype=np.uint8, bigtiff=True, metadata=None)
    memory[64_900:64_950, 69_000:69_060] = patch
    memory.flush()
    del memory
    assert os.stat(path).st_size > 1 << 32 and os.stat(path).st_blocks * 512 < 1 << 28
    with mt.open(path) as slide:
        assert slide.size == (w, h)
        found = slide.read((68_990, 64_890), (80, 70))[..., 0]
        np.testing.assert_array_equal(found[10:60, 10:70], patch)
        assert not found[:10].any() and not found[:, :10].any()


def test_tiles_beyond_4_gib(tmp_path):
    """A BigTIFF whose tiles lie 3 GiB apart."""
    tiles = np.random.default_rng(3).integers(0, 256, (4, 64, 64), np.uint8)
    path = tmp_path / "big.tif"
    offsets = [16 + number * (3 << 30) for number in range(4)]
    directory = offsets[-1] + 64 * 64
    entries = [(256, 4, 1, 128), (257, 4, 1, 128), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    entries += [(277, 3, 1, 1), (322, 3, 1, 64), (323, 3, 1, 64)]
    arrays = directory + 8 + 20 * (len(entries) + 2) + 8
    entries += [(324, 16, 4, arrays), (325, 16, 4, arrays + 32)]
    with open(path, "wb") as file:
        file.write(struct.pack("<2sHHHQ", b"II", 43, 8, 0, directory))
        for offset, tile in zip(offsets, tiles, strict=True):
            file.seek(offset)
            file.write(tile.tobytes())
        file.write(struct.pack("<Q", len(entries)))
        file.writelines(struct.pack("<HHQQ", *entry) for entry in entries)
        file.write(struct.pack("<Q4Q4Q", 0, *offsets, *[64 * 64] * 4))
    assert os.stat(path).st_size > 9 << 30
    with mt.open(path) as slide:
        expected = np.block([[tiles[0], tiles[1]], [tiles[2], tiles[3]]])
        np.testing.assert_array_equal(slide.read_level(0)[..., 0], expected)


def test_a_million_tiles():
    """That share two tiles' bytes."""
    across = 1000
    tiles = [np.full((16, 16), value, np.uint8).tobytes() for value in (50, 200)]
    content = bytearray(grey(across * 16, across * 16, tiles, tile_w=16, tile_h=16))
    # Other arrays behind the file: a chequerboard of the two.
    offsets = 8 + 256 * (np.add.outer(np.arange(across), np.arange(across)) % 2)
    places = {324: len(content), 325: len(content) + 4 * across**2}
    content += offsets.astype("<u4").tobytes() + np.full(across**2, 256, "<u4").tobytes()
    (directory,) = struct.unpack_from("<I", content, 4)
    for entry in range(struct.unpack_from("<H", content, directory)[0]):
        at = directory + 2 + 12 * entry
        (number,) = struct.unpack_from("<H", content, at)
        if number in places:
            struct.pack_into("<II", content, at + 4, across**2, places[number])
    begin = time.perf_counter()
    with mt.open(bytes(content)) as slide:
        opened = time.perf_counter() - begin
        assert slide.size == (16_000, 16_000)
        for x, y in ((0, 0), (15_984, 15_984), (8000, 7984)):
            assert (slide.read((x, y), (16, 16)) == (200 if (x + y) // 16 % 2 else 50)).all()
    assert opened < 0.1  # nothing is read of the arrays


# Claims. Each must be refused, at once and without its memory.


def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def claim(w, h, **more):
    return grey(w, h, [b"\x55" * 100], **more)


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (
            claim(2**31 - 1, 2**31 - 1, tile_w=2**31 - 16, tile_h=2**31 - 16),
            mt.UnsupportedError,
            "may decode to at most",
        ),
        (claim(2**31, 100, rows_per_strip=1), mt.CorruptSlideError, "image size 2147483648x100"),
        (claim(2**31 - 1, 2**31 - 1, rows_per_strip=2**32 - 1), mt.UnsupportedError, "may decode to at most"),
        (claim(10, 10**9, rows_per_strip=1), mt.CorruptSlideError, "1 tile offsets, expected 1000000000"),
        (
            claim(40_000, 40_000, tile_w=40_000, tile_h=40_000, compression=8),
            mt.UnsupportedError,
            "limit max_tile_bytes of 1073741824",
        ),
        (
            claim(16_000, 16_000, tile_w=16, tile_h=16),
            mt.CorruptSlideError,
            "1 tile offsets, expected 1000000",
        ),
    ],
    ids=[
        "one huge tile",
        "a width of 2**31",
        "one huge strip",
        "10**9 strips",
        "a tile beyond the limit",
        "a million absent tiles",
    ],
)
def test_claims_are_refused_before_memory_is_taken(content, error, message):
    before, begin = resident_bytes(), time.perf_counter()
    with pytest.raises(error, match=message):
        mt.open(content)
    assert time.perf_counter() - begin < 1 and resident_bytes() - before < 32 << 20


@pytest.mark.parametrize("compression", [1, 5, 8, 32773, 34925, 50000])
def test_few_bytes_take_no_room_for_a_large_tile(compression):
    content = claim(30_000, 30_000, tile_w=30_000, tile_h=30_000, compression=compression)
    before, begin = resident_bytes(), time.perf_counter()
    with mt.open(content) as slide, pytest.raises(mt.CorruptSlideError):
        slide.read((29_000, 29_000), (10, 10))
    assert time.perf_counter() - begin < 1 and resident_bytes() - before < 32 << 20


def test_the_limit_of_a_tile_can_be_set():
    content = grey(64, 64, [bytes(4096)], tile_w=64, tile_h=64)
    assert mt.open(content, max_tile_bytes=4096).read_level(0).shape == (64, 64, 1)
    with pytest.raises(
        mt.UnsupportedError,
        match="a tile of 64x64 pixels decodes to 4096 bytes, more than the limit max_tile_bytes of 4095",
    ):
        mt.open(content, max_tile_bytes=4095)
    with pytest.raises(ValueError, match="max_tile_bytes = 0"):
        mt.open(content, max_tile_bytes=0)
