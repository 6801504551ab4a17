"""Pages of a TIFF as tifffile has them, and the same of Microtome, for comparisons page by page."""

from __future__ import annotations

import imagecodecs
import microtome as mt
import numpy as np
import tifffile


def readable_pages(path):
    """[(where, TiffPage, (H, W, C) array), …] of the pages, SubIFDs included, that tifffile decodes.

    YCbCr that no codec converts tifffile leaves as it is, or cannot read: there libtiff (in imagecodecs) decodes.
    """
    found = []
    try:
        with tifffile.TiffFile(path) as file:
            for number, page in enumerate(_pages(file.pages)):
                array = _by_libtiff(path, page) if _is_plain_ycbcr(page) else _decoded(page)
                if array is not None:
                    found.append((f"page {number}", page, array))
    except Exception:  # whatever it stumbles over, from here on tifffile does not read the file
        return found
    return found


def _pages(pages, seen=None):
    """Up to the first that was there before: tifffile goes round in circles."""
    seen = set() if seen is None else seen
    for page in pages:
        page = page.aspage()
        if page.offset in seen:
            return
        seen.add(page.offset)
        yield page
        if page.pages is not None:
            yield from _pages(page.pages, seen)


def _is_plain_ycbcr(page):
    return page.photometric == 6 and page.compression in (1, 5, 8, 32773, 32946, 34925, 50000)


def _by_libtiff(path, page):
    if page.index is None or page.planarconfig == 2:
        return None
    try:
        rgba = imagecodecs.tiff_decode(path.read_bytes(), index=page.index, asrgb=True)
    except Exception:  # damaged, or one of those that libtiff does not know
        return None
    return np.ascontiguousarray(rgba[..., :3])


def _decoded(page):
    if not page.is_tiled and not page.dataoffsets:
        return None
    try:
        array = page.asarray()
    except Exception:  # a codec or a feature that it does not know
        return None
    if array.size == 0:
        return None
    return hwc(array, page)


def hwc(array, page):
    """A page's array as (H, W, C); bits as uint8, as Microtome has them."""
    if array.dtype == bool:
        array = array.astype(np.uint8)
    if page.planarconfig == 2 and page.samplesperpixel > 1:
        array = np.moveaxis(array.reshape(page.samplesperpixel, page.imagelength, page.imagewidth), 0, 2)
    if array.size != page.imagelength * page.imagewidth * page.samplesperpixel:
        return array  # a volume, say: equal to nothing here
    array = array.reshape(page.imagelength, page.imagewidth, page.samplesperpixel)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


class Images:
    """Everything that Microtome shows of a file: levels of all images, and associated images."""

    def __init__(self, path):
        self.refused = []  # messages
        self._left = []  # (size, function that reads)
        try:
            count = len(mt.open(path).images)
        except (mt.Error, OSError) as error:
            self.refused.append(str(error))
            return
        for image in range(count):
            try:
                slide = mt.open(path, image=image)
            except mt.Error as error:
                self.refused.append(str(error))
                continue
            if image == 0 and (others := slide.properties.get("microtome.other-images")):
                self.refused.extend(others.split("\n"))
            for level in slide.levels:
                read = lambda fill, s=slide, i=level.index: s.read_level(i, fill=fill)  # noqa: E731
                self._left.append(_Shown(level.size, read))
            for name in slide.associated:
                size = tuple(
                    int(slide.properties[f"openslide.associated.{name}.{axis}"])
                    for axis in ("width", "height")
                )
                self._left.append(_Shown(size, lambda fill, s=slide, n=name: s.associated[n]))

    def take(self, theirs, within, fill=0):
        """The largest difference to the first image left over that equals `theirs`, which is none's any more.

        `fill` is what tifffile gives for tiles that the file lacks.

        Raises LookupError with the reason where there is none.
        """
        h, w = theirs.shape[:2]
        near = []
        for shown in self._left:
            if shown.size != (w, h):
                continue
            answer = shown.compare(theirs, within, fill)
            if not isinstance(answer, str):
                if not shown.bands:
                    self._left.remove(shown)
                return answer
            near.append(answer)
        raise LookupError("; ".join([*near, *self.refused]) or "not shown")


class _Shown:
    """An image, of whose samples each may be a page of its own, as OME-TIFF and QPTIFF keep channels."""

    def __init__(self, size, read):
        self.size = tuple(size)
        self.bands = [0]  # first samples of those that have been no page's yet; all, once the array is there
        self._read = read
        self._pixels = None

    def compare(self, theirs, within, fill):
        """The largest difference to the first band that equals `theirs`, which is taken; or why none does."""
        try:
            ours = self._pixels_of(theirs.shape[2], fill)
        except (mt.Error, MemoryError) as error:
            return str(error)
        if ours.dtype != theirs.dtype or ours.shape[2] % theirs.shape[2] != 0:
            return f"{ours.shape} {ours.dtype}, tifffile has {theirs.shape} {theirs.dtype}"
        differences = [difference(ours[..., k : k + theirs.shape[2]], theirs) for k in self.bands]
        for first, worst in zip(self.bands, differences, strict=True):
            if worst <= within:
                self.bands.remove(first)
                return worst
        return f"off by {min(differences):g}"

    def _pixels_of(self, samples, fill):
        if self._pixels is None:
            self._pixels = self._read(fill)
            self.bands = list(range(0, self._pixels.shape[2], samples))
        return self._pixels


def difference(ours, theirs):
    """The largest of a sample; two that are both no number are equal."""
    if np.array_equal(ours, theirs, equal_nan=ours.dtype.kind == "f"):
        return 0.0
    with np.errstate(invalid="ignore", over="ignore"):
        return float(np.nanmax(np.abs(ours.astype(np.float64) - theirs.astype(np.float64)), initial=0))
