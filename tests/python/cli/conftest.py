"""Fixtures of the command line's tests."""

import os
import signal
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest
from microtome.cli import main
from reference import random_levels, write_pyramid


class Ran(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def no_width(monkeypatch):
    """Output is as wide as it likes: pytest-xdist tells its processes that there are 80 columns."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture(autouse=True)
def heeded_signals():
    """SIGINT as in a terminal: shells make their background jobs, such as a test run, ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def cli(capsys):
    """Function: runs a command line in this process → Ran(code, out, err)."""

    def run(*arguments):
        capsys.readouterr()
        code = main([str(each) for each in arguments])
        return Ran(int(code), *capsys.readouterr())

    return run


@pytest.fixture
def refused(cli):
    """Function: runs a command line that must fail with `code` and one line on standard error → that line."""

    def run(code, *arguments):
        ran = cli(*arguments)
        assert ran.code == code, ran
        assert ran.out == ""
        assert ran.err.startswith("microtome: ") and ran.err.count("\n") == 1 and ran.err.endswith("\n"), (
            ran.err
        )
        assert "Traceback" not in ran.err
        return ran.err

    return run


@pytest.fixture(scope="session")
def many_patches(tmp_path_factory):
    """Path of a slide with 768 patches of 32×32: twelve batches."""
    path = str(tmp_path_factory.mktemp("many") / "many.tif")
    write_pyramid(path, random_levels((1024, 768), 2, seed=3))
    return path


@pytest.fixture
def nobody():
    """A folder that everyone can enter, and this process without the rights of root while `entered`."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            yield Path(folder), lambda: os.seteuid(user)
        finally:
            os.seteuid(user)


def tree(path):
    """{relative name: bytes} of a file or of all files in a folder."""
    path = Path(path)
    if path.is_file():
        return {"": path.read_bytes()}
    return {
        str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()
    }


@pytest.fixture(name="tree")
def tree_fixture():
    return tree
