"""Contender: tifffile with imagecodecs."""

import sys

import tifffile
from run import serve

page = tifffile.TiffFile(sys.argv[1]).pages[0]
workers = int(sys.argv[2])
serve(
    "tifffile",
    tifffile.__version__,
    page.imagewidth,
    page.imagelength,
    lambda: page.asarray(maxworkers=workers),
)
