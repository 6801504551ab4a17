"""tifffile with imagecodecs: `asarray` for levels, its zarr store for regions."""

from __future__ import annotations

import tifffile

from contenders import PatchReader, Unsupported


class Contender(PatchReader):
    package = "tifffile"

    def open(self):
        self.file = tifffile.TiffFile(self.path)
        self.page = self.file.pages[0]
        self.size = (self.page.imagewidth, self.page.imagelength)
        self.zarr = None

    def close(self):
        self.file.close()

    @classmethod
    def version(cls):
        import imagecodecs

        return f"{tifffile.__version__} (imagecodecs {imagecodecs.__version__})"

    def level(self, out=None):
        return self.page.asarray(maxworkers=self.workers, out=out)

    def region(self, x, y, w, h):
        if self.zarr is None:
            try:
                import zarr
            except ImportError:
                raise Unsupported("reads regions through zarr, which is not installed") from None
            self.zarr = zarr.open(self.page.aszarr(), mode="r")
        return self.zarr[y : y + h, x : x + w]
