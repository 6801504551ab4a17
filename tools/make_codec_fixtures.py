#!/usr/bin/env python3
"""Writes src/microtome/codec/conformance_fixtures.inc: small tiles, and the pixels that others find in them;
and the same tiles as seeds under fuzz/corpus/codec.

Needs numpy, Pillow, tifffile, imagecodecs, and on the path OpenJPEG's opj_compress. The encoders are theirs, and so
are the expected pixels: the modules of codecfixtures/ say which.

Run it again only to add a row: encoders change from version to version, and the bytes in the file stay valid.
"""

import sys
from pathlib import Path

from codecfixtures import byte_codecs, jpeg, jpeg2000, picture_codecs

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "src/microtome/codec/conformance_fixtures.inc"
SEEDS = ROOT / "fuzz/corpus/codec"


def main() -> int:
    fixtures = [*jpeg.fixtures(), *jpeg2000.fixtures(), *byte_codecs.fixtures(), *picture_codecs.fixtures()]
    head = (
        "// Written by tools/make_codec_fixtures.py, which says who encoded and decoded each row.\n"
        "// clang-format off\n"
    )
    OUTPUT.write_text(head + "\n".join(fixture.row() for fixture in fixtures) + "\n")
    SEEDS.mkdir(parents=True, exist_ok=True)
    for fixture in fixtures:
        if (seed := fixture.seed()) is not None:
            (SEEDS / fixture.name).write_bytes(seed)
    print(f"{len(fixtures)} fixtures, {OUTPUT.stat().st_size} bytes: {OUTPUT}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
