"""A batch as an array, in every protocol, without copies."""

import copy
import gc
import pickle

import microtome as mt
import numpy as np
import pytest


@pytest.fixture
def batch(slide):
    return next(iter(mt.Loader(slide, [(0, 0), (100, 50)], (30, 20))))


def test_numpy_shares_its_memory(batch):
    for array in (
        np.asarray(batch),
        np.asarray(batch, dtype=np.uint8),
        np.array(batch, copy=None),
        np.from_dlpack(batch),
    ):
        assert array.shape == (2, 20, 30, 3)
        assert np.shares_memory(array, batch.pixels)
    if np.lib.NumpyVersion(np.__version__) >= "2.0.0":
        assert np.shares_memory(np.asarray(batch, copy=False), batch.pixels)


def test_array(batch):
    assert batch.__array__() is batch.pixels
    assert batch.__array__(np.float32).dtype == np.float32
    assert not np.shares_memory(batch.__array__(copy=True), batch.pixels)
    with pytest.raises(ValueError, match="without a copy"):
        batch.__array__(np.float32, copy=False)


def test_array_interface(batch):
    interface = batch.__array_interface__
    assert interface["data"] == (batch.pixels.ctypes.data, False)
    assert interface["shape"] == (2, 20, 30, 3)
    assert interface["typestr"] == "|u1"


def test_dlpack(batch):
    assert batch.__dlpack_device__() == (1, 0)  # kDLCPU
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    tensor = torch.from_dlpack(batch)
    assert tensor.data_ptr() == batch.pixels.ctypes.data


def test_arrays_keep_the_memory(slide, pyramid):
    arrays = []
    for batch in mt.Loader(slide, [(i, 2 * i) for i in range(0, 200, 5)], (30, 20), batch_size=4):
        arrays.append(np.from_dlpack(batch))
    del batch
    gc.collect()
    found = np.concatenate(arrays)
    for row, i in enumerate(range(0, 200, 5)):
        np.testing.assert_array_equal(found[row], pyramid.levels[0][2 * i : 2 * i + 20, i : i + 30])


def test_pixels_can_be_written_to(batch):
    batch.pixels[...] = 7
    assert (np.asarray(batch) == 7).all()


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, lambda b: pickle.loads(pickle.dumps(b))])
def test_copies(how, batch):
    other = how(batch)
    for name in ("pixels", "locations", "indices", "slides"):
        np.testing.assert_array_equal(getattr(other, name), getattr(batch, name))
    assert (other.errors, other.number) == (batch.errors, batch.number)


def test_len_and_repr(batch):
    assert len(batch) == 2
    assert repr(batch) == "<microtome.Batch 0: (2, 20, 30, 3) uint8>"


def test_repr_counts_errors(broken_path):
    (batch,) = mt.Loader(mt.open(broken_path), [(130, 0)], (30, 20), on_error="fill")
    assert repr(batch) == "<microtome.Batch 0: (1, 20, 30, 3) uint8, 1 errors>"
    assert batch.errors[0].row == 0
