"""An HDF5 file: `patches` (N, h, w, C), `locations` (N, 2) and `written`, how many of the N are there.

Note [HDF5 that survives a kill]
The library keeps parts of a file's structure in memory, and a kill while it writes them leaves a file that nothing
opens. So all the structure is written at the beginning: datasets are contiguous, with their space allocated but not
filled, and the library closes the file. From then on pixels are put at their offset by plain writes, which cannot harm
the structure: the file is valid at every moment. The price is that nothing is compressed.
"""

from __future__ import annotations

import os

import numpy as np

from ..failure import package
from .layout import Layout


class Hdf5:
    name = "hdf5"
    suffixes = (".h5", ".hdf5")
    is_folder = False
    pictures = False
    package = "h5py"
    title = "HDF5"

    def __init__(self, path: str, layout: Layout) -> None:
        self._h5py = package(self.package, f"writing {self.title}")
        self._path = path
        self._layout = layout
        self._file: int | None = None
        self._offsets: dict[str, int] = {}

    def patch_name(self, index: int) -> str:
        """The row, as text."""
        return str(index)

    def begin(self) -> None:
        layout, count = self._layout, len(self._layout.locations)
        with self._h5py.File(self._path, "w") as file:
            file.attrs.update(layout.about)
            file.create_dataset("locations", data=layout.locations)
            for name, shape, dtype in self._datasets(count):
                # Space now, values later; see Note [HDF5 that survives a kill].
                properties = self._h5py.h5p.create(self._h5py.h5p.DATASET_CREATE)
                properties.set_obj_track_times(False)  # the same patches give the same bytes
                properties.set_layout(self._h5py.h5d.CONTIGUOUS)
                properties.set_alloc_time(self._h5py.h5d.ALLOC_TIME_EARLY)
                properties.set_fill_time(self._h5py.h5d.FILL_TIME_NEVER)
                space = (
                    self._h5py.h5s.create_simple(shape)
                    if shape
                    else self._h5py.h5s.create(self._h5py.h5s.SCALAR)
                )
                kind = self._h5py.h5t.py_create(dtype, logical=True)
                self._h5py.h5d.create(file.id, name.encode(), kind, space, dcpl=properties)
        self._open()
        self._write("written", 0, np.int64(0))

    def _datasets(self, count):
        yield "written", (), np.dtype(np.int64)
        yield "patches", (count, *self._layout.shape), self._layout.dtype

    def _open(self):
        with self._h5py.File(self._path, "r") as file:
            for name, shape, dtype in self._datasets(len(self._layout.locations)):
                dataset = file[name]
                if dataset.shape != shape or dataset.dtype != dtype or dataset.id.get_offset() is None:
                    raise KeyError(name)
                self._offsets[name] = dataset.id.get_offset()
        self._file = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)

    def resume(self, done: int) -> int:
        """Keeps as many as `written` says."""
        try:
            self._open()
        except (OSError, KeyError):
            return 0
        written = int(np.frombuffer(os.pread(self._file, 8, self._offsets["written"]), np.int64)[0])
        kept = max(0, min(done, written))
        self._write("written", 0, np.int64(kept))
        return kept

    def add(self, first: int, pixels) -> None:
        self._write("patches", first * self._layout.patch_bytes, np.ascontiguousarray(pixels))
        self._write("written", 0, np.int64(first + len(pixels)))

    def _write(self, name, offset, values):
        data, at = memoryview(values).cast("B"), self._offsets[name] + offset
        while data:
            count = os.pwrite(self._file, data, at)
            data, at = data[count:], at + count

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
