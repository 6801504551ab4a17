"""`microtome patches`: each kind of output, its manifest, what it refuses, and Ctrl-C. Kills: test_cli_resume.py."""

import csv
import errno
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import microtome as mt
import numpy as np
import pytest
import tifffile
from microtome.cli import main
from microtome.cli.patchsets import folder, hdf5, webdataset, zarr
from microtome.cli.patchsets.manifest import COLUMNS
from PIL import Image
from reference import crop, random_levels, write_pyramid

KINDS = {"folder": "set", "webdataset": "set.tar", "hdf5": "set.h5", "zarr": "set.zarr"}
CLASSES = {"folder": folder.Folder, "webdataset": webdataset.WebDataset, "hdf5": hdf5.Hdf5, "zarr": zarr.Zarr}
SMALL = ["--size", "80,64", "--stride", "70"]  # of the pyramid: 15×11 patches, three batches


@pytest.fixture(params=KINDS)
def kind(request):
    pytest.importorskip({"hdf5": "h5py", "zarr": "zarr"}.get(request.param, "PIL"))
    return request.param


def read_set(path, names):
    """The patches of an output, in the manifest's order, by another reader than ours."""
    path = str(path)
    if path.endswith(".tar"):
        with tarfile.open(path) as tar:
            return [np.asarray(Image.open(tar.extractfile(name))) for name in names]
    if path.endswith(".h5"):
        import h5py

        with h5py.File(path) as file:
            return list(file["patches"][: file["written"][()]])
    if path.endswith(".zarr"):
        import zarr as zarr_package

        return list(zarr_package.open_group(path, mode="r")["patches"][...])
    return [np.asarray(Image.open(os.path.join(path, name))) for name in names]


def read_manifest(out):
    out = Path(out)
    path = out / "manifest.csv" if (out / "manifest.csv").exists() else Path(f"{out}.manifest.csv")
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        assert tuple(reader.fieldnames) == COLUMNS
        return list(reader)


def locations_of(rows):
    return [(int(row["x"]), int(row["y"])) for row in rows]


