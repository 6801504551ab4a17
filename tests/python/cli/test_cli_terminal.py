"""What is shown where: progress in a log, escapes, text that an encoding lacks."""

import io
import json
import os
import subprocess
import sys

import pytest
from microtome.cli import terminal
from microtome.cli.failure import one_line


def test_progress_in_a_log_is_a_line_every_half_minute(capsys):
    now = [100.0]
    lines = terminal.Lines("patches", clock=lambda: now[0])
    with lines as progress:
        task = progress.add_task("patches", total=1000, completed=400)
        for done in range(410, 1001, 10):
            now[0] += 1
            progress.update(task, completed=done)
    assert capsys.readouterr().err.splitlines() == ["700 of 1000 patches, 10 patches/s, 30 s left"]


def test_progress_counts_what_is_advanced(capsys):
    now = [0.0]
    with terminal.Lines("rows", clock=lambda: now[0]) as progress:
        task = progress.add_task("reading", total=50)
        now[0] = 31
        progress.update(task, advance=31)
    assert capsys.readouterr().err == "31 of 50 rows, 1 rows/s, 19 s left\n"


def test_there_is_none_where_it_is_hidden_or_short(capsys):
    assert not isinstance(terminal.progress("tiles", hidden=True), terminal.Lines)
    assert isinstance(terminal.progress("tiles"), terminal.Lines)
    with terminal.progress("tiles") as progress:
        progress.update(progress.add_task("tiles", total=2), advance=1)
    assert capsys.readouterr().err == ""


def test_messages_are_one_line_and_move_no_cursor():
    assert one_line("a\nb\x1b[2J\tc\u2028d é №") == "a\\nb\\x1b[2J\\tc\\u2028d é №"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_encoding(encoding, pyramid, tmp_path):
    path = tmp_path / "№ 7 é.tif"
    os.symlink(pyramid.path, path)
    for arguments in (["info", path], ["info", path, "--json"]):
        ran = subprocess.run(
            [sys.executable, "-m", "microtome", *arguments],
            capture_output=True,
            env=os.environ | {"PYTHONIOENCODING": encoding},
        )
        assert (ran.returncode, ran.stderr) == (0, b"")
        text = ran.stdout.decode(encoding)
    assert json.load(io.StringIO(text))["path"] == str(path)


@pytest.mark.parametrize(
    ("value", "said"), [(0, "0 B"), (999, "999 B"), (1234, "1.23 kB"), (5.6e7, "56 MB"), (2.5e9, "2.5 GB")]
)
def test_byte_counts(value, said):
    assert terminal.si(value, "B") == said
