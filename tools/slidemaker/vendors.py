"""Made slides of the vendors whose slides are TIFF: a table, one row per slide."""

import numpy as np

from . import encoders as enc
from .ome import Image, ome
from .philips import philips
from .photographs import label, macro
from .pyramid import Coding, strips, tiled
from .qptiff import qptiff
from .small import JPEG_420, levels_of
from .texture import Picture
from .tiff_writer import write_tiff

SIZE = (603, 437)
EVEN = (604, 436)  # halved without a remainder, which is how tifffile knows a QPTIFF's levels
STAINS = [("DAPI", (0, 0, 255)), ("CD8 (Opal 570)", (255, 128, 0)), ("Autofluorescence", (255, 255, 255))]


def stain(pixels, number, dtype=np.uint8):
    """What a fluorescence camera could see of tissue: one sample, dark where there is none."""
    dark = 255 - pixels[..., number % 3]
    if dtype == np.uint16:
        return dark.astype(np.uint16) * 257 ^ pixels[..., (number + 1) % 3] // 3
    return np.ascontiguousarray(dark)


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


def pyramid_plane(pixels, coding):
    """A directory whose smaller levels are its SubIFDs."""
    first, *others = (tiled(each, 128, coding, {254: int(i > 0)}) for i, each in enumerate(pixels))
    first.children = others
    return first


def make_ome_rgb(path, picture):
    """A brightfield scan with its label, as converters write them."""
    pixels = levels_of(picture(*SIZE, 128), 3, 2)
    scan = Image("scan", [pyramid_plane(pixels, JPEG_420)], [None], micrometres=0.5, samples=3)
    photograph = Image("label image", [strips(label(), 16, Coding(enc.LZW))], [None], samples=3)
    write_tiff(path, ome([scan, photograph]))


def make_ome_channels(path, picture):
    """Three channels of 16 bits, big-endian BigTIFF."""
    pixels = levels_of(picture(*SIZE, 128), 3, 2)
    coding = Coding(enc.DEFLATE, predictor=True, big_endian=True)
    planes = [
        pyramid_plane([stain(each, i, np.uint16) for each in pixels], coding) for i in range(len(STAINS))
    ]
    write_tiff(path, ome([Image("slide", planes, STAINS, micrometres=0.65)]), big=True, order="big")


def make_ome_stack(path, picture):
    """Two time points of three focal planes of two channels, and another, smaller image."""
    whole = picture(*SIZE, 128).region(0, 0, *SIZE)
    planes = [
        tiled(np.roll(stain(whole, c), 16 * z + 48 * t, axis=1), 128, Coding(enc.DEFLATE))
        for t in range(2)
        for z in range(3)
        for c in range(2)
    ]
    stack = Image("stack", planes, STAINS[:2], size_z=3, size_t=2, micrometres=0.25)
    other = Image("overview", [tiled(stain(whole[::4, ::4], 2), 128, Coding(enc.DEFLATE))], STAINS[2:])
    write_tiff(path, ome([stack, other]))


# name: (extension, what writes it)
VENDORS = {
    "philips-xml": ("tiff", make_philips(in_directories=False)),
    "philips-directories": ("tiff", make_philips(in_directories=True)),
    "ome-rgb": ("ome.tif", make_ome_rgb),
    "ome-channels": ("ome.tif", make_ome_channels),
    "ome-stack": ("ome.tif", make_ome_stack),
    "qptiff-fluorescence": ("qptiff", make_qptiff(is_fluorescence=True)),
    "qptiff-brightfield": ("qptiff", make_qptiff(is_fluorescence=False)),
}


def make_vendor(name, path, seed, texture=None):
    """Writes the made slide `name`; returns what is worth reporting about it (nothing, here)."""
    write = VENDORS[name][1]
    write(path, lambda w, h, tile: Picture((w, h), tile, seed, blank_tiles=0.2, texture=texture))
    return {}
