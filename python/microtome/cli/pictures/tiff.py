"""TIFF: any samples, lossless, in tiles and band by band, with the resolution and the colour profile."""

import numpy as np

from ..failure import package

TILE = 256
BIG = (
    1 << 31
)  # bytes of pixels from which on BigTIFF is written: the rest of 4 GB is for what does not compress


class Tiff:
    name = "tiff"
    suffixes = (".tif", ".tiff")

    def check(self, shape, dtype):
        """Fails where tifffile is missing; the format holds everything."""
        package("tifffile", "writing TIFF")

    def write(self, file, pixels, quality):
        """Writes to a seekable file; a row of tiles is in memory at a time."""
        tifffile = package("tifffile", "writing TIFF")
        h, w, channels = pixels.shape
        resolution = {}
        if pixels.mpp is not None:
            per_cm = tuple(1e4 / axis for axis in pixels.mpp)
            resolution = {"resolution": per_cm, "resolutionunit": "CENTIMETER"}
        with tifffile.TiffWriter(file, bigtiff=h * w * channels * pixels.dtype.itemsize >= BIG) as writer:
            writer.write(
                self._tiles(pixels),
                shape=pixels.shape if channels > 1 else (h, w),
                dtype=pixels.dtype,
                tile=(TILE, TILE),
                photometric="rgb" if channels in (3, 4) else "minisblack",
                planarconfig="contig" if channels > 1 else None,
                extrasamples=self._extra(channels),
                compression="zlib",
                compressionargs={"level": 3},
                predictor=pixels.dtype.kind == "u",
                iccprofile=pixels.icc_profile,
                metadata=None,
                software="microtome",
                **resolution,
            )

    @staticmethod
    def _extra(channels):
        if channels == 4:
            return ("unassalpha",)
        return ("unspecified",) * (channels - 1) if channels in (2,) or channels > 4 else None

    @staticmethod
    def _tiles(pixels):
        """Tiles row by row, whole ones: the last of a row or column repeats the image's edge."""
        for band in pixels.bands(TILE):
            for x in range(0, band.shape[1], TILE):
                tile = band[:, x : x + TILE]
                missing = (TILE - tile.shape[0], TILE - tile.shape[1])
                if any(missing):
                    tile = np.pad(tile, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="edge")
                yield np.ascontiguousarray(tile if tile.shape[2] > 1 else tile[..., 0])
