"""microtome.clara.filesystem: positional reads and writes. Expected bytes are os.pread's."""

import os
from pathlib import Path

import numpy as np
import pytest
from microtome.clara import filesystem as fs

CONTENT = np.random.default_rng(3).integers(0, 256, 10_240, np.uint8).tobytes()


@pytest.fixture
def path(tmp_path):
    (tmp_path / "file.bin").write_bytes(CONTENT)
    return str(tmp_path / "file.bin")


@pytest.mark.parametrize("flags", ["r", "rp", "rn", "rpn", "rm", "rpnm", "r+", "a", "apn"])
def test_read(path, flags):
    buf = np.zeros(300, np.uint8)
    with fs.open(path, flags) as file:
        assert repr(file) == f"<cucim.clara.filesystem.CuFileDriver path:{path}>"
        assert file.pread(buf, 300, 100) == 300
        assert buf.tobytes() == CONTENT[100:400]
        assert fs.pread(file, buf, 20, 4097, 7) == 20  # a tail that is not aligned
        assert buf.tobytes() == CONTENT[100:107] + CONTENT[4097:4117] + CONTENT[127:400]
        assert file.pread(buf=buf, count=3, file_offset=1, buf_offset=297) == 3
        assert buf[297:].tobytes() == CONTENT[1:4]


@pytest.mark.parametrize("flags", ["r", "rm"])
def test_end_of_file(path, flags):
    buf = np.full(300, 7, np.uint8)
    with fs.open(path, flags) as file:
        assert file.pread(buf, 300, 10_200) == 40
        assert buf[:40].tobytes() == CONTENT[10_200:] and (buf[40:] == 7).all()
        assert file.pread(buf, 300, 20_000) == 0
        assert file.pread(buf, 0, 0) == 0


@pytest.mark.parametrize("flags", ["r", "rm"])
def test_an_empty_file(tmp_path, flags):
    (tmp_path / "empty").write_bytes(b"")
    with fs.open(tmp_path / "empty", flags) as file:
        assert file.pread(np.zeros(3, np.uint8), 3, 0) == 0


def test_buffers(path):
    with fs.open(path) as file:
        words = np.zeros((3, 5), np.int32)
        assert file.pread(words, words.nbytes, 8) == 60
        assert words.tobytes() == CONTENT[8:68]
        plain = bytearray(10)
        assert file.pread(plain, 10, 0) == 10 and plain == CONTENT[:10]
        target = np.zeros(30, np.uint8)
        assert file.pread(target.ctypes.data, 10, 5, 20) == 10  # an address
        assert target[20:].tobytes() == CONTENT[5:15] and not target[:20].any()


def test_buffers_that_cannot_be(path):
    buf = np.zeros(300, np.uint8)
    with fs.open(path) as file:
        for arguments, text in [
            ((buf, 301, 0), r"'count' \(301\) is larger than the size of the array object \(300\)!"),
            ((buf, 300, 0, 1), r"'count' \(300\) is larger than .* after 'buf_offset' \(1\)!"),
            ((buf[::2], 10, 0), "without gaps"),
            ((np.broadcast_to(np.uint8(0), 30), 1, 0), "The buffer is readonly so cannot be used for pread!"),
            ((b"abc", 1, 0), "readonly"),
            ((object(), 1, 0), "Cannot Recognize the array object!"),
            ((buf, -1, 0), "count: expected 0 or more, found -1"),
            ((buf, 1, -1), "file_offset: expected 0 or more, found -1"),
            ((buf, 1, 0, -1), "buf_offset: expected 0 or more, found -1"),
        ]:
            for kind in (ValueError, RuntimeError):
                with pytest.raises(kind, match=text):
                    file.pread(*arguments)
        assert not buf.any()


def test_write(tmp_path):
    path = str(tmp_path / "new.bin")
    data = np.arange(10, dtype=np.uint8)
    with fs.open(path, "w") as file:
        assert file.pwrite(data, 10, 5) == 10
        assert fs.pwrite(file, data, 3, 0, 4) == 3
        assert file.pwrite(b"xyz", 3, 20) == 3
        back = np.zeros(3, np.uint8)
        assert file.pread(back, 3, 0) == 3 and back.tolist() == [4, 5, 6]
    content = Path(path).read_bytes()
    assert content == bytes([4, 5, 6, 0, 0, *range(10), 0, 0, 0, 0, 0]) + b"xyz"
    with fs.open(path, "a") as file:  # not emptied, and not appended to
        file.pwrite(data, 1, 4)
    assert os.path.getsize(path) == 23
    with fs.open(path, "w"):
        pass
    assert os.path.getsize(path) == 0


def test_mode(tmp_path):
    with fs.open(tmp_path / "new.bin", "w", 0o600):
        assert os.stat(tmp_path / "new.bin").st_mode & 0o777 == 0o600


def test_writing_to_what_is_for_reading(path):
    with fs.open(path, "r") as file, pytest.raises(OSError):
        file.pwrite(np.zeros(3, np.uint8), 3, 0)


@pytest.mark.parametrize("flags", ["", "x", "rr", "rb", "wm", "r+m"])
def test_flags_that_cannot_be(path, flags):
    for kind in (ValueError, RuntimeError):
        with pytest.raises(kind, match=f"flags: .*found '{flags.replace('+', '[+]')}'"):
            fs.open(path, flags)
    assert Path(path).read_bytes() == CONTENT


def test_missing_file(tmp_path):
    for kind in (FileNotFoundError, ValueError):
        with pytest.raises(kind, match="^File '.*none' doesn't exist!"):
            fs.open(tmp_path / "none", "r")
    assert fs.discard_page_cache(str(tmp_path / "none")) is False


def test_descriptors_of_the_caller(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        for use_mmap in (False, True):
            driver = fs.CuFileDriver(fd, no_gds=True, use_mmap=use_mmap)
            buf = np.zeros(5, np.uint8)
            assert driver.pread(buf, 5, 10) == 5 and buf.tobytes() == CONTENT[10:15]
            assert path in repr(driver)
            assert driver.close() is True and driver.close() is True and fs.close(driver) is True
            os.fstat(fd)  # still open: it is the caller's
            for kind in (ValueError, RuntimeError):
                with pytest.raises(kind, match="the file is closed"):
                    driver.pread(buf, 5, 10)
    finally:
        os.close(fd)
    with pytest.raises(ValueError, match="is no open descriptor"):
        fs.CuFileDriver(fd)
    writable = os.open(path, os.O_RDWR)
    try:
        with pytest.raises(ValueError, match="use_mmap: the descriptor is not read-only"):
            fs.CuFileDriver(writable, use_mmap=True)
    finally:
        os.close(writable)


def test_nothing_is_left_open(path):
    before = len(os.listdir("/proc/self/fd"))
    for flags in ("r", "rm"):
        file = fs.open(path, flags)
        assert len(os.listdir("/proc/self/fd")) > before
        del file
        fs.open(path, flags).close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_gds_and_page_cache(path):
    assert fs.is_gds_available() is False
    assert fs.discard_page_cache(path) is True
    assert Path(path).read_bytes() == CONTENT
