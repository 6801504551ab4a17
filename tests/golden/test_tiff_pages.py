"""Every page of every TIFF among the real slides that tifffile (with imagecodecs) reads, against Microtome.

A page must be equal, or its message must be one of the reasons below; docs/formats.md has both, and the run fails
when that is out of date. The slides are looked for in $MICROTOME_SLIDES, else in ../shared/slides beside the checkout.
"""

from __future__ import annotations

import collections
import os
import re
from pathlib import Path

import documented
import pytest
import tifffile
from pages import Images, readable_pages

ROOT = Path(os.environ.get("MICROTOME_SLIDES") or Path(__file__).resolve().parents[3] / "shared" / "slides")
FOLDERS = ("aperio", "bigtiff", "generic-pyramid", "ome-tiff", "qptiff", "tiff-edge")

# Half a minute each, and compared by test_golden.py, associated images included.
ELSEWHERE = {"aperio/1065626.svs"}

# Why a page is not equal → what Microtome's message, behind the page's name, must hold. The first that fits counts.
REASONS = {
    "CCITT fax": r"CCITT fax group [34] tiles are not supported",
    "JPEG XR": r"JPEG XR tiles are not supported",
    "12-bit and lossless JPEG, which the system's libjpeg-turbo 2.1 has not": r"12-bit JPEG|SOF type 0xc3",
    "complex numbers": r"complex samples|BitsPerSample 128",
    "volumes (ImageDepth)": r"ImageDepth 5: volumes",
    "damaged: directories in a circle or cut, byte ranges past the end, tags that disagree": (
        r"already reached|expected one within the source|is cut|pass the end of the file|BitsPerSample 8, 8, 8, 1"
    ),
    "a tile some of whose samples are missing": r"there for some of its samples only",
    "a directory that is a JPEG stream of its own (JPEGInterchangeFormat)": r"child_ifd_jpeg.*ImageWidth .* is missing",
    "24-bit integers, of which readers have two opinions: here numbers in the file's byte order, as for libtiff": (
        r"(seq-[13]c-24b|flower-rgb-.*-big-endian).*off by"
    ),
    "a predictor on uncompressed samples, which libtiff ignores too": r"hpredict-1c-12b.*off by",
    "JPEG of YCbCr in a page that says RGB: TIFF's word counts": r"jpeg_rgb_encoded_as_ycbcr.*off by",
}

# Codings whose pixels every library rounds in its own way → the largest difference.
WITHIN: dict[str, int] = {"APERIO_JP2000_YCBC": 2, "APERIO_JP2000_RGB": 1}


def files():
    found = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*")) if path.is_file()]
    return [path for path in found if str(path.relative_to(ROOT)) not in ELSEWHERE]


class Comparison:
    """What was equal, by coding, and what was not, by reason."""

    def __init__(self):
        self.files = self.pages = self.equal = 0
        self.kinds = collections.defaultdict(collections.Counter)  # coding → (sample type, layout) → pages
        self.worst = collections.Counter()  # coding → largest difference
        self.left = collections.defaultdict(list)  # reason → pages
        self.wrong = []

    def add(self, path):
        pages = readable_pages(path)
        if not pages:
            return
        self.files += 1
        images = Images(path)
        for where, page, theirs in pages:
            self.pages += 1
            coding = tifffile.COMPRESSION(int(page.compression)).name
            name = f"{path.relative_to(ROOT)} {where}"
            try:
                worst = images.take(theirs, WITHIN.get(coding, 0), page.nodata)
            except LookupError as error:
                self._explain(name, str(error))
                continue
            self.equal += 1
            layout = ("planar " if page.planarconfig == 2 else "") + ("tiles" if page.is_tiled else "strips")
            self.kinds[coding][theirs.dtype.name, layout] += 1
            self.worst[coding] = max(self.worst[coding], int(worst))

    def _explain(self, name, message):
        for reason, pattern in REASONS.items():
            if re.search(pattern, f"{name}: {message}"):
                self.left[reason].append(name)
                return
        self.wrong.append(f"{name}: {message}")

    def text(self):
        rows = []
        for coding, kinds in sorted(self.kinds.items()):
            types = ", ".join(
                sorted({dtype for dtype, _ in kinds}, key=lambda t: (t.rstrip("0123456789"), len(t), t))
            )
            layouts = collections.Counter()
            for (_, layout), count in kinds.items():
                layouts[layout] += count
            spread = ", ".join(f"{count} in {layout}" for layout, count in sorted(layouts.items()))
            worst = f"within {self.worst[coding]}" if self.worst[coding] else "equal"
            rows.append((coding, types, spread, worst))
        left = [
            (reason, len(pages), f"`{pages[0].split(' page')[0]}`") for reason, pages in self.left.items()
        ]
        return (
            f"{self.pages} pages of {self.files} real files that tifffile reads (of YCbCr without JPEG: libtiff), "
            f"{self.equal} of them equal to its pixels:\n\n"
            + documented.table(("coding", "samples", "pages", "result"), rows)
            + "\n\nThe others:\n\n"
            + documented.table(("why", "pages", "for example"), left)
        )


@pytest.mark.skipif(not ROOT.is_dir(), reason=f"no slides in {ROOT}; set MICROTOME_SLIDES")
def test_every_page_is_equal_or_has_its_reason(record_property):
    comparison = Comparison()
    for path in files():
        comparison.add(path)
    print(f"{comparison.pages} pages of {comparison.files} files compared, {comparison.equal} equal")
    record_property("pages compared", comparison.pages)
    record_property("files compared", comparison.files)
    assert not comparison.wrong, "\n".join(comparison.wrong)
    assert set(comparison.left) == set(REASONS), "a reason that no page has"
    documented.check("real", comparison.text())
