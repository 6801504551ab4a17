"""`microtome read`: pixels in each kind of picture, and what it refuses."""

import io
import os
import shutil
import signal
import subprocess
import sys

import microtome as mt
import numpy as np
import pytest
import tifffile
from microtome.cli import regions
from PIL import Image
from reference import crop, random_levels, reference_levels, write_pyramid


def pixels_of(path):
    if str(path).endswith(".npy"):
        return np.load(path)
    if str(path).endswith((".tif", ".tiff")):
        return tifffile.imread(path)
    return np.asarray(Image.open(path))


@pytest.mark.parametrize("suffix", ["png", "tif", "npy"])
def test_lossless_kinds_hold_the_pixels(suffix, cli, pyramid, tmp_path):
    out = tmp_path / f"out.{suffix}"
    ran = cli("read", pyramid.path, out, "--at", "100,50", "--size", "300x200")
    assert (ran.code, ran.out) == (
        0,
        "",
    ) and f"300×200 {'TIFF' if suffix == 'tif' else suffix.upper()}" in ran.err
    np.testing.assert_array_equal(pixels_of(out), crop(pyramid.levels[0], 100, 50, (300, 200)))
    assert cli("read", pyramid.path, out, "--overwrite", "--level", "1", "-q").err == ""
    np.testing.assert_array_equal(pixels_of(out), pyramid.levels[1])
    assert cli("read", pyramid.path, out, "--overwrite", "--thumbnail", "256").code == 0
    np.testing.assert_array_equal(pixels_of(out), pyramid.levels[2])
    assert os.listdir(tmp_path) == [out.name]


def test_jpeg_is_near_and_quality_matters(cli, made_slide, tmp_path):
    path = made_slide("generic-jpeg-420")
    for quality in (95, 20):
        assert cli("read", path, tmp_path / f"{quality}.jpg", "--quality", quality).code == 0
    with mt.open(path) as slide:
        exact = slide.read_level(0).astype(int)
    near, far = (np.abs(pixels_of(tmp_path / f"{q}.jpg") - exact).mean() for q in (95, 20))
    assert near < 2 < far


@pytest.mark.parametrize(("option", "value"), [("--mpp", "0.5"), ("--downsample", "2")])
def test_resolutions(option, value, cli, pyramid, tmp_path):
    assert cli("read", pyramid.path, tmp_path / "a.npy", option, value).code == 0
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), pyramid.levels[1])
    ran = cli("read", pyramid.path, tmp_path / "b.npy", option, value, "--at", "64,32", "--size", "50,40")
    assert ran.code == 0
    np.testing.assert_array_equal(np.load(tmp_path / "b.npy"), crop(pyramid.levels[1], 32, 16, (50, 40)))


@pytest.mark.parametrize("band", [1, 100, 1 << 30])
def test_whatever_the_bands(band, cli, pyramid, tmp_path, monkeypatch):
    from microtome.cli.pictures import npy

    monkeypatch.setattr(npy, "BAND_BYTES", band * 1024 * 3)
    assert cli("read", pyramid.path, tmp_path / "a.npy").code == 0
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), pyramid.levels[0])
    assert (
        cli(
            "read", pyramid.path, tmp_path / "b.npy", "--at", "-3,-5", "--size", "1024,777", "--fill", "1,2,3"
        ).code
        == 0
    )
    expected = crop(pyramid.levels[0], -3, -5, (1024, 777), (1, 2, 3))
    np.testing.assert_array_equal(np.load(tmp_path / "b.npy"), expected)


@pytest.mark.parametrize(("channels", "dtype"), [(1, np.uint16), (3, np.uint16), (1, np.float32)])
def test_other_samples(channels, dtype, cli, refused, tmp_path):
    levels = random_levels((300, 270), 1, channels=channels, dtype=dtype)
    write_pyramid(tmp_path / "a.tif", levels)
    for name in ("out.npy", "out.tif"):
        assert cli("read", tmp_path / "a.tif", tmp_path / name).code == 0
        np.testing.assert_array_equal(pixels_of(tmp_path / name).reshape(levels[0].shape), levels[0])
    if (channels, dtype) == (1, np.uint16):
        assert cli("read", tmp_path / "a.tif", tmp_path / "out.png").code == 0
        np.testing.assert_array_equal(pixels_of(tmp_path / "out.png").reshape(levels[0].shape), levels[0])
    else:
        assert "use TIFF or NPY" in refused(2, "read", tmp_path / "a.tif", tmp_path / "out.png")
    assert "use TIFF or NPY" in refused(2, "read", tmp_path / "a.tif", tmp_path / "out.jpg")
    assert not (tmp_path / "out.jpg").exists()


