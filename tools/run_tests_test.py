"""The test runner counts what its runners report, and takes nothing that could not run for a success."""

import argparse
import subprocess
import sys
from pathlib import Path

import pytest
import run_tests
from suites import checks, native, running

JUNIT = """<testsuites><testsuite>
  <testcase name="passes" classname="tests.a"/>
  <testcase name="fails" classname="tests.a"><failure message="expected 3"/></testcase>
  <testcase name="breaks" classname="tests.b"><error message="fixture"/></testcase>
  <testcase name="skips" classname="tests.b"><skipped message="no slides here"/></testcase>
</testsuite></testsuites>"""


@pytest.fixture
def logs(tmp_path, monkeypatch):
    monkeypatch.setattr(run_tests, "LOGS", tmp_path)
    monkeypatch.setattr(run_tests, "ROOT", tmp_path)
    return tmp_path


def test_a_junit_file_is_counted_by_case_with_names_and_reasons(tmp_path):
    (tmp_path / "junit.xml").write_text(JUNIT)
    outcome = running.junit(tmp_path / "junit.xml")
    assert (outcome.passed, outcome.failed, outcome.skipped) == (1, 2, 1)
    assert outcome.notes == [
        "failed: tests.a.fails",
        "failed: tests.b.breaks",
        "skipped: tests.b.skips: no slides here",
    ]


def test_a_suite_that_cannot_run_counts_as_failed(logs, monkeypatch, capsys):
    def broken(run):
        run.must([sys.executable, "-c", "print('the cause'); raise SystemExit(7)"])

    monkeypatch.setitem(run_tests.SUITES, "broken", ("breaks", broken))
    outcome, *_ = run_tests.run_suite("broken", argparse.Namespace())
    assert (outcome.passed, outcome.failed) == (0, 1)
    assert "ended with 7" in outcome.notes[0]
    assert "the cause" in capsys.readouterr().out


def test_a_command_that_hangs_is_ended_and_fails(logs, monkeypatch):
    monkeypatch.setattr(running, "COMMAND_TIMEOUT_S", 0.2)
    with open(logs / "log", "w") as log:
        run = running.Run(log, argparse.Namespace())
        assert run.status([sys.executable, "-c", "import threading; threading.Event().wait()"]) == 124


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("CMAKE_CXX_COMPILER:STRING=/usr/bin/clang++-14", False),
        ("CMAKE_CXX_COMPILER:FILEPATH=/usr/bin/c++", True),
        ("CMAKE_BUILD_TYPE:STRING=Release", True),
    ],
)
def test_a_build_by_another_compiler_is_not_gone_on_with(tmp_path, line, other):
    assert not native.made_by_another_compiler(tmp_path, "asan")  # nothing is there
    (tmp_path / "CMakeCache.txt").write_text(f"# a comment\n{line}\n")
    assert native.made_by_another_compiler(tmp_path, "asan") == other
    assert not native.made_by_another_compiler(tmp_path, "release")  # takes any


def test_a_report_of_counts_has_a_test_for_each_job_and_a_skip_without_any():
    report = {
        "verdicts": [["open", None], ["level", "level: instructions moved"]],
        "notes": ["another library"],
    }
    outcome = native.counted(report)
    assert (outcome.passed, outcome.failed, outcome.skipped) == (1, 1, 0)
    assert outcome.notes == ["another library", "failed: level: instructions moved"]
    outcome = native.counted({"verdicts": [], "notes": ["another compiler"]})
    assert (outcome.passed, outcome.failed, outcome.skipped) == (0, 0, 1)


@pytest.mark.parametrize(("passed", "failed", "status"), [(2, 0, 0), (2, 1, 1), (0, 0, 1)])
def test_the_last_line_counts_and_the_exit_status_follows(logs, monkeypatch, capsys, passed, failed, status):
    def suite(run):
        return running.Outcome(passed, failed, 3)

    monkeypatch.setattr(run_tests, "SUITES", {"one": ("a suite", suite)})
    monkeypatch.setattr(sys, "argv", ["run_tests.py"])
    (logs / "one.log").write_text("")
    assert run_tests.main() == status
    assert capsys.readouterr().out.splitlines()[-1] == f"{passed} passed, {failed} failed, 3 skipped"


def test_an_unknown_suite_is_refused_with_the_suites_there_are():
    command = [sys.executable, Path(run_tests.__file__), "nope"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no suite nope; there are layers, format, abi, kernels, cpp" in done.stderr


def test_headers_that_cannot_be_fetched_are_a_skip_and_a_wrong_declaration_a_failure(
    logs, monkeypatch, capsys
):
    def run_abi(status, verdicts):
        report = logs / "abi" / "report.json"
        report.parent.mkdir(exist_ok=True)
        monkeypatch.setattr(checks, "BUILD", logs)

        def end(run, command, env=None):
            if verdicts:
                report.write_text(verdicts)
            return status

        monkeypatch.setattr(running.Run, "status", end)
        monkeypatch.setattr(checks, "make_environment", lambda *_: None)
        outcome, *_ = run_tests.run_suite("abi", argparse.Namespace(venv=logs))
        return outcome.passed, outcome.failed, outcome.skipped

    assert run_abi(77, "") == (0, 0, 1)
    assert run_abi(1, '[["cu13 a", null], ["cu13 b", "static assertion failed"]]') == (1, 1, 0)
    assert run_abi(1, "") == (0, 1, 0)
    assert "failed: cu13 b" in capsys.readouterr().out
