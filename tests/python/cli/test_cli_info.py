"""`microtome info` and `microtome associated`, and what all commands do about a slide that cannot be opened."""

import json
import os
import shutil
import signal

import microtome as mt
import numpy as np
import pytest
import tifffile
from microtome.cli import options
from microtome.cli.pyramid import WIDTH, steps
from PIL import Image

COMMANDS = {
    "info": [],
    "read": ["{out}.png"],
    "associated": [],
    "patches": ["{out}"],
    "verify": [],
    "bench": [],
    "cache": [],
}


def command(name, slide, folder):
    return [name, slide, *(word.format(out=folder / "out") for word in COMMANDS[name])]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_missing_file(name, refused, tmp_path):
    line = refused(3, *command(name, tmp_path / "no.svs", tmp_path))
    assert line == f"microtome: {tmp_path}/no.svs: No such file or directory; check the path\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", COMMANDS)
def test_not_a_slide(name, refused, tmp_path):
    path = tmp_path / "text.svs"
    path.write_text("no slide at all")
    line = refused(3, *command(name, path, tmp_path))
    assert str(path) in line and "not a slide in a known format" in line
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_cut_file(name, refused, tmp_path, made_slide):
    path = tmp_path / "cut.tif"
    with open(made_slide("generic-jpeg-420"), "rb") as file:
        path.write_bytes(file.read()[:-40])  # the directories are at its end
    assert "another copy" in refused(4, *command(name, path, tmp_path))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", COMMANDS)
def test_ctrl_c_while_it_opens_the_slide(name, cli, pyramid, tmp_path, monkeypatch):
    opened = options.open_slide

    def interrupted(path):
        signal.raise_signal(signal.SIGINT)
        return opened(path)

    monkeypatch.setattr(options, "open_slide", interrupted)
    ran = cli(*command(name, pyramid.path, tmp_path))
    assert (ran.code, ran.out, ran.err) == (130, "", "microtome: interrupted\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", COMMANDS)
def test_no_permission(name, capfd, nobody, made_slide):
    from microtome.cli import main

    folder, restore = nobody
    path = folder / "secret.tif"
    restore()
    shutil.copyfile(made_slide("generic-none"), path)
    path.chmod(0)
    if os.geteuid() == 0:
        os.seteuid(65534)
    code = main([str(each) for each in command(name, path, folder)])
    assert code == 3
    expected = f"microtome: {path}: Permission denied; ask its owner, or choose another\n"
    assert capfd.readouterr().err == expected


@pytest.mark.parametrize("path", ["/", "/dev/null", "-"])
def test_what_is_no_file(path, refused):
    refused(2 if path == "-" else 3, "info", path)


@pytest.mark.parametrize("name", COMMANDS)
def test_usage(name, cli, refused):
    assert refused(2, name).endswith(f"Missing argument 'SLIDE'; see 'microtome {name} --help'\n")
    assert "--nonsense" in refused(2, name, "a.svs", "--nonsense")
    helped = cli(name, "--help")
    assert helped.code == 0 and f"microtome {name}" in helped.out


def test_the_program(cli, refused):
    assert mt.__version__ in cli("--version").out
    assert all(name in cli("--help").out for name in COMMANDS)
    assert "No such command 'inof'" in refused(2, "inof", "a.svs")
    assert cli().code == 2


def test_facts(cli, pyramid):
    shown = cli("info", pyramid.path)
    assert shown.code == 0 and shown.err == ""
    lines = shown.out.splitlines()
    assert lines[0] == pyramid.path
    assert "size        1024 × 768 pixels (0.256 × 0.192 mm), 3 × uint8" in lines
    level2, level1, level0 = lines[-3:]  # the smallest on top
    assert "0  1024×768" in level0 and level0.endswith("8×6 of 128×128")
    assert "coding      deflate" in lines
    assert level2.count("█") < level1.count("█") < level0.count("█") == WIDTH
    assert not any(line.endswith(" ") for line in lines)


def test_facts_of_other_colours_and_several_images(cli, tmp_path):
    path = str(tmp_path / "several.tif")
    with tifffile.TiffWriter(path) as file:
        for _ in range(2):
            file.write(np.zeros((40, 50), np.uint16), photometric="miniswhite", tile=(16, 16), metadata=None)
    lines = cli("info", path).out.splitlines()
    assert "colours     grey, white is zero" in lines
    assert "images      2 in the file; this is number 0" in lines
    facts = json.loads(cli("info", path, "--json").out)
    assert facts["photometric"] == "grey, white is zero"
    assert [(image["size"], image["dtype"]) for image in facts["images"]] == [([50, 40], "uint16")] * 2


