"""Opening: every kind of source, and every way in which it fails."""

import errno
import io
import os
import pathlib
import struct
import threading

import microtome as mt
import numpy as np
import pytest


@pytest.mark.parametrize(
    "source",
    [
        str,
        pathlib.Path,
        lambda path: io.BufferedReader(io.FileIO(path)),
        lambda path: io.FileIO(path),
        lambda path: pathlib.Path(path).read_bytes(),
        lambda path: bytearray(pathlib.Path(path).read_bytes()),
        lambda path: memoryview(pathlib.Path(path).read_bytes()),
        lambda path: io.BytesIO(pathlib.Path(path).read_bytes()),
    ],
    ids=["str", "Path", "file", "unbuffered file", "bytes", "bytearray", "memoryview", "BytesIO"],
)
def test_every_kind_of_source_gives_the_pixels(source, pyramid):
    slide = mt.open(source(pyramid.path))
    for index, level in enumerate(pyramid.levels):
        np.testing.assert_array_equal(slide.read_level(index), level)


def test_a_path_may_have_any_bytes_in_it(pyramid, tmp_path):
    name = os.fsencode(tmp_path) + b"/caf\xe9 \xff.tif"
    path = os.fsdecode(name)
    pathlib.Path(path).write_bytes(pathlib.Path(pyramid.path).read_bytes())
    with mt.open(path) as slide:
        assert slide.path == path
        assert slide.read((0, 0), (4, 4)).shape == (4, 4, 3)


def test_content_decides_not_the_name(pyramid, tmp_path):
    path = tmp_path / "slide.jpg"
    path.write_bytes(pathlib.Path(pyramid.path).read_bytes())
    assert mt.open(path).format == "generic-tiff"


def test_a_file_object_serves_many_threads(pyramid):
    slide = mt.open(io.BufferedReader(io.FileIO(pyramid.path)))
    wrong = []

    def read(seed):
        for x, y in np.random.default_rng(seed).integers(0, 600, (30, 2)):
            if not np.array_equal(
                slide.read((x, y), (100, 100), workers=2), pyramid.levels[0][y : y + 100, x : x + 100]
            ):
                wrong.append((x, y))

    team = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in team:
        thread.start()
    for thread in team:
        thread.join()
    assert wrong == []


class BreaksLater(io.BytesIO):
    broken = False

    def read(self, size=-1):
        if self.broken:
            raise RuntimeError("the disk is on fire")
        return super().read(size)


def test_what_a_file_object_raises_is_told(pyramid):
    file = BreaksLater(pathlib.Path(pyramid.path).read_bytes())
    slide = mt.open(file)
    file.broken = True
    with pytest.raises(OSError, match="the disk is on fire"):
        slide.read((0, 0), (300, 300), workers=2)


def test_a_missing_file(tmp_path):
    path = str(tmp_path / "missing.svs")
    with pytest.raises(FileNotFoundError, match="missing.svs") as raised:
        mt.open(path)
    assert raised.value.errno == errno.ENOENT
    assert raised.value.filename == path


def test_a_directory(tmp_path):
    with pytest.raises(IsADirectoryError) as raised:
        mt.open(tmp_path)
    assert raised.value.errno == errno.EISDIR
    assert raised.value.filename == str(tmp_path)


def test_a_path_through_a_file(pyramid):
    with pytest.raises(NotADirectoryError):
        mt.open(pyramid.path + "/inside.svs")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(pyramid, tmp_path):
    path = tmp_path / "secret.tif"
    path.write_bytes(b"II*\0")
    path.chmod(0)
    with pytest.raises(PermissionError):
        mt.open(path)


def test_something_that_is_no_regular_file(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(ValueError, match="pipe"):
        mt.open(path)


def test_a_null_character_in_a_path():
    with pytest.raises(ValueError, match="null character"):
        mt.open("a\0b.svs")


@pytest.mark.parametrize("content", [b"", b"This is a text file.\n" * 100, b"\x89PNG\r\n\x1a\n" + bytes(100)])
@pytest.mark.parametrize("how", [lambda p: p, lambda p: p.read_bytes(), lambda p: p.open("rb")])
def test_what_is_no_slide(content, how, tmp_path):
    path = tmp_path / "a.svs"
    path.write_bytes(content)
    with pytest.raises(mt.Error):
        mt.open(how(path))


def test_a_tiff_cut_anywhere_raises_on_open_or_read(pyramid):
    content = pathlib.Path(pyramid.path).read_bytes()
    for cut in [*range(0, 200, 7), *range(200, len(content), len(content) // 60)]:
        with pytest.raises((mt.CorruptSlideError, mt.UnsupportedError)):
            slide = mt.open(content[:cut])
            for level in range(len(slide.levels)):
                slide.read_level(level)
            # What is left must then be what was asked for: levels lost with their directories are not read.
            assert len(slide.levels) == 3


def test_absurd_sizes_are_refused():
    entries = [(256, 4, 2**31 - 1), (257, 4, 2**31 - 1), (322, 3, 16), (323, 3, 16), (324, 4, 8), (325, 4, 8)]
    body = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    content = b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + bytes(4)
    with pytest.raises(mt.Error):
        mt.open(content).read_level(0)


@pytest.mark.parametrize("source", [None, 3, 1.5, ["a.svs"], object()])
def test_what_cannot_be_opened_at_all(source):
    with pytest.raises(TypeError, match=f"cannot open a {type(source).__name__}"):
        mt.open(source)


def test_file_objects_that_will_not_do(pyramid, tmp_path):
    with pytest.raises(TypeError, match="text file"), open(pyramid.path, encoding="latin-1") as file:
        mt.open(file)
    with pytest.raises(TypeError, match="text file"):
        mt.open(io.StringIO("text"))
    file = io.BufferedReader(io.FileIO(pyramid.path))
    file.close()
    with pytest.raises(ValueError, match="is closed"):
        mt.open(file)
    reading, writing = os.pipe()
    os.close(writing)
    with pytest.raises(ValueError, match="not seekable"), os.fdopen(reading, "rb") as pipe:
        mt.open(pipe)


def test_unknown_keywords_are_refused(pyramid):
    with pytest.raises(TypeError, match="unexpected keyword"):
        mt.open(pyramid.path, mode="r")
