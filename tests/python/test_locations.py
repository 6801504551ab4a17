"""Every form of locations, and what is wrong with those that are none."""

import array

import microtome as mt
import numpy as np
import pytest
from microtome._locations import as_rows

POINTS = [(0, 100), (50, -20), (300, 7)]
FLAT = [v for point in POINTS for v in point]
BASE = np.array(POINTS)

FORMS = {
    "list of tuples": POINTS,
    "list of lists": [list(p) for p in POINTS],
    "tuple of tuples": tuple(POINTS),
    "flat list": FLAT,
    "flat tuple": tuple(FLAT),
    "generator of tuples": (p for p in POINTS),
    "generator of ints": (v for v in FLAT),
    "iterator": iter(POINTS),
    "map": map(tuple, POINTS),
    "list of NumPy rows": list(BASE),
    "list of NumPy integers": list(BASE.ravel()),
    "tuples of NumPy integers": [(np.int16(x), np.int64(y)) for x, y in POINTS],
    "int64": BASE.astype(np.int64),
    "int32": BASE.astype(np.int32),
    "int16": BASE.astype(np.int16),
    "longlong": BASE.astype(np.longlong),
    "big-endian": BASE.astype(">i4"),
    "big-endian int64": BASE.astype(">i8"),
    "flat array": BASE.ravel(),
    "Fortran order": np.asfortranarray(BASE),
    "every other row": np.repeat(BASE, 2, axis=0)[::2],
    "reversed twice": BASE[::-1, ::-1][::-1, ::-1],
    "columns of a wider array": np.concatenate([BASE, BASE], axis=1)[:, :2],
    "read-only": np.frombuffer(BASE.astype(np.int64).tobytes(), np.int64).reshape(-1, 2),
    "array.array": array.array("q", FLAT),
    "memoryview": memoryview(BASE.astype(np.int64)),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_the_same_locations(form, slide, pyramid):
    loader = mt.Loader(slide, FORMS[form], (30, 20), batch_size=5)
    (batch,) = loader
    assert batch.locations.dtype == np.int64
    assert batch.locations.tolist() == [list(p) for p in POINTS]
    np.testing.assert_array_equal(batch.pixels[2], pyramid.levels[0][7:27, 300:330])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.uint64, np.int8])
def test_every_integer_dtype(dtype):
    rows = as_rows(np.array([[1, 2], [100, 4]], dtype), 2)
    assert rows.dtype == np.int64
    assert rows.tolist() == [[1, 2], [100, 4]]


def test_the_callers_array_may_change_afterwards(slide):
    locations = np.array(POINTS)
    loader = mt.Loader(slide, locations, (3, 2))
    locations[:] = 0
    assert next(iter(loader)).locations.tolist() == [list(p) for p in POINTS]


@pytest.mark.parametrize(
    "nothing", [[], (), iter([]), np.empty((0, 2), np.int64), np.empty(0, np.int32), np.array([])]
)
def test_no_locations_are_no_batches(nothing, slide):
    loader = mt.Loader(slide, nothing, (3, 2))
    assert len(loader) == 0
    assert list(loader) == []


def test_three_columns_for_several_slides():
    rows = [(0, 5, 6), (1, 7, 8)]
    for form in (rows, [v for row in rows for v in row], np.array(rows), np.array(rows).ravel()):
        assert as_rows(form, 3).tolist() == [[0, 5, 6], [1, 7, 8]]


NAN = float("nan")
BIG = 2**63
CASES = {
    "float": ([(0, 0), (1.5, 0)], TypeError, r"locations\[1\]\[0\] = 1.5 is of type float"),
    "integral float": ([(0, 2.0)], TypeError, r"locations\[0\]\[1\] = 2.0 is of type float"),
    "flat float": ([0, 0, 7, 1.5], TypeError, r"locations\[3\] = 1.5"),
    "NaN": ([(0, 0), (0, NAN)], TypeError, r"locations\[1\]\[1\] = nan"),
    "bool": ([(0, 0), (True, 0)], TypeError, r"locations\[1\]\[0\] = True is a bool"),
    "str": ([("1", 0)], TypeError, r"locations\[0\]\[0\] = '1'"),
    "None": ([(None, 0)], TypeError, "None"),
    "odd count": ([1, 2, 3], ValueError, "locations has 3 values, expected a multiple of 2"),
    "row of three": ([(1, 2), (1, 2, 3)], ValueError, r"locations\[1\] = \(1, 2, 3\) has 3 values"),
    "mixed": ([(1, 2), 3, 4], ValueError, r"locations\[1\] = 3: .* mixed"),
    "beyond int64": ([(0, 0), (0, BIG)], ValueError, rf"locations\[1\]\[1\] = {BIG} does not fit"),
    "below int64": ([0, -BIG - 1], ValueError, rf"locations\[1\] = {-BIG - 1} does not fit"),
    "uint64 beyond int64": (
        np.array([[0, 1], [2, BIG]], np.uint64),
        ValueError,
        rf"locations\[1, 1\] = {BIG}",
    ),
    "float array": (np.array([[0, 1.5]]), TypeError, "float64.*expected one of integers"),
    "NaN array": (np.array([[NAN, 0]]), TypeError, "nan"),
    "bool array": (np.array([[True, False]]), TypeError, "bool"),
    "object array": (np.array([[0, None]], object), TypeError, "object"),
    "odd array": (np.arange(5), ValueError, "5 values"),
    "three columns": (np.zeros((4, 3), int), ValueError, r"shape \(4, 3\), expected \(N, 2\)"),
    "three dimensions": (np.zeros((4, 2, 2), int), ValueError, r"shape \(4, 2, 2\)"),
    "zero dimensions": (np.array(5), ValueError, r"shape \(\)"),
    "a number": (5, TypeError, "locations is of type int"),
    "a string": ("0000", TypeError, "locations is of type str"),
    "nothing": (None, TypeError, "locations is of type NoneType"),
    "a dict": ({0: 0}, TypeError, "locations is of type dict"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_named(case, slide):
    locations, error, text = CASES[case]
    with pytest.raises(error, match=text):
        mt.Loader(slide, locations, (3, 2))
