"""`microtome verify`: finds all that is broken, and nothing else."""

import json
import shutil
import signal

import microtome as mt
import pytest
import tifffile


@pytest.fixture
def damaged(made_slide, tmp_path):
    """Function: copies a made slide and breaks tiles given as {page: [tile, …]} → path."""

    def damage(name, tiles):
        path = str(tmp_path / f"{name}.tif")
        shutil.copyfile(made_slide(name), path)
        with tifffile.TiffFile(path) as file, open(path, "r+b") as target:
            for page, indices in tiles.items():
                for index in indices:
                    target.seek(file.pages[page].dataoffsets[index])
                    target.write(b"\xff" * file.pages[page].databytecounts[index])
        return path

    return damage


def found(ran):
    report = json.loads(ran.out)
    return report, [(each["level"], tuple(each["tile"] or ())) for each in report["broken"]]


@pytest.mark.parametrize(
    "name", ["generic-jpeg-420", "generic-deflate", "generic-smaller-than-tile", "aperio-jpeg-420"]
)
@pytest.mark.parametrize("workers", [1, 2])
def test_a_slide_in_order(name, workers, cli, made_slide):
    path = made_slide(name)
    ran = cli("verify", path, "--workers", workers)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith(f"{path}: ") and ", all in order, in " in ran.err
    ran = cli("verify", path, "--json", "-q")
    report, broken = found(ran)
    assert (ran.code, ran.err, broken) == (0, "", [])
    assert report["ok"] and report["finished"]
    with mt.open(path) as slide:
        assert report["associated"] == list(slide.associated)
        for level, count in zip(slide.levels, report["levels"], strict=True):
            tiles = -(-level.size[0] // level.tile_size[0]) * -(-level.size[1] // level.tile_size[1])
            assert count == {"level": level.index, "checked": tiles, "tiles": tiles, "absent": 0, "broken": 0}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("name", ["generic-jpeg-420", "generic-deflate", "generic-lzw"])
def test_broken_tiles(name, workers, cli, damaged):
    path = damaged(name, {0: [1, 7, 19], 1: [0, 5]})  # 5×4 and 3×2 tiles
    ran = cli("verify", path, "--json", "--workers", workers)
    report, broken = found(ran)
    assert ran.code == 4 and not report["ok"] and report["finished"]
    assert broken == [(0, (1, 0)), (0, (2, 1)), (0, (4, 3)), (1, (0, 0)), (1, (2, 1))]
    assert [each["location"] for each in report["broken"]][:3] == [[128, 0], [256, 128], [512, 384]]
    with tifffile.TiffFile(path) as file:
        pages = [file.pages[each["level"]] for each in report["broken"]]
        indices = [1, 7, 19, 0, 5]
        assert [(each["offset"], each["size"]) for each in report["broken"]] == [
            (page.dataoffsets[i], page.databytecounts[i]) for page, i in zip(pages, indices, strict=True)
        ]
    assert [count["broken"] for count in report["levels"]] == [3, 2, 0]
    assert all(each["problem"] and "tile" not in each["problem"].split(":")[0] for each in report["broken"])


def test_the_list(cli, damaged):
    path = damaged("generic-jpeg-420", {0: [1]})
    ran = cli("verify", path)
    head, line = ran.out.splitlines()
    assert head.split() == ["image", "tile", "at", "x,y", "bytes", "problem"]
    assert line.startswith("level 0   1,0   128,0  ") and "jpeg: " in line
    assert ran.err.splitlines()[-1].startswith(f"microtome: {path}: 1 part is broken; ")


def test_equal_broken_tiles_are_each_listed(cli, made_slide, tmp_path):
    """Tiles of equal bytes are decoded once where that works."""
    path = str(tmp_path / "a.tif")
    shutil.copyfile(made_slide("generic-none"), path)
    with tifffile.TiffFile(path) as file, open(path, "r+b") as target:
        offsets, counts = (file.pages[0].tags[name].valueoffset for name in ("TileOffsets", "TileByteCounts"))
        for index in (3, 4, 11):
            for place, value in ((offsets, 8), (counts, 100)):  # the same too few bytes for all three
                target.seek(place + 4 * index)
                target.write(value.to_bytes(4, "little"))
    ran = cli("verify", path, "--json")
    assert [tile for _, tile in found(ran)[1]] == [(3, 0), (4, 0), (1, 2)]


def test_tiles_that_are_left_out_are_no_fault(cli, made_slide):
    path = made_slide("generic-sparse")
    ran = cli("verify", path)
    assert ran.code == 0 and "4 of the tiles are left out" in ran.err
    assert found(cli("verify", path, "--json"))[0]["levels"][0]["absent"] == 4


def test_a_broken_associated_image(cli, made_slide, tmp_path):
    path = str(tmp_path / "a.svs")
    shutil.copyfile(made_slide("aperio-jpeg-420"), path)
    with mt.open(path) as slide:
        name = next(iter(slide.associated))
        w, h = slide.associated[name].shape[1::-1]
    with tifffile.TiffFile(path) as file, open(path, "r+b") as target:
        page = next(page for page in file.pages if (page.imagewidth, page.imagelength) == (w, h))
        target.seek(page.dataoffsets[0])
        target.write(b"\xff" * page.databytecounts[0])
    ran = cli("verify", path, "--json")
    report, _ = found(ran)
    assert ran.code == 4
    assert [each["image"] for each in report["broken"]] == [f"associated image {name}"]
    assert f"associated image {name}" in cli("verify", path).out


def test_ctrl_c_shows_what_was_found(cli, damaged, monkeypatch):
    path = damaged("generic-jpeg-420", {0: [1], 2: [0]})
    grid = mt.grid
    levels = iter(range(10))

    def interrupted(*arguments, **options):
        if next(levels) == 1:
            signal.raise_signal(signal.SIGINT)
        return grid(*arguments, **options)

    monkeypatch.setattr("microtome.cli.verify.grid", interrupted)
    ran = cli("verify", path, "--json")
    report, broken = found(ran)
    assert ran.code == 130 and "interrupted: 26 tiles" in ran.err and "Traceback" not in ran.err
    assert not report["finished"] and not report["ok"] and broken == [(0, (1, 0))]
