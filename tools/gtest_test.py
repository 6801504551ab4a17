"""tools/suites/gtest.py: verdicts of programs that pass, fail, skip, crash and hang."""

import sys

import pytest
from suites import gtest

# Speaks GoogleTest's language; what a test does is its name's first word.
PROGRAM = """#!{python}
import os, sys, time
tests = {tests}
if "--gtest_list_tests" in sys.argv:
    print("Suite.")
    for test in tests:
        print("  " + test + "  # GetParam() = 1.5")
    sys.exit()
flags = dict(word.lstrip("-").split("=", 1) for word in sys.argv[1:])
wanted = open(flags["gtest_flagfile"]).read().split("=", 1)[1].strip().split(":")
cases = []
for name in tests:
    if "Suite." + name not in wanted:
        continue
    print("[ RUN      ] Suite." + name, flush=True)
    verdict, inside = "      OK", ""
    if name.startswith("Crashes"):
        os.abort()
    if name.startswith("Hangs"):
        time.sleep(60)
    if name.startswith("Fails"):
        verdict, inside = " FAILED ", '<failure message="no"/>'
    if name.startswith("Skips"):
        verdict, inside = " SKIPPED", '<skipped message="file.cc:1&#x0A;no GPU"/>'
    print("[" + verdict + " ] Suite." + name + " (0 ms)", flush=True)
    cases.append('<testcase name="%s" status="run" classname="Suite">%s</testcase>' % (name, inside))
with open(flags["gtest_output"].removeprefix("xml:"), "w") as report:
    report.write("<testsuites><testsuite>" + "".join(cases) + "</testsuite></testsuites>")
sys.exit({status} or any("failure" in case for case in cases))
"""


def program(folder, *tests, status=0):
    path = folder / "a_tests"
    path.write_text(PROGRAM.format(python=sys.executable, tests=list(tests), status=status))
    path.chmod(0o755)
    return path


def run(folder, *tests, status=0):
    a_program = gtest.Program("layer", program(folder, *tests, status=status), folder)
    outcome = gtest.Outcome()
    for part in range(gtest.PARTS):
        outcome += gtest.Part(a_program, gtest.tests_of(a_program), part).run().outcome
    return outcome


def test_each_test_is_counted_once(tmp_path):
    outcome = run(tmp_path, *(f"Passes{i}" for i in range(11)), "Fails", "Skips")
    assert (outcome.passed, outcome.failed, outcome.skipped) == (11, 1, 1)
    assert sorted(outcome.notes) == ["failed: layer.Suite.Fails", "skipped: layer.Suite.Skips: no GPU"]


def test_a_crash_is_one_failure_and_the_others_run(tmp_path, monkeypatch):
    monkeypatch.setattr(gtest, "PARTS", 1)
    outcome = run(tmp_path, "Passes1", "Skips", "Crashes", "Passes2", "Fails", "Crashes2", "Passes3")
    assert (outcome.passed, outcome.failed, outcome.skipped) == (3, 3, 1)
    assert "failed: layer.Suite.Crashes: exit -6" in outcome.notes


def test_a_hang_is_one_failure_and_the_others_run(tmp_path, monkeypatch):
    monkeypatch.setattr(gtest, "PARTS", 1)
    monkeypatch.setattr(gtest, "PART_TIMEOUT_S", 2)
    outcome = run(tmp_path, "Passes1", "Hangs", "Passes2")
    assert (outcome.passed, outcome.failed) == (2, 1)
    assert outcome.notes == ["failed: layer.Suite.Hangs: ended after 2 s"]


def test_many_crashes_end_it(tmp_path, monkeypatch):
    monkeypatch.setattr(gtest, "PARTS", 1)
    outcome = run(tmp_path, *(f"Crashes{i}" for i in range(9)))
    assert outcome.failed == gtest.MOST_CRASHES + 1
    assert "4 more tests, not tried" in outcome.notes[-1]


@pytest.mark.parametrize("status", [1, 66])
def test_a_bad_end_after_good_tests_is_a_failure(tmp_path, monkeypatch, status):
    monkeypatch.setattr(gtest, "PARTS", 1)
    outcome = run(tmp_path, "Passes", status=status)
    assert (outcome.passed, outcome.failed) == (1, 1)
    assert outcome.notes == [f"failed: layer: all tests passed, then exit {status}"]


def test_only_the_named_tests_run_and_under_the_command(tmp_path, monkeypatch):
    (tmp_path / "under").write_text('#!/bin/sh\necho "under $1"\nexec "$@"\n')
    (tmp_path / "under").chmod(0o755)
    path = program(tmp_path, "PassesFork", "Fails", "PassesAfterAFork", "FailsFork")
    monkeypatch.setattr(gtest, "programs", lambda folder, layers: [gtest.Program("layer", path, tmp_path)])
    with open(tmp_path / "log", "w") as log:
        outcome = gtest.run_programs(tmp_path, None, log, named="Fork", under=[tmp_path / "under"])
    assert (outcome.passed, outcome.failed) == (2, 1)
    assert outcome.notes == ["failed: layer.Suite.FailsFork"]
    assert f"under {path}" in (tmp_path / "log").read_text()


def test_no_test_of_that_name_is_a_failure(tmp_path, monkeypatch):
    path = program(tmp_path, "Passes")
    monkeypatch.setattr(gtest, "ROOT", tmp_path)
    monkeypatch.setattr(gtest, "programs", lambda folder, layers: [gtest.Program("layer", path, tmp_path)])
    with open(tmp_path / "log", "w") as log:
        outcome = gtest.run_programs(tmp_path / "build", None, log, named="Fork")
    assert outcome.notes == ["failed: no test ran in build"]