def test_transparency(cli, refused, made_slide, tmp_path):
    path = made_slide("generic-rgba")
    for name in ("out.npy", "out.tif", "out.png"):
        assert cli("read", path, tmp_path / name).code == 0
        np.testing.assert_array_equal(pixels_of(tmp_path / name), reference_levels(path)[0])
    assert "has 4 × uint8" in refused(2, "read", path, tmp_path / "out.jpg")


def test_a_tiff_says_its_resolution(cli, pyramid, tmp_path):
    assert cli("read", pyramid.path, tmp_path / "a.tif", "--level", "1").code == 0
    with mt.open(tmp_path / "a.tif") as written:
        assert written.mpp == pytest.approx((0.5, 0.5))


def test_the_colour_profile_is_kept(cli, made_slide, tmp_path):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    levels = random_levels((300, 200), 1)
    write_pyramid(tmp_path / "a.tif", levels, iccprofile=profile)
    for name in ("b.png", "b.jpg", "b.tif"):
        assert cli("read", tmp_path / "a.tif", tmp_path / name).code == 0
        assert Image.open(tmp_path / name).info["icc_profile"] == profile


def test_standard_output(pyramid, capfdbinary):
    from microtome.cli import main

    assert main(["read", pyramid.path, "-", "--format", "png", "--level", "2"]) == 0
    out, err = capfdbinary.readouterr()
    assert err == b""
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(out))), pyramid.levels[2])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--level", "3"], "level 3: the slide has levels 0…2"),
        (["--level", "-1"], "level -1"),
        (["--mpp", "3"], "no stored level is within 1 %"),
        (["--mpp", "-1"], "greater than 0"),
        (["--power", "40"], "objective power"),
        (["--level", "1", "--mpp", "0.5"], "exclude each other"),
        (["--size", "0,5"], "at least 1"),
        (["--size", "5,x"], "two, as in"),
        (["--size", "99999999999999999999"], "64 bits"),
        (["--at", "5"], "two integers"),
        (["--at", "5,5"], "--at needs --size"),
        (["--size", "1000000"], "the level has 1024×768 pixels"),
        (["--thumbnail", "0"], "--thumbnail"),
        (["--thumbnail", "9", "--level", "1"], "leave out"),
        (["--fill", "red"], "not a number"),
        (["--fill", "1,2"], "fill"),
        (["--workers", "0"], "--workers"),
        (["--quality", "101"], "--quality"),
    ],
)
def test_impossible_requests(arguments, said, refused, pyramid, tmp_path):
    assert said in refused(2, "read", pyramid.path, tmp_path / "out.png", *arguments)
    assert not list(tmp_path.iterdir())


def test_more_than_memory(refused, pyramid, tmp_path, monkeypatch):
    monkeypatch.setattr(regions, "MOST_BLANK", 1 << 62)
    assert "ask for fewer pixels" in refused(
        2, "read", pyramid.path, tmp_path / "a.png", "--size", "100000000"
    )
    assert "65500 pixels a side" in refused(2, "read", pyramid.path, tmp_path / "a.jpg", "--size", "70000,1")
    assert not list(tmp_path.iterdir())


def test_outputs_that_cannot_be(refused, pyramid, tmp_path):
    (tmp_path / "there.png").write_text("mine")
    (tmp_path / "folder.png").mkdir()
    for name, code, said in [
        ("there.png", 5, "exists; --overwrite replaces it"),
        ("folder.png", 5, "is a folder"),
        ("no/out.png", 5, "there is no folder"),
        ("there.png/out.png", 5, "Not a directory"),
        ("out.gif", 2, "no kind of picture ends in .gif"),
        ("out", 2, "--format"),
        ("n" * 300 + ".png", 5, "shorter name"),
    ]:
        assert said in refused(code, "read", pyramid.path, tmp_path / name, "--level", "2")
    assert (tmp_path / "there.png").read_text() == "mine"
    assert sorted(os.listdir(tmp_path)) == ["folder.png", "there.png"]


def test_a_folder_without_permission(pyramid, nobody, capfd):
    from microtome.cli import main

    folder, restore = nobody
    restore()
    slide = folder / "slide.tif"
    shutil.copyfile(pyramid.path, slide)
    folder.chmod(0o555)
    if os.geteuid() == 0:
        os.seteuid(65534)
    for arguments in (["read", slide, folder / "out.png"], ["patches", slide, folder / "out"]):
        assert main([str(each) for each in arguments]) == 5
        assert "Permission denied" in capfd.readouterr().err
    restore()
    assert os.listdir(folder) == ["slide.tif"]


