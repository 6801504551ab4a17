"""check_layers finds each kind of breach at its line, and passes the tree it stands in."""

import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).with_name("check_layers.py")


def run(root):
    done = subprocess.run([sys.executable, TOOL, root], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_this_checkout_keeps_to_the_graph():
    code, out = run(TOOL.parent.parent)
    assert code == 0, out


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("plan/region.h", '#include "microtome/io/file.h"', "region.h:1: plan may not include io"),
        (
            "read/a_test.cc",
            '#include "microtome/loader/loader.h"',
            "a_test.cc:1: read may not include loader",
        ),
        ("plan/a.cc", '\n\n#include "microtome/codec/codec.h"', "a.cc:3: plan may not include codec"),
        ("base/error.cc", "#  include <microtome/tiff/tag.h>", "error.cc:1: base may not include tiff"),
        ("codec/jpeg.h", "#include <jpeglib.h>", "jpeg.h:1: third-party header jpeglib.h"),
        ("io/a.cc", '#include "microtome/oops/a.h"', "a.cc:1: microtome/oops/a.h is in no layer"),
        ("base/a.h", '#include "error"', 'a.h:1: "error" is not a full path'),
        ("read/a.cc", '#include "microtome/microtome.h"', "a.cc:1: microtome/microtome.h is in no layer"),
        ("read/a.cc", '#include "microtome/core.h"', "a.cc:1: microtome/core.h is in no layer"),
        ("extra/a.cc", "", "a.cc:1: folder extra is not in the layer table"),
    ],
)
def test_a_breach_is_named_with_file_line_and_rule(tmp_path, file, text, expected):
    path = tmp_path / "src" / "microtome" / file
    path.parent.mkdir(parents=True)
    path.write_text(text + "\n")
    code, out = run(tmp_path)
    assert code == 1
    assert expected in out


def test_what_the_graph_allows_passes(tmp_path):
    allowed = {
        "src/microtome/codec/jpeg.cc": "#include <jpeglib.h>\n#include <vector>\n",
        "src/microtome/codec/rows-inl.h": "#include <hwy/highway.h>\n",
        "src/microtome/codec/jpeg.h": '#include "microtome/codec/codec.h"\n#include "microtome/simd/rows.h"\n',
        "src/microtome/read/slide_for_test.h": '#include <gtest/gtest.h>\n#include "microtome/tiff/tag.h"\n',
        "src/microtome/read/reader.h": '#include <span>\n#include "microtome/plan/region.h"\n',
        "python/bindings/slide.cc": '#include <nanobind/nanobind.h>\n#include "microtome/loader/loader.h"\n',
        "python/bindings/wrap.h": "#include <nanobind/nanobind.h>\n",
        "src/microtome/c_api/slide.h": '#include "microtome/microtome.h"\n',
    }
    for name, text in allowed.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    code, out = run(tmp_path)
    assert code == 0, out
