"""Made slides of the vendors whose slides are TIFF: a table, one row per slide."""

import numpy as np

from . import encoders as enc
from .philips import philips
from .photographs import label, macro
from .pyramid import Coding, tiled
from .qptiff import qptiff
from .small import JPEG_420, levels_of
from .texture import Picture
from .tiff_writer import write_tiff

SIZE = (603, 437)
EVEN = (604, 436)  # halved without a remainder, which is how tifffile knows a QPTIFF's levels
STAINS = [("DAPI", (0, 0, 255)), ("CD8 (Opal 570)", (255, 128, 0)), ("Autofluorescence", (255, 255, 255))]


def stain(pixels, number):
    """What a fluorescence camera could see of tissue: one sample, dark where there is none."""
    return np.ascontiguousarray(255 - pixels[..., number % 3])


def make_philips(in_directories):
    def make(path, picture):
        pixels = levels_of(picture(*SIZE, 128), 3, 2)
        absent = [(0, 3, 7, 19), (2,), ()]  # tiles of each level
        levels = [tiled(each, 128, JPEG_420, None, absent[i]) for i, each in enumerate(pixels)]
        write_tiff(path, philips(levels, label(), macro(pixels[-1]), in_directories=in_directories))

    return make


def make_qptiff(is_fluorescence):
    def make(path, picture):
        pixels = levels_of(picture(*EVEN, 128), 3, 2)
        bands = STAINS if is_fluorescence else []
        if is_fluorescence:
            coding = Coding(enc.LZW)
            levels = [[tiled(stain(each, i), 128, coding) for i in range(len(bands))] for each in pixels]
        else:
            levels = [[tiled(each, 128, JPEG_420)] for each in pixels]
        named = [(name, ",".join(map(str, rgb))) for name, rgb in bands]
        write_tiff(path, qptiff(levels, pixels[-1], macro(pixels[-1]), label(), named))

    return make


# name: (extension, what writes it)
VENDORS = {
    "philips-xml": ("tiff", make_philips(in_directories=False)),
    "philips-directories": ("tiff", make_philips(in_directories=True)),
    "qptiff-fluorescence": ("qptiff", make_qptiff(is_fluorescence=True)),
    "qptiff-brightfield": ("qptiff", make_qptiff(is_fluorescence=False)),
}


def make_vendor(name, path, seed, texture=None):
    """Writes the made slide `name`; returns what is worth reporting about it (nothing, here)."""
    write = VENDORS[name][1]
    write(path, lambda w, h, tile: Picture((w, h), tile, seed, blank_tiles=0.2, texture=texture))
    return {}