@pytest.mark.parametrize("name", ["png", "jpeg", "tiff", "npy"])
def test_a_full_disk(name, refused, pyramid):
    line = refused(5, "read", pyramid.path, "/dev/full", "--format", name)
    assert line == "microtome: /dev/full: No space left on device; free some space, or choose another place\n"


@pytest.mark.parametrize("name", ["png", "npy"])
def test_a_disk_that_fills_up(name, refused, pyramid, tmp_path, monkeypatch):
    """The real thing needs a file system of its own: here the system says so at the 2nd write."""
    from microtome.cli import whole_file

    class Full(io.FileIO):
        written = 0

        def write(self, data):
            self.written += 1
            if self.written == 2:
                raise OSError(28, "No space left on device")
            return super().write(data)

    monkeypatch.setattr(
        whole_file, "open", lambda path, mode: Full(path, mode.replace("b", "") + "+"), raising=False
    )
    (tmp_path / "old").write_text("mine")
    assert "No space left" in refused(
        5, "read", pyramid.path, tmp_path / "old", "--format", name, "--overwrite"
    )
    assert (tmp_path / "old").read_text() == "mine" and os.listdir(tmp_path) == ["old"]


def test_broken_tiles(cli, refused, broken_path, tmp_path):
    out = tmp_path / "out.png"
    line = refused(4, "read", broken_path, out)
    assert "tile 1,0 level 0" in line and "'microtome verify'" in line
    assert not out.exists()
    ran = cli("read", broken_path, out, "--on-error", "fill", "--fill", "7")
    assert ran.code == 0 and "1 broken tile was filled:" in ran.err and "tile 1,0 level 0" in ran.err
    assert (pixels_of(out)[:128, 128:256] == 7).all()
    assert cli("read", broken_path, out, "--overwrite", "--thumbnail", "900", "--on-error", "fill").code == 0


def test_ctrl_c_leaves_nothing(pyramid, tmp_path, cli, monkeypatch):
    bands = iter(range(100))
    read = mt.Slide.read

    def interrupted(*arguments, **options):
        if next(bands) == 2:
            signal.raise_signal(signal.SIGINT)
        return read(*arguments, **options)

    monkeypatch.setattr(mt.Slide, "read", interrupted)
    ran = cli("read", pyramid.path, tmp_path / "out.tif")
    assert (ran.code, ran.err) == (130, "microtome: interrupted\n")
    assert not list(tmp_path.iterdir())


def test_sigterm_leaves_nothing(pyramid, tmp_path, cli, monkeypatch):
    monkeypatch.setattr(mt.Slide, "read", lambda *a, **o: signal.raise_signal(signal.SIGTERM))
    assert cli("read", pyramid.path, tmp_path / "out.tif").code == 143
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        ["info", "{}", "--properties"],
        ["info", "{}", "--json"],
        ["--help"],
        ["read", "{}", "-", "--format", "png"],
    ],
)
def test_a_closed_pipe(arguments, pyramid):
    """A new process: Python itself flushes standard output at its end, too."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [sys.executable, "-m", "microtome", *(each.format(pyramid.path) for each in arguments)]
    ran = subprocess.run(command, stdout=write_end, stderr=subprocess.PIPE, text=True)
    os.close(write_end)
    assert (ran.returncode, ran.stderr) == (141, "")


def test_a_full_standard_output(pyramid):
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "microtome", "info", pyramid.path]
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert ran.returncode == 5
    assert (
        ran.stderr.startswith("microtome: standard output: No space left on device")
        and ran.stderr.count("\n") == 1
    )


def test_a_missing_package(refused, pyramid, tmp_path, monkeypatch):
    for package, arguments in {
        "tifffile": ["read", "a.tif"],
        "PIL": ["read", "a.png"],
        "h5py": ["patches", "a.h5"],
        "zarr": ["patches", "a.zarr"],
    }.items():
        wanted = {"PIL": "pillow"}.get(package, package)
        with monkeypatch.context() as without:
            for name in [each for each in sys.modules if each.split(".")[0] == package] or [package]:
                without.setitem(sys.modules, name, None)
            line = refused(6, arguments[0], pyramid.path, tmp_path / arguments[1])
        assert f"needs the package {wanted}, which is not installed; pip install {wanted}" in line
    assert not list(tmp_path.iterdir())


def test_without_click(capsys, monkeypatch):
    from microtome.cli import main

    monkeypatch.setitem(sys.modules, "click", None)
    monkeypatch.delitem(sys.modules, "microtome.cli.program", raising=False)
    assert main(["--help"]) == 6
    assert "needs click" in capsys.readouterr().err


def test_importing_the_package_imports_no_command_line():
    code = (
        "import sys, microtome; print(sorted({'click', 'rich', 'PIL', 'microtome.cli'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"
