"""Microtome's own exceptions."""

import pickle

import microtome as mt
import pytest

OWN = [mt.CorruptSlideError, mt.UnsupportedError, mt.DeviceUnavailableError]


@pytest.mark.parametrize("error", OWN)
def test_all_are_microtome_errors(error):
    assert issubclass(error, mt.Error)
    assert error.__module__ == "microtome"
    assert str(pickle.loads(pickle.dumps(error("text")))) == "text"


@pytest.mark.parametrize("folder", ["tiff-corrupt", "tiff-edge"])
def test_damaged_real_files_open_or_refuse(folder, real_slides):
    files = [path for path in sorted((real_slides / folder).rglob("*")) if path.is_file()]
    assert files
    for path in files:
        try:
            with mt.open(path) as slide:
                for level in slide.levels:
                    if level.size[0] * level.size[1] < 1 << 24:
                        slide.read_level(level.index)
                list(slide.associated.values())
        except (mt.Error, OSError, MemoryError) as error:
            assert str(error)
