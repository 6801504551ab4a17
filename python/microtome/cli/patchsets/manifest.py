"""The manifest: a CSV file with a line for each patch, which also says how far a job has come.

Lines are appended in the job's order, a batch at a time and after its pixels. A kill can cut the last line; everything
before it is whole, so that a manifest is read back by keeping the lines that are as the job would write them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

COLUMNS = ("slide", "index", "name", "x", "y", "width", "height", "level", "mpp_x", "mpp_y", "error")


class Manifest:
    """An open manifest. `row(index)` gives a patch's values but the last, its error, as text."""

    def __init__(self, path: str, row) -> None:
        self._path = path
        self._row = row
        self._file: io.FileIO | None = None
        self._end = 0  # of the last whole batch of lines
        self.errors = 0  # patches whose last column is not empty

    def begin(self) -> None:
        """Makes it anew, empty but for the header."""
        self.close()
        self.errors = 0
        self._file = open(self._path, "w+b", buffering=0)  # noqa: SIM115
        self._append([COLUMNS])

    def resume(self) -> int:
        """Opens it and returns how many patches it has; a cut last line is taken away. 0 where there is none."""
        try:
            self._file = open(self._path, "r+b", buffering=0)  # noqa: SIM115
        except FileNotFoundError:
            return 0
        return self.keep(None)

    def keep(self, most: int | None) -> int:
        """Keeps the first `most` patches, or all that are whole, and returns their number."""
        self._file.seek(0)
        count, end, self.errors = -1, 0, 0  # -1: the header is the first record
        for record, after in _records(io.BufferedReader(_Borrowed(self._file))):
            expected = COLUMNS if count < 0 else self._row(count)
            if count == most or expected is None or tuple(record[: len(expected)]) != tuple(expected):
                break
            if len(record) != len(COLUMNS):
                break
            self.errors += count >= 0 and record[-1] != ""
            count, end = count + 1, after
        if count < 0:
            self.begin()
            return 0
        self._end = end
        self._cut()
        return count

    def _cut(self):
        """Drops what is behind the last whole batch of lines."""
        self._file.truncate(self._end)
        self._file.seek(self._end)

    def add(self, first: int, errors: Sequence[str]) -> None:
        """Appends patches `first`, … with what was wrong with each, or ""."""
        self._append((*self._row(index), error) for index, error in enumerate(errors, first))
        self.errors += sum(map(bool, errors))

    def _append(self, rows: Iterable[Sequence[str]]):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        data = memoryview(text.getvalue().encode("utf-8", "surrogateescape"))
        while data:
            data = data[self._file.write(data) :]
        self._end = self._file.tell()

    def close(self) -> None:
        if self._file is not None:
            try:
                self._cut()  # a full disk may have taken a part of a line
            finally:
                self._file.close()
                self._file = None


class _Borrowed(io.RawIOBase):
    """A raw file that stays open when what reads through it is dropped."""

    def __init__(self, file):
        self._borrowed = file

    def readable(self):
        return True

    def readinto(self, buffer):
        return self._borrowed.readinto(buffer)


def _records(file):
    """(fields, offset of the record's end) of each record that ends in a newline."""
    position = 0

    def lines():
        nonlocal position
        for line in file:
            if not line.endswith(b"\n"):
                return  # cut
            position += len(line)
            yield line.decode("utf-8", "surrogateescape")

    reader = csv.reader(lines())
    for record in reader:
        yield record, position
