"""PNG: lossless, 8 bits of grey or colour with or without alpha, or 16 bits of grey."""

from .pillow import Pillow


class Png(Pillow):
    name = "png"
    suffixes = (".png",)
    modes = {
        (1, "uint8"): "L",
        (2, "uint8"): "LA",
        (3, "uint8"): "RGB",
        (4, "uint8"): "RGBA",
        (1, "uint16"): "I;16",
    }
    holds = "8-bit grey or colour, or 16-bit grey"
    most = 2**31 - 1

    def options(self, quality):
        return {"compress_level": 3}  # a third of the default's time, some 3 % more bytes on tissue
