"""The guard notices counts that move, and counts what callgrind says."""

import copy
import json
import sys

import callgrind
import compare
import count
import pytest

# Two functions of ours and one of OpenJPEG's in the program, one in libjpeg, one in the C library. Names are given once
# and then by number, also where a function is only called; the line after "calls=" is the callee's cost.
CALLGRIND = """\
# callgrind format
positions: line
events: Ir
summary: 1777

ob=(1) /somewhere/microtome_count
fl=(1) ???
fn=(1) microtome::decode(int)
0 100
+3 20
cob=(2) /usr/lib/libjpeg.so.62.3.0
cfn=(2) jpeg_read_header
calls=1 0
0 1000
* 3

fn=(3) opj_decode
0 500

fn=(4) count::run()
-2 4
cob=(3) /usr/lib/libc.so.6
cfi=(2) malloc.c
cfn=(5) malloc
calls=9 0
0 50

ob=(2)
fn=(2)
0 1000

ob=(3)
fn=(5)
0 150
"""
PARTS = {"own": 10_000, "system": 20_000, "codec": 70_000}
DOCUMENT = {
    "made_with": {"compiler": "12.2.0", "instructions": "avx2", "codec jpeg": "libjpeg-turbo 2.1.5"},
    "slides": {"a.svs": "0123"},
    "jobs": {"open": dict(PARTS), "level": dict(PARTS)},
}


def moved(job="level", **parts):
    document = copy.deepcopy(DOCUMENT)
    document["jobs"][job] |= parts
    return document


def messages(found, expected=DOCUMENT):
    verdicts, notes = compare.compare(expected, found)
    return [message for _, message in verdicts if message], notes


def test_instructions_belong_to_the_object_and_function_that_spends_them():
    assert callgrind.parts(CALLGRIND, "microtome_count") == {"own": 127, "system": 150, "codec": 1500}
    assert sum(callgrind.self_costs(CALLGRIND).values()) == 1777  # the file's own summary


def test_equal_counts_pass_for_every_job():
    verdicts, notes = compare.compare(DOCUMENT, copy.deepcopy(DOCUMENT))
    assert verdicts == [("open", None), ("level", None)]
    assert notes == []


@pytest.mark.parametrize("own", [10_301, 9_699])
def test_own_code_that_moves_by_more_than_three_percent_fails_either_way(own):
    wrong, _ = messages(moved(own=own))
    assert len(wrong) == 1
    assert wrong[0].startswith(
        f"level: instructions moved: own code 10,000 → {own:,} ({own / 100 - 100:+.1f} %)"
    )
    assert "make bench-count UPDATE=1 writes the new values; say in the commit why they move" in wrong[0]


@pytest.mark.parametrize("own", [10_300, 9_700])
def test_own_code_within_the_margin_passes(own):
    assert messages(moved(own=own)) == ([], [])


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"system": 21_100}, "the system's libraries 20,000 → 21,100 (+5.5 %), more than 5%."),
        ({"codec": 80_100}, "all code 100,000 → 110,100 (+10.1 %), more than 10%."),
        ({"own": 9_000, "system": 18_900}, "own code 10,000 → 9,000 (-10.0 %), more than 3%; the system's"),
    ],
)
def test_each_part_has_its_margin_and_the_message_says_which_moved(parts, said):
    wrong, _ = messages(moved(**parts))
    assert len(wrong) == 1
    assert said in wrong[0]


def test_parts_within_their_margins_pass():
    assert messages(moved(system=20_900, codec=79_000)) == ([], [])


def test_with_other_libraries_or_slides_only_own_code_is_compared():
    found = moved(system=40_000, codec=140_000)
    found["made_with"]["codec jpeg"] = "libjpeg-turbo 3.0"
    wrong, notes = messages(found)
    assert wrong == []
    assert notes == [
        "only our own code is compared: codec jpeg: libjpeg-turbo 3.0, expected libjpeg-turbo 2.1.5"
    ]
    found["jobs"]["open"]["own"] = 11_000
    assert len(messages(found)[0]) == 1
    other_slide = moved(system=40_000, codec=140_000)
    other_slide["slides"]["a.svs"] = "4567"
    assert messages(other_slide) == (
        [],
        ["only our own code is compared: slide a.svs: 4567, expected 0123"],
    )


@pytest.mark.parametrize(("what", "value"), [("compiler", "13.1.0"), ("instructions", "aarch64")])
def test_another_compiler_or_processor_leaves_nothing_to_compare(what, value):
    found = moved(own=20_000)
    found["made_with"][what] = value
    assert compare.compare(DOCUMENT, found)[0] == []
    assert f"for {what} {DOCUMENT['made_with'][what]}, this is {value}" in messages(found)[1][0]


def test_a_job_without_expected_value_and_one_that_is_gone_fail():
    found = copy.deepcopy(DOCUMENT)
    found["jobs"]["new"] = found["jobs"].pop("open")
    wrong, _ = messages(found)
    assert [message.split(".")[0] for message in wrong] == [
        "new: no expected value",
        "open: has an expected value, and is no longer a job",
    ]


def run_count(monkeypatch, tmp_path, found, *options):
    monkeypatch.setattr(count, "ROOT", tmp_path)
    monkeypatch.setattr(count, "EXPECTED", tmp_path / "expected.json")
    monkeypatch.setattr(count, "measure", lambda program, work: copy.deepcopy(found))
    monkeypatch.setattr(sys, "argv", ["count.py", "program", f"--report={tmp_path}/report.json", *options])
    return count.main(), json.loads((tmp_path / "report.json").read_text())


def test_update_writes_the_values_and_says_before_and_after(monkeypatch, tmp_path, capsys):
    assert run_count(monkeypatch, tmp_path, DOCUMENT)[0] == 1  # nothing is expected yet
    assert run_count(monkeypatch, tmp_path, DOCUMENT, "--update")[0] == 0
    assert run_count(monkeypatch, tmp_path, DOCUMENT)[0] == 0
    slower = moved(own=12_000)
    status, report = run_count(monkeypatch, tmp_path, slower)
    assert status == 1
    assert [job for job, message in report["verdicts"] if message] == ["level"]
    assert run_count(monkeypatch, tmp_path, slower, "--update")[0] == 0
    printed = capsys.readouterr().out
    assert "level: own 10,000 → 12,000 (+20.0 %), all 100,000 → 102,000 (+2.0 %)" in printed
    assert run_count(monkeypatch, tmp_path, slower)[0] == 0


def test_a_program_that_fails_under_callgrind_is_told(monkeypatch, tmp_path):
    class Done:
        returncode, stderr = 1, "microtome_count: no slide"

    monkeypatch.setattr(callgrind, "without_randomisation", list)
    monkeypatch.setattr(callgrind.subprocess, "run", lambda *args, **kwargs: Done())
    with pytest.raises(callgrind.Failed, match="open ended with 1: microtome_count: no slide"):
        callgrind.count("program", "open", tmp_path, tmp_path / "out")
