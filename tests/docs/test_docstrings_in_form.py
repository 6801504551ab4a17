"""Docstrings as the reference is made from them."""

from docsite import docstrings

TOGETHER = """Reads.

Parameters
----------
size : tuple of int
    (w, h).
mpp, power : float
    One
    of them.

Returns
-------
a, b
"""

SHORT = """Reads.

Parameters
----------
device : "cpu" or
    "cuda".
S, T : index.

Raises
------
ValueError : not a slide.
"""


def test_parameters_that_are_described_together_get_an_entry_each():
    expected = TOGETHER.replace("mpp, power : float\n", "mpp : float\n    One\n    of them.\npower : float\n")
    assert docstrings.in_form(TOGETHER) == expected


def test_short_entries_become_names_and_texts():
    assert docstrings.in_form(SHORT, short=True) == (
        "Reads.\n\nParameters\n----------\n"
        'device\n    "cpu" or\n    "cuda".\nS\n    index.\nT\n    index.\n\n'
        "Raises\n------\nValueError\n    not a slide.\n"
    )
