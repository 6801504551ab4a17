"""Exact area averages: each target pixel is the mean of the source area under it, edges counted by their share.

Along an axis of `source` pixels shrunk to `target`, everything is counted in units of 1/target of a source pixel:
a source pixel is `target` units long and a target pixel `source` units, both whole numbers, so that unsigned
samples are summed without any rounding and divided once.
"""

from ._lazy import np


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
        self._sums = np.zeros((target[1], target[0], channels), self._type)
        self._next_row = 0

    def add(self, rows):
        """Adds the next rows, (n, w, C)."""
        wide = self._across(rows)
        source, target = self._source[1], self._target[1]
        first_row, end_row = self._next_row, self._next_row + len(rows)
        for out in range(first_row * target // source, -(-end_row * target // source)):
            begin = max(first_row, out * source // target)
            end = min(end_row, -(-(out + 1) * source // target))
            index = np.arange(begin, end)
            weights = np.minimum((index + 1) * target, (out + 1) * source) - np.maximum(
                index * target, out * source
            )
            part = wide[begin - first_row : end - first_row]
            self._sums[out] += np.einsum("r,rwc->wc", weights.astype(self._type), part)
        self._next_row = end_row

    def _across(self, rows):
        """Sums along the rows: (n, target w, C)."""
        source, target = self._source[0], self._target[0]
        edges = np.arange(target + 1) * source  # in units
        whole, rest = edges // target, edges % target
        sums = np.add.reduceat(rows, whole[:-1], axis=1, dtype=self._type) * self._type.type(target)
        rest = rest.astype(self._type)[:, None]
        # What the sum has of the pixel that the left edge cuts, and lacks of the one that the right edge cuts.
        cut = rows[:, np.minimum(whole, source - 1)] * rest
        return sums - cut[:, :-1] + cut[:, 1:]

    def result(self):
        """The averages, (h, w, C), rounded to nearest with halves up."""
        area = self._source[0] * self._source[1]
        if self._type == np.uint64:
            return ((2 * self._sums + np.uint64(area)) // np.uint64(2 * area)).astype(self._dtype)
        mean = self._sums / area
        return (mean if self._dtype.kind == "f" else np.floor(mean + 0.5)).astype(self._dtype)
