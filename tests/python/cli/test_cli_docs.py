"""docs/cli.md names every command, option and exit code; completion and module start as it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from microtome.cli.failure import Exit
from microtome.cli.program import COMMANDS, program

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "cli.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name):
    command = program.get_command(None, name)
    assert f"\n## {name}\n" in TEXT and f"$ microtome {name} " in TEXT
    options = {long for each in command.params for long in each.opts if long.startswith("--")}
    common = {"--json", "--quiet", "--overwrite", "--on-error", "--fill", "--quality", "--format"}
    section = TEXT.split(f"\n## {name}\n")[1].split("\n## ")[0]
    missing = {
        option
        for option in options - common
        if option not in section and option not in TEXT.split("## info")[0]
    }
    assert not missing
    assert all(option in TEXT for option in options - {"--quiet"})


@pytest.mark.parametrize("name", COMMANDS)
def test_no_option_is_made_up(name):
    section = TEXT.split(f"\n## {name}\n")[1].split("\n## ")[0]
    known = {
        long for each in COMMANDS for option in program.get_command(None, each).params for long in option.opts
    }
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", section)) <= known | {"--help"}
    for line in re.findall(rf"\$ microtome {name} (.*)", section):
        own = {long for option in program.get_command(None, name).params for long in option.opts}
        assert set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", line.split("|")[0])) <= own


def test_every_exit_code_is_explained():
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE)}
    assert codes == {int(code) for code in Exit}
    shown = click.Context(program).get_help()
    assert all(str(int(code)) in shown for code in Exit if code not in (Exit.BUG, Exit.TERMINATED))


def test_completion():
    ran = subprocess.run(
        [sys.executable, "-m", "microtome"],
        env=os.environ | {"_MICROTOME_COMPLETE": "bash_source"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0 and "complete" in ran.stdout


def test_pictures_of_the_terminal_are_there():
    folder = Path(__file__).resolve().parents[3] / "docs" / "terminal"
    assert {file.name for file in folder.iterdir()} == {"info.svg", "patches.svg", "verify.svg"}
    assert all(
        "url(http" not in file.read_text() and "@import" not in file.read_text() for file in folder.iterdir()
    )
