"""JPEG: lossy, 8 bits of grey or colour."""

from .pillow import Pillow

FULL_CHROMA_FROM = 90  # the quality from which on colour is kept at full resolution


class Jpeg(Pillow):
    name = "jpeg"
    suffixes = (".jpg", ".jpeg")
    modes = {(1, "uint8"): "L", (3, "uint8"): "RGB"}
    holds = "8-bit grey or RGB"
    most = 65500  # libjpeg's JPEG_MAX_DIMENSION

    def options(self, quality):
        return {"quality": quality, "subsampling": 0 if quality >= FULL_CHROMA_FROM else 2}
