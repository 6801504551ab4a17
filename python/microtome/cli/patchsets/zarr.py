"""A zarr group (format 3): `patches` (N, h, w, C) and `locations` (N, 2), in a folder.

A chunk is one patch, so that one is read without its neighbours; a shard file holds a batch of them, and is written as
a whole. A shard that a kill left half-written is not in the manifest yet, so it is written anew. The arrays' lengths
stand in small JSON files that this module replaces itself, whole: all N while the work goes on, fewer where it was
interrupted.
"""

from __future__ import annotations

import os
import shutil

from ..failure import package
from .layout import Layout


class Zarr:
    name = "zarr"
    suffixes = (".zarr",)
    is_folder = True
    pictures = False
    package = "zarr"
    title = "zarr"

    def __init__(self, path: str, layout: Layout) -> None:
        self._zarr = package(self.package, f"writing {self.title}")
        self._path = path
        self._layout = layout
        self._group = None
        self._done = 0

    def patch_name(self, index: int) -> str:
        """The row, as text."""
        return str(index)

    def begin(self) -> None:
        self._make(self._path, len(self._layout.locations))["locations"][...] = self._layout.locations
        self._open(0)

    def resume(self, done: int) -> int:
        """Keeps whole shards up to the first that is missing."""
        kept, batch = 0, self._layout.batch
        while kept < done and os.path.isfile(self._shard(kept)):
            kept += batch
        if kept == 0 or not os.path.isdir(os.path.join(self._path, "locations", "c")):
            return 0
        kept = min(kept, done) if done == len(self._layout.locations) else min(kept, done) // batch * batch
        self._forget(-(-kept // batch))
        self._open(kept)
        return kept

    def _forget(self, kept_shards):
        """Removes shards that came after those kept, and files that a kill left beside a shard."""
        shards = os.path.join(self._path, "patches", "c")
        for number in os.listdir(shards):
            if int(number) >= kept_shards:
                shutil.rmtree(os.path.join(shards, number))
        for folder, _, files in os.walk(shards):
            for name in files:
                if name != "0":
                    os.unlink(os.path.join(folder, name))

    def _shard(self, first):
        return os.path.join(self._path, "patches", "c", str(first // self._layout.batch), "0", "0", "0")

    def _open(self, done):
        self._done = done
        self._set_length(len(self._layout.locations))
        self._group = self._zarr.open_group(self._path, mode="r+", zarr_format=3)

    def _make(self, store, length):
        """A group with both arrays, `length` long, in `store`; chunks are as for the whole job."""
        layout = self._layout
        group = self._zarr.create_group(store, zarr_format=3, attributes=layout.about)
        group.create_array(
            "locations", shape=(length, 2), dtype=layout.locations.dtype, chunks=layout.locations.shape
        )
        group.create_array(
            "patches",
            shape=(length, *layout.shape),
            dtype=layout.dtype,
            chunks=(1, *layout.shape),
            shards=(layout.batch, *layout.shape),
            config={"write_empty_chunks": True},
        )
        return group

    def _set_length(self, length):
        """Replaces all metadata, each file at once, whatever state a kill left it in."""
        files = {}
        self._make(self._zarr.storage.MemoryStore(files), length)
        for name, content in files.items():
            target = os.path.join(self._path, *name.split("/"))
            with open(target + ".unfinished", "wb") as file:
                file.write(content.to_bytes())
            os.replace(target + ".unfinished", target)

    def add(self, first: int, pixels) -> None:
        self._group["patches"][first : first + len(pixels)] = pixels
        self._done = first + len(pixels)

    def close(self) -> None:
        if self._group is not None and self._done < len(self._layout.locations):
            self._set_length(self._done)
        self._group = None
