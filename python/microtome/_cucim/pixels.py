"""Samples as cuCIM gives them: 8 bits, three for RGB and four (RGBA) for everything else."""

import numpy as np

from .errors import InvalidArgumentError, UnsupportedImageError

_HOW_TO_GO_ON = "microtome.open(...).read(...) gives such pixels as they are stored"


class Samples:
    """How a file's samples become cuCIM's.

    Attributes
    ----------
    promised : 3 or 4, the C that cuCIM shows for the file.
    is_direct : whether the stored samples are those already.
    fill : cuCIM's background in stored samples: white for Aperio and Philips, black for the rest.
    """

    def __init__(self, slide_format, channels, dtype, has_names=False):
        self._channels, self._dtype = channels, np.dtype(dtype)
        # Two and more than four samples, and several with names of their own, are no colours, but channels to
        # choose from.
        self._has_channel_axis = channels == 2 or channels > 4 or (has_names and channels > 1)
        self.promised = 3 if channels == 3 and not has_names else 4
        self.is_direct = self._dtype == np.uint8 and channels in (3, 4) and not has_names
        is_white = slide_format == "aperio" or slide_format.startswith("philips")
        self.fill = int(np.iinfo(self._dtype).max) if is_white and self._dtype.kind == "u" else 0

    def check(self, channel):
        """Refuses samples that cuCIM has no way to show. `channel` is what C= gave, or None."""
        if not self.is_direct and self._dtype not in (np.uint8, np.uint16):
            raise UnsupportedImageError(
                f"samples of type {self._dtype} have no 8-bit RGB form; {_HOW_TO_GO_ON}"
            )
        if not self._has_channel_axis:
            if channel not in (None, 0):
                raise InvalidArgumentError(
                    f"C={channel}: the {self._channels} samples are one channel, so only C=0 exists"
                )
        elif channel is None:
            raise UnsupportedImageError(
                f"the file has {self._channels} channels, which are no RGB: choose one with C=; {_HOW_TO_GO_ON}"
            )
        elif not 0 <= channel < self._channels:
            raise InvalidArgumentError(f"C={channel}: the file has channels 0 to {self._channels - 1}")

    def convert(self, pixels, channel):
        """RGB or RGBA of 8 bits, shape (..., H, W, 3 or 4) uint8.

        `pixels` has shape (..., H, W, samples) as stored, and check(channel) has passed. What is right already comes
        back as it is; the rest is copied.
        """
        if self.is_direct:
            return pixels
        if self._has_channel_axis:
            pixels = pixels[..., channel : channel + 1]
        if pixels.dtype == np.uint16:
            pixels = _to_8_bits(pixels)
        if pixels.shape[-1] > 1:
            return pixels
        rgba = np.empty((*pixels.shape[:-1], 4), np.uint8)
        rgba[..., :3] = pixels
        rgba[..., 3] = 255
        return rgba


def _to_8_bits(pixels):
    # As libtiff, and with it cuCIM, does: grey keeps its high byte, colours are rounded.
    if pixels.shape[-1] == 1:
        return (pixels >> 8).astype(np.uint8)
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
