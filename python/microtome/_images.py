"""The images that a file holds."""

from __future__ import annotations

from typing import NamedTuple

from ._lazy import np


class Image(NamedTuple):
    """One of the images that a file holds; `microtome.open(source, image=index)` opens it.

    Attributes
    ----------
    index : int
        0 is the first, which `microtome.open` opens unless told.
    name : str
        What the file calls it, or where it is: "directory 2".
    kind : str
        "image"; for TIFF also "page", "mask" and "reduced image", as its directory is marked.
    size : tuple of int
        (w, h) of its level 0.
    levels : int
        How many.
    channels : int
        Samples of a pixel.
    dtype : numpy.dtype
        Of a sample.
    series, t, z : int
        Which series, time point and focal plane it is, in a file that has such (OME-TIFF); 0 in others.
    """

    index: int
    name: str
    kind: str
    size: tuple[int, int]
    levels: int
    channels: int
    dtype: np.dtype
    series: int = 0
    t: int = 0
    z: int = 0


def described(images):
    """The core's description of a file's images as a tuple of `Image`."""
    return tuple(
        Image(
            index,
            each["name"],
            each["kind"],
            each["size"],
            each["levels"],
            each["channels"],
            np.dtype(each["dtype"]),
            each["series"],
            each["t"],
            each["z"],
        )
        for index, each in enumerate(images)
    )
