"""Runs programs of GoogleTest tests, many tests a process, and reports each test.

A process a test, as CTest has it, spends most of a suite's time on starting: under the address sanitizer the codec
tests' parameters alone take longer to make than most tests to run. So a program is run in a few parts, side by side.
A test that brings its process down, or does not end, is one failure; the tests behind it are run in another process.
"""

import concurrent.futures
import json
import os
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

from suites.running import CORES, ROOT, Outcome

PARTS = 2 * CORES  # of each program: enough that none of them is long at the end
PART_TIMEOUT_S = 600
MOST_CRASHES = 5  # of one part, after which its other tests are not tried any more


@dataclass(frozen=True)
class Program:
    label: str  # the layer: what its tests' names begin with
    path: Path
    folder: Path  # where it runs


def programs(folder, layers):
    """The test programs that CTest knows in the build folder, of these layers (all if None)."""
    listed = subprocess.run(
        ["ctest", "--test-dir", folder, "--show-only=json-v1"], capture_output=True, text=True, check=True
    )
    found = set()
    for test in json.loads(listed.stdout)["tests"]:
        label = test["name"].split(".")[0]
        if layers is not None and label not in layers:
            continue
        if "command" not in test:
            raise RuntimeError(f"{test['name']} is not built")
        properties = {entry["name"]: entry["value"] for entry in test["properties"]}
        found.add(Program(label, Path(test["command"][0]), Path(properties["WORKING_DIRECTORY"])))
    if missing := set(layers or ()) - {program.label for program in found}:
        raise RuntimeError(f"no tests of {', '.join(sorted(missing))}")
    return sorted(found, key=lambda program: program.label)


def tests_of(program, prefix=(), env=None):
    """The names of the program's tests, in its order."""
    lines = subprocess.run(
        [*prefix, program.path, "--gtest_list_tests"],
        cwd=program.folder,
        env=os.environ | (env or {}),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.splitlines()
    tests, suite = [], ""
    for line in lines:
        name = line.split("#")[0].rstrip()
        if not name.startswith(" "):
            suite = name
        elif "DISABLED_" not in suite + name:
            tests.append(suite + name.strip())
    return tests


class Part:
    """Those of a program's tests whose number is `number` modulo PARTS."""

    def __init__(self, program, tests, number, prefix=(), env=None):
        self.program, self.tests, self.number, self.prefix = program, tests[number::PARTS], number, prefix
        self.env = os.environ | (env or {})
        self.outcome, self.said = Outcome(), []

    def run(self):
        tests = self.tests
        crashes = 0
        while tests:
            done = self.run_tests(tests)
            if done is None:
                break
            crashes += 1
            tests = tests[done:]
            if crashes == MOST_CRASHES and tests:
                self.outcome.add(
                    False, f"{self.program.label}: {len(tests)} more tests, not tried after {crashes} crashes"
                )
                break
        return self

    def run_tests(self, tests):
        """Runs them. None if all ended; else how many of them did, the one that did not end well included."""
        report = self.program.path.with_suffix(f".part{self.number}.xml")
        filters = report.with_suffix(".flags")  # a list of thousands of names is too long for a command line
        report.unlink(missing_ok=True)
        filters.write_text(f"--gtest_filter={':'.join(tests)}\n")
        command = [self.program.path, f"--gtest_flagfile={filters}", f"--gtest_output=xml:{report}"]
        self.said.append("$ " + " ".join(str(word) for word in [*self.prefix, *command]))
        try:
            ended = subprocess.run(
                [*self.prefix, *command],
                cwd=self.program.folder,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=PART_TIMEOUT_S,
            )
            output, status = ended.stdout.decode(errors="replace"), f"exit {ended.returncode}"
        except subprocess.TimeoutExpired as late:
            output, status = (late.stdout or b"").decode(errors="replace"), f"ended after {PART_TIMEOUT_S} s"
        self.said.append(told(output))
        if report.exists() and ended_well(report):
            self.outcome += counted(report, self.program.label)
            if status != "exit 0" and self.outcome.failed == 0:
                self.outcome.add(False, f"{self.program.label}: all tests passed, then {status}")
            return None
        return self.take_from(output, tests, status)

    def take_from(self, output, tests, status):
        """Counts what a process said before it came down."""
        label = self.program.label
        ends = re.findall(r"^\[ +(OK|FAILED|SKIPPED) +\] ([^ ,\n]+)", output, re.M)
        verdicts = {name: verdict for verdict, name in ends}
        done = 0
        for test in tests:
            if test not in verdicts:
                break
            done += 1
            if verdicts[test] == "SKIPPED":
                self.outcome.skipped += 1
                self.outcome.notes.append(f"skipped: {label}.{test}")
            else:
                self.outcome.add(verdicts[test] == "OK", f"{label}.{test}")
        culprit = tests[done] if done < len(tests) else "after its last test"
        self.outcome.add(False, f"{label}.{culprit}: {status}")
        return done + 1


def ended_well(report):
    try:
        ElementTree.parse(report)
    except ElementTree.ParseError:
        return False
    return True


def told(output):
    """The output without the lines that say that all is well."""
    return "\n".join(line for line in output.splitlines() if not re.match(r"^\[( RUN| +OK|---)", line))


def counted(report, label):
    outcome = Outcome()
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{label}.{case.get('classname')}.{case.get('name')}"
        if case.get("status") != "run":
            continue
        if case.find("failure") is not None:
            outcome.add(False, name)
        elif (skip := case.find("skipped")) is not None:
            outcome.skipped += 1
            outcome.notes.append(f"skipped: {name}: {(skip.get('message') or '').strip().splitlines()[-1]}")
        else:
            outcome.add(True, name)
    return outcome


def run_programs(folder, layers, log, prefix=(), env=None, *, named="", under=()):
    """The tests of the layers (all if None) that are built in `folder`, CORES processes at a time.

    Only those whose names the expression `named` finds, and each process started by the command `under`, if given.
    """
    parts = {number: [] for number in range(PARTS)}
    outcome = Outcome()
    for program in programs(folder, layers):
        tests = [test for test in tests_of(program, prefix, env) if re.search(named, test)]
        for number in parts:
            parts[number].append(Part(program, tests, number, [*prefix, *under], env))
    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        for part in pool.map(Part.run, [part for number in parts for part in parts[number]]):
            print(*part.said, sep="\n", file=log, flush=True)
            outcome += part.outcome
    if outcome.passed + outcome.failed == 0:
        outcome.add(False, f"no test ran in {folder.relative_to(ROOT)}")
    return outcome
