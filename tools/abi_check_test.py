"""The headers that are compared are those of the wheels that the package's extras name."""

import re
import tomllib

import abi_check
import pytest


@pytest.mark.parametrize("cuda", ["12", "13"])
def test_every_library_of_an_extra_is_compared(cuda):
    project = tomllib.loads((abi_check.ROOT / "pyproject.toml").read_text())["project"]
    extra = {re.split(r"[<>=]", name)[0] for name in project["optional-dependencies"][f"cuda{cuda}"]}
    compared = {name.split("==")[0] for name in abi_check.WHEELS[f"cu{cuda}"]}
    assert extra < compared
    assert len(extra) == len(abi_check.VERSIONS[f"cu{cuda}"])


@pytest.mark.parametrize("name", ["driver", "nvjpeg", "nvjpeg2k", "cufile"])
def test_lists_of_functions_are_read(name):
    prefix = {"driver": "cu", "cufile": "cuFile"}.get(name, name)
    functions = abi_check.listed(name)
    assert len(functions) == len(set(functions)) > 8
    assert all(function.startswith(prefix) for function in functions)
