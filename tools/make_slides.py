#!/usr/bin/env python3
"""Makes synthetic slides for tests, the demo and benchmarks; the same seed gives the same files.

    python tools/make_slides.py OUT_DIR [--only NAME ...] [--scale 1/16] [--seed 0] [--texture auto|seeded|real]

Small ones, each there for one property of the format (`generic-jpeg-440`, `generic-sparse`, …), or as a vendor writes
them (`philips-xml`, `ome-channels`, …); the shapes A to F that whole-slide readers are measured with;
`many-tiles`, which has 100,000 tiles and next to no bytes; and `sample`, which the documentation reads. Needs numpy,
tifffile, imagecodecs and Pillow; for `aperio-j2k-33003` and `A` also opj_compress (Debian: libopenjp2-tools).

From Python: `make_slides.make(name, path, seed)`, and `make_slides.NAMES`.
"""

import argparse
import sys
import time
from fractions import Fraction
from pathlib import Path

from slidemaker.many_tiles import make_many_tiles
from slidemaker.sample import make_sample
from slidemaker.shapes import SHAPES, make_shape
from slidemaker.small import SMALL, make_small
from slidemaker.texture import real_texture
from slidemaker.vendors import VENDORS, make_vendor

EXTENSIONS = {name: row[0] for name, row in (SMALL | VENDORS).items()}
EXTENSIONS |= {name: "svs" if shape.aperio else "tif" for name, shape in SHAPES.items()}
EXTENSIONS |= {"many-tiles": "tif", "sample": "svs"}
NAMES = list(EXTENSIONS)


def make(name, path, seed=0, *, texture="seeded", scale=1 / 16):
    """Writes the made slide `name` to the file `path`.

    Parameters
    ----------
    name : one of NAMES.
    seed : the same seed, texture and scale give the same file.
    texture : "seeded" makes tissue from the seed; "real" takes a real slide's from $MICROTOME_SLIDES or
        ../shared/slides, and raises FileNotFoundError if there is none; "auto" is real where it can be.
    scale : part of the area, for the shapes A to F only.

    Returns
    -------
    dict of what is worth reporting, such as "bits_per_pixel"; empty for the small slides.
    """
    if name not in EXTENSIONS:
        raise ValueError(f"no slide is called {name!r}; there are {', '.join(NAMES)}")
    pixels = None if texture == "seeded" else real_texture()
    if texture == "real" and pixels is None:
        raise FileNotFoundError(
            "no real slide in $MICROTOME_SLIDES or ../shared/slides to take a texture from"
        )
    if name in SHAPES:
        return make_shape(name, path, seed, pixels, scale)
    if name == "many-tiles":
        return make_many_tiles(path, seed, pixels)
    if name == "sample":
        return make_sample(path, seed, pixels)
    if name in VENDORS:
        return make_vendor(name, path, seed, pixels)
    return make_small(name, path, seed, pixels)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], epilog=f"Names: {', '.join(NAMES)}")
    parser.add_argument("out_dir", type=Path)
    parser.add_argument("--only", nargs="+", metavar="NAME", default=NAMES, help="make these alone")
    parser.add_argument(
        "--scale", type=Fraction, default=Fraction(1, 16), help="shapes A to F: part of the full area"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", action="store_true", help="leave alone what is there already")
    parser.add_argument("--texture", choices=("auto", "seeded", "real"), default="auto")
    options = parser.parse_args()
    if unknown := [name for name in options.only if name not in EXTENSIONS]:
        parser.error(f"no slide is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
    options.out_dir.mkdir(parents=True, exist_ok=True)
    for name in options.only:
        path = options.out_dir / f"{name}.{EXTENSIONS[name]}"
        if options.keep and path.exists():
            continue
        begin = time.monotonic()
        facts = make(name, path, options.seed, texture=options.texture, scale=float(options.scale))
        shown = ", ".join(f"{k}: {v:.3f}" if isinstance(v, float) else f"{k}: {v}" for k, v in facts.items())
        print(f"{path}  {path.stat().st_size:,} bytes  {time.monotonic() - begin:.1f} s  {shown}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
