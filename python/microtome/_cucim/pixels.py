"""Samples as cuCIM gives them: 8 bits, three for RGB and four (RGBA) for everything else."""

import numpy as np

from .errors import InvalidArgumentError, UnsupportedImageError

_HOW_TO_GO_ON = "microtome.open(...).read(...) gives such pixels as they are stored"


def promised_channels(slide):
    """3 or 4: the C that cuCIM shows for a file."""
    return 3 if slide.channels == 3 else 4


def is_stored_as_promised(slide):
    """Whether the slide's own samples need no conversion."""
    return slide.dtype == np.uint8 and slide.channels in (3, 4)


def fill_value(slide):
    """cuCIM's background: white for Aperio and Philips, black for the rest; in the slide's own samples."""
    white = slide.format == "aperio" or slide.format.startswith("philips")
    return int(np.iinfo(slide.dtype).max) if white and slide.dtype.kind == "u" else 0


def check_readable(slide, channel):
    """Refuses samples that cuCIM has no way to show. `channel` is what C= gave, or None."""
    if slide.dtype not in (np.uint8, np.uint16):
        raise UnsupportedImageError(f"samples of type {slide.dtype} have no 8-bit RGB form; {_HOW_TO_GO_ON}")
    has_channel_axis = slide.channels == 2 or slide.channels > 4
    if not has_channel_axis:
        if channel not in (None, 0):
            raise InvalidArgumentError(
                f"C={channel}: the {slide.channels} samples are one channel, so only C=0 exists"
            )
    elif channel is None:
        raise UnsupportedImageError(
            f"the file has {slide.channels} channels, which are no RGB: choose one with C=; {_HOW_TO_GO_ON}"
        )
    elif not 0 <= channel < slide.channels:
        raise InvalidArgumentError(f"C={channel}: the file has channels 0 to {slide.channels - 1}")


def to_promised(pixels, channel):
    """RGB or RGBA of 8 bits, shape (..., H, W, 3 or 4) uint8.

    `pixels` has shape (..., H, W, samples), uint8 or uint16, and has passed check_readable(). RGB and RGBA of
    8 bits come back as they are; others are copied.
    """
    samples = pixels.shape[-1]
    if samples == 2 or samples > 4:
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
