"""A folder of pictures, named by their level-0 locations."""

from __future__ import annotations

import contextlib
import os

from .layout import Layout
from .pictures import Encoder

UNFINISHED = ".unfinished"  # the name under which a picture is written


class Folder:
    name = "folder"
    suffixes = ()
    is_folder = True
    pictures = True
    package = None

    def __init__(self, path: str, layout: Layout) -> None:
        self._path = path
        self._layout = layout
        self._encoder = Encoder(layout)

    def patch_name(self, index: int) -> str:
        return self._layout.stem(index) + self._layout.suffix

    def begin(self) -> None:
        os.mkdir(self._path)

    def resume(self, done: int) -> int:
        """Keeps all up to the first picture that is not there."""
        if not os.path.isdir(self._path):
            return 0
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self._path, UNFINISHED))
        there = {entry.name for entry in os.scandir(self._path)}
        kept = next((i for i in range(done) if self.patch_name(i) not in there), done)
        # At most a batch was written that the manifest does not have; Ctrl-C now must not leave it there.
        for index in range(kept, min(kept + self._layout.batch, len(self._layout.locations))):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self._path, self.patch_name(index)))
        return kept

    def add(self, first: int, pixels) -> None:
        unfinished = os.path.join(self._path, UNFINISHED)
        for index, picture in enumerate(self._encoder(pixels), first):
            with open(unfinished, "wb") as file:
                file.write(picture)
            os.replace(unfinished, os.path.join(self._path, self.patch_name(index)))

    def close(self) -> None:
        self._encoder.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self._path, UNFINISHED))
