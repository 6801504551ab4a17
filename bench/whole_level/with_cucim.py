"""Contender: cuCIM, as its users call it."""

import sys

import cucim
import numpy as np
from run import serve

image = cucim.CuImage(sys.argv[1])
workers = int(sys.argv[2])
height, width = image.shape[:2]
serve("cucim", cucim.__version__, width, height, lambda: np.asarray(image.read_region(num_workers=workers)))
