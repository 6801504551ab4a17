#!/usr/bin/env python3
"""Writes python/microtome/_core.pyi, the type stubs of the bindings, from the package that is installed.

    .venv/bin/python tools/make_stubs.py

Run it after changing python/bindings; tests/python/test_stubs.py fails until then.
"""

import importlib
from pathlib import Path

# Generated text is not ours to lay out.
HEADER = "# Written by tools/make_stubs.py.\n# fmt: off\n# ruff: noqa\n"
STUB = Path(__file__).resolve().parent.parent / "python" / "microtome" / "_core.pyi"


def make_stub():
    """The stub's text, from nanobind's generator."""
    from nanobind.stubgen import StubGen

    module = importlib.import_module("microtome._core")
    generator = StubGen(module)
    generator.put(module)
    return HEADER + generator.get().rstrip() + "\n"


if __name__ == "__main__":
    STUB.write_text(make_stub())
    print(f"wrote {STUB}")
