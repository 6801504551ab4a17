"""A WebDataset: a tar file with a picture and a JSON of facts for each patch.

Source: https://github.com/webdataset/webdataset, "The WebDataset Format": files of one sample share their name up to
the first dot. The tar is POSIX ustar, without times and owners, so that the same patches give the same bytes.
"""

from __future__ import annotations

import io
import json
import os
import tarfile

from .layout import Layout
from .pictures import Encoder

BLOCK = 512  # POSIX.1-1988, ustar: headers and contents fill blocks of 512 bytes; two empty blocks end a file


class WebDataset:
    name = "webdataset"
    suffixes = (".tar",)
    is_folder = False
    pictures = True
    package = None

    def __init__(self, path: str, layout: Layout) -> None:
        self._path = path
        self._layout = layout
        self._encoder = Encoder(layout)
        self._file: io.FileIO | None = None
        self._end = 0  # of the last whole batch

    def patch_name(self, index: int) -> str:
        return self._layout.stem(index) + self._layout.suffix

    def begin(self) -> None:
        self._file = open(self._path, "w+b", buffering=0)  # noqa: SIM115

    def resume(self, done: int) -> int:
        """Keeps the whole samples at the file's beginning that are those of the job, and cuts off the rest."""
        if not os.path.isfile(self._path):
            return 0
        self._file = open(self._path, "r+b", buffering=0)  # noqa: SIM115
        size = self._file.seek(0, os.SEEK_END)
        kept = end = 0
        while kept < done and (after := self._after_sample(kept, end, size)) is not None:
            kept, end = kept + 1, after
        self._end = end
        self._cut()
        return kept

    def _cut(self):
        """Drops what is behind the last whole batch."""
        self._file.truncate(self._end)
        self._file.seek(self._end)

    def _after_sample(self, index, offset, size):
        """Where the sample at `offset` ends, if it is whole and the one of that index; else None."""
        for name in (self.patch_name(index), self._facts_name(index)):
            offset = self._after_member(name, offset, size)
            if offset is None:
                return None
        return offset

    def _after_member(self, name, offset, size):
        """Where the member at `offset` ends, if it is whole and called `name`; else None."""
        header = os.pread(self._file.fileno(), BLOCK, offset)
        try:
            member = tarfile.TarInfo.frombuf(header, "utf-8", "strict")
        except tarfile.HeaderError:
            return None
        end = offset + BLOCK + -(-member.size // BLOCK) * BLOCK
        return end if member.name == name and end <= size else None

    def _facts_name(self, index):
        return self._layout.stem(index) + ".json"

    def add(self, first: int, pixels) -> None:
        content = io.BytesIO()
        for index, picture in enumerate(self._encoder(pixels), first):
            x, y = self._layout.locations[index].tolist()
            facts = {"index": index, "x": x, "y": y} | self._layout.about
            self._add_member(content, self.patch_name(index), picture)
            self._add_member(content, self._facts_name(index), json.dumps(facts, ensure_ascii=False).encode())
        # Not getbuffer(): views of a BytesIO that end in a reference cycle crash CPython up to 3.12.1.
        _write_all(self._file, content.getvalue())
        self._end = self._file.tell()

    @staticmethod
    def _add_member(content, name, data):
        member = tarfile.TarInfo(name)
        member.size = len(data)
        content.write(member.tobuf(tarfile.USTAR_FORMAT))
        content.write(data)
        content.write(bytes(-len(data) % BLOCK))

    def close(self) -> None:
        self._encoder.close()
        if self._file is not None:
            try:
                self._cut()  # a full disk may have taken a part of a batch
                _write_all(self._file, bytes(2 * BLOCK))
            finally:
                self._file.close()
                self._file = None


def _write_all(file, data):
    data = memoryview(data)
    while data:
        data = data[file.write(data) :]
