"""Exact area averages: each target pixel is the mean of the source area under it, edges counted by their share.

Along an axis of `source` pixels shrunk to `target`, everything is counted in units of 1/target of a source pixel:
a source pixel is `target` units long and a target pixel `source` units, both whole numbers, so that unsigned
samples are summed without any rounding and divided once.
"""

from ._lazy import np

# Bytes of source pixels that a thumbnail holds at a time, unless one row of tiles is more.
BAND_BYTES = 64 << 20


def fit(size, longest):
    """`size` shrunk so that its longest side is at most `longest`, sides rounded to nearest, at least 1."""
    most = max(size)
    if most <= longest:
        return size
    return tuple(max(1, (2 * side * longest + most) // (2 * most)) for side in size)


class AreaAverage:
    """Takes the source's rows from top to bottom, any number at a time, and holds the target only.

    Parameters
    ----------
    source, target : tuple of int
        (w, h); the target is not larger.
    channels : int
    dtype : numpy.dtype
    """

    def __init__(self, source, target, channels, dtype):
        self._source, self._target = source, target
        self._dtype = dtype
        exact = dtype.kind == "u" and dtype.itemsize <= 2
        self._type = np.dtype(np.uint64 if exact else np.float64)
        self._row = np.zeros(
            (source[0], channels), self._type
        )  # of the target, summed down but not yet across
        self._averages = np.empty((target[1], target[0], channels), dtype)
        self._next_row = 0

    def add(self, rows):
        """Adds the next rows, (n, w, C)."""
        source, target = self._source[1], self._target[1]
        first_row, end_row = self._next_row, self._next_row + len(rows)
        for out in range(first_row * target // source, -(-end_row * target // source)):
            end_of_out = -(-(out + 1) * source // target)
            begin, end = max(first_row, out * source // target), min(end_row, end_of_out)
            # Only the first and the last row under a target row can be shared with its neighbours.
            whole_begin = begin + (begin * target < out * source)
            whole_end = end - (end * target > (out + 1) * source)
            for y in {begin, end - 1} - set(range(whole_begin, whole_end)):
                weight = min((y + 1) * target, (out + 1) * source) - max(y * target, out * source)
                self._row += rows[y - first_row].astype(self._type) * self._type.type(weight)
            if whole_begin < whole_end:
                part = rows[whole_begin - first_row : whole_end - first_row]
                self._row += np.add.reduce(part, axis=0, dtype=self._type) * self._type.type(target)
            if end == end_of_out:
                self._averages[out] = self._average(self._across(self._row))
                self._row[...] = 0
        self._next_row = end_row

    def _across(self, row):
        """Sums along a row: (target w, C)."""
        source, target = self._source[0], self._target[0]
        edges = np.arange(target + 1) * source  # in units
        whole, rest = edges // target, edges % target
        sums = np.add.reduceat(row, whole[:-1], axis=0) * self._type.type(target)
        # What the sum has of the pixel that the left edge cuts, and lacks of the one that the right edge cuts.
        cut = row[np.minimum(whole, source - 1)] * rest.astype(self._type)[:, None]
        return sums - cut[:-1] + cut[1:]

    def _average(self, sums):
        """Divided by the area, and rounded to nearest with halves up where samples are integers."""
        area = self._source[0] * self._source[1]
        if self._type == np.uint64:
            return (2 * sums + np.uint64(area)) // np.uint64(2 * area)
        mean = sums / area
        return mean if self._averages.dtype.kind == "f" else np.floor(mean + 0.5)

    def result(self):
        """The averages, (h, w, C)."""
        return self._averages


def read(slide, longest, **options):
    """((h, w, C) array, tuple of PatchError): a slide's thumbnail, from the smallest level that is large enough.

    `options` are those of `Slide.read_level`.
    """
    target = fit(slide.size, longest)
    level = [each for each in slide.levels if each.size[0] >= target[0] and each.size[1] >= target[1]][-1]
    if level.size == target:
        return slide.read_level(level.index, **options), slide.last_errors
    w, h = level.size
    image = slide._described["levels"][level.index]
    dtype = np.dtype(image["dtype"])
    average = AreaAverage(level.size, target, image["channels"], dtype)
    row_bytes = w * image["channels"] * dtype.itemsize
    tile_h = min(level.tile_size[1], h)
    band = max(1, BAND_BYTES // (row_bytes * tile_h)) * tile_h
    if row_bytes * tile_h > 4 * BAND_BYTES:  # a file of one or few strips
        band = max(1, BAND_BYTES // row_bytes)
    errors = []
    for y in range(0, h, band):
        average.add(slide._read(level.index, (0, y), (w, min(band, h - y)), **options))
        errors.extend(slide.last_errors)
    return average.result(), tuple(errors)
