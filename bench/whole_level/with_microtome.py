"""Contender: microtome, a fresh array per read (its pool gives the memory of a dropped one back)."""

import sys

import microtome as mt
from run import serve

slide = mt.open(sys.argv[1])
workers = int(sys.argv[2])
serve("microtome", mt.__version__, *slide.size, lambda: slide.read_level(0, workers=workers))
