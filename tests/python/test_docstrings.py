"""The examples in the docstrings give what they say."""

import doctest
import importlib
import os
import pkgutil

import microtome as mt
import numpy as np
import pytest

MODULES = ["microtome"] + [
    f"microtome.{module.name}"
    for module in pkgutil.iter_modules(mt.__path__)
    if not module.name.startswith("_core") and module.name not in ("__main__",)
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name, pyramid, monkeypatch):
    monkeypatch.chdir(os.path.dirname(pyramid.path))
    module = importlib.import_module(name)
    with mt.open("slide.tif") as slide:
        result = doctest.testmod(module, extraglobs={"mt": mt, "np": np, "slide": slide})
    assert result.failed == 0


def test_the_public_functions_have_examples():
    public = [
        mt,
        mt.open,
        mt.Slide,
        mt.Slide.read,
        mt.Slide.read_level,
        mt.Slide.thumbnail,
        mt.Loader,
        mt.grid,
        mt.info,
    ]
    public += [mt.cache.configure, mt.cache.info]
    for each in public:
        assert ">>>" in each.__doc__, each
