"""NPY, NumPy's own format: (h, w, C) of any dtype, exactly. Written band by band."""

import numpy as np

BAND_BYTES = 32 << 20


class Npy:
    name = "npy"
    suffixes = (".npy",)

    def check(self, shape, dtype):
        """It holds everything."""

    def write(self, file, pixels, quality):
        """Writes to a file; the whole image is never in memory."""
        header = {
            "shape": pixels.shape,
            "fortran_order": False,
            "descr": np.lib.format.dtype_to_descr(pixels.dtype),
        }
        np.lib.format.write_array_header_1_0(file, header)
        row_bytes = pixels.shape[1] * pixels.shape[2] * pixels.dtype.itemsize
        for band in pixels.bands(max(1, BAND_BYTES // row_bytes)):
            file.write(np.ascontiguousarray(band).data)
