"""The committed type stubs are those of the bindings that are installed."""

from pathlib import Path

import make_stubs
import microtome as mt
import pytest


def test_the_stub_is_up_to_date():
    pytest.importorskip("nanobind.stubgen", reason="nanobind is not installed")
    assert make_stubs.STUB.read_text() == make_stubs.make_stub(), "run tools/make_stubs.py"


def test_the_package_is_typed():
    folder = Path(mt.__file__).parent
    assert (folder / "py.typed").exists()
    assert (folder / "_core.pyi").exists()