def test_facts_as_json(cli, pyramid):
    facts = json.loads(cli("info", pyramid.path, "--json").out)
    assert facts["path"] == pyramid.path and facts["file_bytes"] == os.stat(pyramid.path).st_size
    assert facts["size"] == [1024, 768] and facts["dtype"] == "uint8" and facts["mpp"] == [0.25, 0.25]
    assert [level["size"] for level in facts["levels"]] == [[1024, 768], [512, 384], [256, 192]]
    assert facts["levels"][0]["codec"] == "deflate"
    with mt.open(pyramid.path) as slide:
        assert facts["properties"] == dict(slide.properties)


def test_channels_images_and_what_is_not_shown(cli, made_slide, real_slides):
    lines = cli("info", made_slide("ome-stack")).out.splitlines()
    assert "channels    DAPI, CD8 (Opal 570)" in lines
    assert "images      7 in the file; this is number 0" in lines
    facts = json.loads(cli("info", made_slide("ome-stack"), "--json").out)
    assert facts["channel_names"] == ["DAPI", "CD8 (Opal 570)"] and facts["image"] == 0
    assert facts["images"][3]["name"] == "stack, z 0, t 1"
    of_a_set = cli("info", real_slides / "ome-tiff" / "multifile-Z3.ome.tiff").out
    assert "described in multifile.companion.ome" in " ".join(of_a_set.split())
    assert "images" not in cli("info", made_slide("generic-none")).out


def test_properties_are_listed_when_asked_for(cli, made_slide):
    path = made_slide("aperio-jpeg-420")
    assert "aperio.AppMag" not in cli("info", path).out
    assert "aperio.AppMag" in cli("info", path, "--properties").out
    assert "objective 20×" in cli("info", path).out


@pytest.mark.parametrize("name", ["ein Präparat №7 [bold]x[red].tif", "new\nline.tif", b"bytes-\xff.tif"])
def test_any_path(name, cli, tmp_path, pyramid):
    path = os.fsdecode(os.path.join(os.fsencode(tmp_path), os.fsencode(name)))
    os.symlink(pyramid.path, path)
    shown = cli("info", path)
    assert shown.code == 0
    if "\n" not in path and isinstance(name, str):
        assert shown.out.splitlines()[0] == path
    assert json.loads(cli("info", path, "--json").out)["path"] == path
    out = path + ".png"
    assert cli("read", path, out, "--thumbnail", "64").code == 0
    assert os.path.exists(out)
    assert cli("patches", path, path + ".tar", "--level", "2").code == 0


@pytest.mark.parametrize("widths", [[1], [10, 10], [46000, 11500, 2875, 718], [3, 2, 1], [2**31, 1]])
def test_steps_of_the_pyramid(widths):
    drawn = steps(widths)
    assert drawn[0] == WIDTH and all(step % 2 == 1 and 1 <= step <= WIDTH for step in drawn)
    assert drawn == sorted(drawn, reverse=True)


def test_associated_images(cli, refused, made_slide, tmp_path):
    path = made_slide("aperio-jpeg-420")
    with mt.open(path) as slide:
        expected = {name: image for name, image in slide.associated.items()}
    listed = json.loads(cli("associated", path, "--json").out)
    assert {name: each["size"] for name, each in listed.items()} == {
        name: list(image.shape[1::-1]) for name, image in expected.items()
    }
    assert all(name in cli("associated", path).out for name in expected)
    for name, image in expected.items():
        assert cli("associated", path, name, tmp_path / f"{name}.png").code == 0
        np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / f"{name}.png")), image)
    assert "it has: " in refused(2, "associated", path, "no", tmp_path / "no.png")
    assert "where to write" in refused(2, "associated", path, "thumbnail")
    assert "exists; --overwrite" in refused(5, "associated", path, "thumbnail", tmp_path / "thumbnail.png")
    assert cli("associated", path, "thumbnail", tmp_path / "thumbnail.png", "--overwrite").code == 0


def test_no_associated_images(cli, pyramid):
    assert cli("associated", pyramid.path).err == "no associated images\n"
    assert cli("associated", pyramid.path, "--json").out == "{}\n"