def test_pixels_and_manifest(kind, cli, pyramid, tmp_path):
    out = tmp_path / KINDS[kind]
    ran = cli("patches", pyramid.path, out, *SMALL, "--level", "1", "--fill", "9")
    assert (ran.code, ran.out) == (0, "")
    rows = read_manifest(out)
    with mt.open(pyramid.path) as slide:
        assert locations_of(rows) == [
            tuple(each) for each in mt.grid(slide, (80, 64), (70, 70), level=1).tolist()
        ]
    assert [int(row["index"]) for row in rows] == list(range(len(rows)))
    constant = {name: "" for name in ("error",)} | {
        "width": "80",
        "height": "64",
        "level": "1",
        "mpp_x": "0.5",
    }
    assert all(row[name] == value for row in rows for name, value in constant.items())
    assert {row["slide"] for row in rows} == {pyramid.path}
    patches = read_set(out, [row["name"] for row in rows])
    assert len(patches) == len(rows)
    for (x, y), patch in zip(locations_of(rows), patches, strict=True):
        np.testing.assert_array_equal(patch, crop(pyramid.levels[1], x // 2, y // 2, (80, 64), 9))
    beside = [] if kind == "folder" else [f"{out.name}.manifest.csv"]
    assert sorted(os.listdir(tmp_path)) == sorted([out.name, *beside])


def test_what_goes_along_with_the_pixels(cli, pyramid, tmp_path):
    h5py, zarr_package = pytest.importorskip("h5py"), pytest.importorskip("zarr")
    for name in ("a.h5", "a.zarr", "a.tar"):
        assert cli("patches", pyramid.path, tmp_path / name, *SMALL).code == 0
    rows = read_manifest(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["locations"][...].tolist() == [list(each) for each in locations_of(rows)]
        assert (
            file.attrs["slide"] == "slide.tif"
            and file.attrs["level"] == 0
            and list(file.attrs["mpp"]) == [0.25, 0.25]
        )
    group = zarr_package.open_group(str(tmp_path / "a.zarr"), mode="r")
    assert group["locations"][...].tolist() == [list(each) for each in locations_of(rows)]
    assert group.attrs["slide"] == "slide.tif" and group.attrs["level"] == 0
    with tarfile.open(tmp_path / "a.tar") as tar:
        members = tar.getnames()
        assert members[:2] == ["0_0.png", "0_0.json"] and len(members) == 2 * len(rows)
        facts = json.load(tar.extractfile("70_0.json"))
    assert (facts["index"], facts["x"], facts["y"], facts["level"], facts["slide"]) == (
        1,
        70,
        0,
        0,
        "slide.tif",
    )


def test_jpeg_pictures(cli, made_slide, tmp_path):
    path = made_slide("generic-jpeg-420")
    for out in (tmp_path / "set", tmp_path / "set.tar"):
        assert cli("patches", path, out, "--format", "jpeg", "--quality", "95").code == 0
        rows = read_manifest(out)
        assert all(row["name"].endswith(".jpg") for row in rows)
        with mt.open(path) as slide:
            for (x, y), patch in zip(
                locations_of(rows), read_set(out, [r["name"] for r in rows]), strict=True
            ):
                assert np.abs(patch.astype(int) - slide.read((x, y), (256, 256))).mean() < 3


def test_edge_and_mask(cli, refused, pyramid, tmp_path):
    assert cli("patches", pyramid.path, tmp_path / "a.tar", "--size", "300", "--edge", "drop").code == 0
    assert len(read_manifest(tmp_path / "a.tar")) == 6
    mask = np.zeros((3, 4), np.uint8)
    mask[1, 2] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    selected = ["--mask", tmp_path / "mask.png", "--size", "300"]
    assert cli("patches", pyramid.path, tmp_path / "b.tar", *selected).code == 0
    assert locations_of(read_manifest(tmp_path / "b.tar")) == [(300, 0), (600, 0), (300, 300), (600, 300)]
    assert cli("patches", pyramid.path, tmp_path / "c.tar", *selected, "--min-tissue", "0.39").code == 0
    assert locations_of(read_manifest(tmp_path / "c.tar")) == [(600, 300)]
    assert "no such patch" in refused(
        2, "patches", pyramid.path, tmp_path / "d", *selected, "--min-tissue", "1"
    )
    assert "min_tissue" in refused(2, "patches", pyramid.path, tmp_path / "d", "--min-tissue", "0.5")
    assert "no picture" in refused(2, "patches", pyramid.path, tmp_path / "d", "--mask", __file__)
    refused(3, "patches", pyramid.path, tmp_path / "d", "--mask", tmp_path / "no.png")


def test_summary(cli, pyramid, tmp_path):
    ran = cli("patches", pyramid.path, tmp_path / "a.tar", *SMALL, "--json")
    summary = json.loads(ran.out)
    assert summary["patches"] == 165 and summary["resumed_from"] == 0 and summary["filled"] == 0
    assert summary["manifest"] == str(tmp_path / "a.tar.manifest.csv")
    assert f"{tmp_path}/a.tar: 165 patches, 165 of them in " in ran.err
    assert cli("patches", pyramid.path, tmp_path / "b.tar", *SMALL, "-q").err == ""


def test_progress_on_a_terminal(pyramid, tmp_path):
    script = (
        "import sys; from microtome.cli import main; "
        f"sys.exit(main(['patches', {pyramid.path!r}, {str(tmp_path / 'set')!r}, '--size', '40']))"
    )
    if shutil.which("script") is None:
        pytest.skip("no script(1) to make a terminal")
    command = shlex.join([sys.executable, "-c", script])
    ran = subprocess.run(
        ["script", "-qec", command, "/dev/null"],
        capture_output=True,
        text=True,
        env=os.environ | {"TERM": "xterm"},
    )
    assert ran.returncode == 0
    assert "/520" in ran.stdout and "patches/s" in ran.stdout and "left" in ran.stdout


def test_outputs_that_cannot_be(refused, cli, pyramid, tmp_path, tree):
    for name in ("there.tar", "folder/mine"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    (tmp_path / "listed.tar.manifest.csv").write_text("mine")
    for name, code, said in [
        ("there.tar", 5, "exists; --overwrite replaces it"),
        ("listed.tar", 5, "manifest.csv exists"),
        ("folder", 5, "exists; delete it first"),
        ("there.tar/set", 5, "there is no folder"),
        ("no/set.tar", 5, "there is no folder"),
        ("set.gz", 2, "--kind says it"),
    ]:
        assert said in refused(code, "patches", pyramid.path, tmp_path / name, "--level", "2")
    assert "delete it first" in refused(5, "patches", pyramid.path, tmp_path / "folder", "--overwrite")
    assert {content for content in tree(tmp_path).values()} == {b"mine"}
    assert cli("patches", pyramid.path, tmp_path / "there.tar", "--level", "2", "--overwrite").code == 0
    assert len(read_manifest(tmp_path / "there.tar")) == 1
    (tmp_path / "empty").mkdir()
    assert cli("patches", pyramid.path, tmp_path / "empty/", "--level", "2").code == 0
    assert sorted(os.listdir(tmp_path / "empty")) == ["0_0.png", "manifest.csv"]
    assert cli("patches", pyramid.path, tmp_path / "set.gz", "--level", "2", "--kind", "webdataset").code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--level", "3"], "level 3: the slide has levels 0…2"),
        (["--size", "0"], "at least 1"),
        (["--size", "2000", "--edge", "drop"], "no such patch"),
        (["--size", "100000000"], "ask for fewer pixels"),
        (["--mpp", "7"], "no stored level"),
        (["--kind", "lmdb"], "lmdb"),
        (["--format", "gif"], "gif"),
    ],
)
def test_impossible_requests(arguments, said, refused, pyramid, tmp_path):
    assert said in refused(2, "patches", pyramid.path, tmp_path / "set.tar", *arguments)
    assert not list(tmp_path.iterdir())


def test_samples_that_pictures_cannot_hold(cli, refused, made_slide, tmp_path):
    path = made_slide("generic-rgba")
    assert "use HDF5 or zarr" in refused(2, "patches", path, tmp_path / "set", "--format", "jpeg")
    assert not list(tmp_path.iterdir())
    pytest.importorskip("h5py")
    assert cli("patches", path, tmp_path / "set.h5").code == 0


def interrupt_after(monkeypatch, kind, batches, signal_number=signal.SIGINT):
    """The signal comes while batch number `batches` is being written."""
    add, count = CLASSES[kind].add, iter(range(1000))

    def add_and_interrupt(self, first, pixels):
        if next(count) == batches:
            signal.raise_signal(signal_number)
        add(self, first, pixels)

    monkeypatch.setattr(CLASSES[kind], "add", add_and_interrupt)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_leaves_a_valid_part(number, code, kind, cli, refused, pyramid, tmp_path, monkeypatch, tree):
    whole, out = tmp_path / "whole" / KINDS[kind], tmp_path / KINDS[kind]
    whole.parent.mkdir()
    assert cli("patches", pyramid.path, whole, *SMALL).code == 0
    with monkeypatch.context() as patched:
        interrupt_after(patched, kind, 1, number)
        line = refused(code, "patches", pyramid.path, out, *SMALL)
    partial = tmp_path / KINDS[kind].replace("set", "set.partial")
    assert f"128 of 165 patches are in {partial}" in line and "run the same command again" in line
    assert not out.exists()
    rows = read_manifest(partial)
    assert rows == read_manifest(whole)[:128]
    patches = read_set(partial, [row["name"] for row in rows])
    expected = read_set(whole, [row["name"] for row in rows])[:128]
    assert len(patches) == 128
    np.testing.assert_array_equal(patches, expected)
    ran = cli("patches", pyramid.path, out, *SMALL, "--json")
    assert json.loads(ran.out)["resumed_from"] == 128
    expected = tree(whole.parent)
    shutil.rmtree(whole.parent)
    assert tree(tmp_path) == expected


def test_a_background_job_ignores_ctrl_c(cli, pyramid, tmp_path, monkeypatch):
    """A shell starts it so; Ctrl-C in the terminal is then meant for another."""
    interrupt_after(monkeypatch, "webdataset", 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert cli("patches", pyramid.path, tmp_path / "set.tar", *SMALL).code == 0


def test_ctrl_c_before_the_first_patch_leaves_nothing(kind, refused, pyramid, tmp_path, monkeypatch):
    monkeypatch.setattr(mt.Loader, "__iter__", lambda self: signal.raise_signal(signal.SIGINT) or iter(()))
    assert "nothing was written" in refused(130, "patches", pyramid.path, tmp_path / KINDS[kind], *SMALL)
    assert not list(tmp_path.iterdir())


def test_a_disk_that_fills_up(kind, cli, refused, pyramid, tmp_path, monkeypatch):
    add = CLASSES[kind].add

    def full(self, first, pixels):
        if first > 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        add(self, first, pixels)

    with monkeypatch.context() as patched:
        patched.setattr(CLASSES[kind], "add", full)
        line = refused(5, "patches", pyramid.path, tmp_path / KINDS[kind], *SMALL)
    assert "No space left on device; free some space" in line and "it goes on where it stopped" in line
    assert not (tmp_path / KINDS[kind]).exists()
    ran = cli("patches", pyramid.path, tmp_path / KINDS[kind], *SMALL, "--json")
    assert json.loads(ran.out)["resumed_from"] == 64


def test_a_full_file_system(kind, refused, pyramid, tmp_path):
    """A real one, of 200 kB, where this process may mount it."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", place], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("no right to mount a small file system")
    try:
        line = refused(5, "patches", pyramid.path, place / KINDS[kind], *SMALL)
        assert "No space left on device" in line
        assert not (place / KINDS[kind]).exists()
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def test_another_job_is_not_gone_on_with(kind, cli, refused, pyramid, made_slide, tmp_path, monkeypatch):
    out = tmp_path / KINDS[kind]
    with monkeypatch.context() as patched:
        interrupt_after(patched, kind, 0)
        refused(130, "patches", pyramid.path, out, *SMALL)
    for other, said in [
        (["--size", "80,65", "--stride", "70"], "size [80, 64] instead of [80, 65]"),
        ([*SMALL, "--level", "1"], "level 0 instead of 1"),
        ([*SMALL, "--fill", "0"], "fill"),
        (["--size", "80,64", "--stride", "71"], "at other locations"),
    ]:
        line = refused(5, "patches", pyramid.path, out, *other)
        assert said in line and "--restart" in line
    assert "from another slide" in refused(5, "patches", made_slide("generic-none"), out, *SMALL)
    assert cli("patches", pyramid.path, out, "--size", "300", "--restart").code == 0
    assert len(read_manifest(out)) == 12


def test_two_runs_at_once(refused, pyramid, tmp_path, monkeypatch):
    out = tmp_path / "set.tar"
    add = webdataset.WebDataset.add

    def add_and_try(self, first, pixels):
        add(self, first, pixels)
        if first == 0:
            pid = os.fork()
            if pid == 0:
                os._exit(main(["patches", pyramid.path, str(out), *SMALL]))
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 5

    monkeypatch.setattr(webdataset.WebDataset, "add", add_and_try)
    assert main(["patches", pyramid.path, str(out), *SMALL]) == 0


def test_broken_tiles(kind, cli, refused, broken_path, tmp_path):
    out = tmp_path / KINDS[kind]
    size = ["--size", "64"]  # 16×12; the second and third of the first rows lie on the broken tile
    assert "tile 1,0 level 0" in refused(4, "patches", broken_path, out, *size)
    assert os.listdir(tmp_path) == ["broken.tif"]
    ran = cli("patches", broken_path, out, *size, "--on-error", "fill", "--fill", "3")
    assert ran.code == 0 and "4 have broken tiles that were filled" in ran.err
    rows = read_manifest(out)
    broken = [(int(row["x"]), int(row["y"])) for row in rows if row["error"]]
    assert broken == [(128, 0), (192, 0), (128, 64), (192, 64)]
    assert all("tile 1,0 level 0" in row["error"] for row in rows if row["error"])
    patches = read_set(out, [row["name"] for row in rows])
    assert (patches[2] == 3).all() and not (patches[1] == 3).all()


def test_after_broken_tiles_the_rest_can_be_filled(cli, refused, made_slide, tmp_path):
    """What was written before the stop stays, and --on-error fill goes on from there."""
    path = str(tmp_path / "broken.tif")
    shutil.copyfile(made_slide("generic-none"), path)
    with tifffile.TiffFile(path) as file:
        counts = file.pages[0].tags["TileByteCounts"].valueoffset
    with open(path, "r+b") as file:
        file.seek(counts + 4 * 19)  # the last tile: 4,3
        file.write((7).to_bytes(4, "little"))
    out = tmp_path / "a.tar"
    assert "tile 4,3" in refused(4, "patches", path, out, "--size", "32")
    ran = cli("patches", path, out, "--size", "32", "--on-error", "fill", "--json")
    summary = json.loads(ran.out)
    assert summary["resumed_from"] == 192 and summary["filled"] > 0


def test_a_slide_that_does_not_say_its_resolution(cli, refused, tmp_path):
    path = tmp_path / "a.tif"
    write_pyramid(path, random_levels((300, 200), 1), mpp=None)
    assert cli("patches", path, tmp_path / "a.tar").code == 0
    assert [(row["mpp_x"], row["mpp_y"], row["level"]) for row in read_manifest(tmp_path / "a.tar")] == [
        ("", "", "0")
    ] * 2
    assert "µm per pixel" not in cli("info", path).out
    assert "use --downsample" in refused(2, "patches", path, tmp_path / "b.tar", "--mpp", "0.5")
    assert "use --downsample" in refused(2, "read", path, tmp_path / "b.png", "--mpp", "0.5")
