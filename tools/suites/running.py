"""What a suite gets (Run) and gives back (Outcome), and where its output lies."""

import argparse
import os
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field

from install_package import ROOT

BUILD = ROOT / "build"
LOGS = BUILD / "test-logs"
CORES = len(os.sched_getaffinity(0))
COMMAND_TIMEOUT_S = 1200


@dataclass
class Outcome:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    notes: list = field(default_factory=list)  # a line for each failure and each skip

    def add(self, ok, name):
        self.passed += ok
        self.failed += not ok
        if not ok:
            self.notes.append(f"failed: {name}")

    def __iadd__(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.notes += other.notes
        return self


@dataclass
class Run:
    """What a suite gets: where its output goes, and the options of the command line."""

    log: object
    options: argparse.Namespace

    def status(self, command, env=None):
        """The exit status of `command`, its output in the log. A command that hangs is ended and is a failure."""
        command = [str(word) for word in command]
        print("$", " ".join(command), file=self.log, flush=True)
        begin = time.monotonic()
        try:
            status = subprocess.run(
                command,
                cwd=ROOT,
                env=os.environ | (env or {}),
                stdin=subprocess.DEVNULL,
                stdout=self.log,
                stderr=subprocess.STDOUT,
                timeout=COMMAND_TIMEOUT_S,
            ).returncode
        except subprocess.TimeoutExpired:
            status = 124
        ended = "ended" if status == 124 else f"exit {status}"
        print(f"# {ended} after {time.monotonic() - begin:.0f} s", file=self.log, flush=True)
        return status

    def must(self, command, env=None):
        if (status := self.status(command, env)) != 0:
            raise RuntimeError(f"{' '.join(str(word) for word in command[:4])} … ended with {status}")


def junit(path):
    """Counts of a JUnit file, by test case, as pytest writes it."""
    outcome = Outcome()
    for case in ElementTree.parse(path).iter("testcase"):
        name = ".".join(dict.fromkeys(filter(None, (case.get("classname"), case.get("name")))))
        if case.find("failure") is not None or case.find("error") is not None:
            outcome.add(False, name)
        elif (skip := case.find("skipped")) is not None:
            outcome.skipped += 1
            outcome.notes.append(f"skipped: {name}: {skip.get('message')}")
        else:
            outcome.add(True, name)
    return outcome
