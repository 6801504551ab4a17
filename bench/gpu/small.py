"""What compute-sanitizer looks at: a few batches and reads, compared with the CPU's.

python bench/gpu/small.py FOLDER
"""

import sys
from pathlib import Path

import microtome as mt
import numpy as np
import slides

for path in (
    slides.jpeg_slide(Path(sys.argv[1]), 4, 4, 64),
    slides.jpeg_slide(Path(sys.argv[1]), 4, 4, 64, css="444"),
    slides.raw_slide(Path(sys.argv[1]), 2, 2, 64),
):
    with mt.open(path) as slide:
        places = [(-9, -7), (30, 50), (64, 64), (100, 20), (31, 31)]
        (host,) = mt.Loader(slide, places, (61, 70))
        for options in ({}, {"dtype": "float16", "layout": "NCHW"}):
            (batch,) = mt.Loader(slide, places, (61, 70), device="cuda", **options)
            found = batch.pixels.to_host()
            expected = np.moveaxis(host.pixels, -1, 1) if options else host.pixels
            assert np.array_equal(found, expected), (path, options)
