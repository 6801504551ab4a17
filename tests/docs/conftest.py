"""The folder that the documentation's examples run in."""

import make_slides
import pytest


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    """Path of the documentation's slide, made from a seed."""
    path = tmp_path_factory.mktemp("sample") / "sample.svs"
    make_slides.make("sample", path)
    return path
