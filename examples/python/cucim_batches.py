"""A script written for cuCIM, with its import changed and nothing else.

python cucim_batches.py SLIDE
"""

import sys

import numpy as np
from microtome import CuImage  # was: from cucim import CuImage

img = CuImage(sys.argv[1])
print(img.shape, img.dims, img.resolutions["level_count"])

# A region, and a whole level.
region = img.read_region(location=(64, 32), size=(200, 100), level=0)
print(region.shape, np.asarray(region).mean(axis=(0, 1)).round(3).tolist())
level = img.read_region(level=img.resolutions["level_count"] - 1, num_workers=2)
print(level.shape, np.asarray(level).mean(axis=(0, 1)).round(3).tolist())

# Patches in batches.
w, h = img.size("XY")
locations = [(x, y) for y in range(0, h - 224, 224) for x in range(0, w - 224, 224)]
for number, batch in enumerate(img.read_region(locations, (224, 224), batch_size=4, num_workers=2)):
    pixels = np.asarray(batch)
    print(number, pixels.shape, pixels.mean(axis=(0, 1, 2)).round(3).tolist())
