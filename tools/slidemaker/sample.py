"""The slide that the documentation reads: an Aperio scan of 4 megapixels with all that a reader can show of one."""

from .aperio import aperio
from .pyramid import tiled
from .small import JPEG_420, levels_of
from .texture import Picture
from .tiff_writer import write_tiff

SIZE = (2400, 1800)


def make_sample(path, seed, texture=None):
    """Writes it: JPEG in tiles of 256, three levels a quarter of each other, 0.499 µm per pixel, 20×."""
    pixels = levels_of(Picture(SIZE, 256, seed, blank_tiles=0.3, texture=texture), 3, 4)
    levels = [tiled(level, 256, JPEG_420) for level in pixels]
    write_tiff(path, aperio(levels, pixels[-1], "JPEG/YCC Q=85"))
    return {}
