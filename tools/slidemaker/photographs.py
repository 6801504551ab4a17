"""The photographs that slides carry beside their pyramid."""

import numpy as np


def label():
    """77 × 93: a white sticker with lines and bars."""
    pixels = np.full((93, 77, 3), 252, np.uint8)
    pixels[20:70:10, 10:60] = 30
    pixels[75:90, 10:67:4] = (20, 60, 160)
    return pixels


def macro(overview):
    """256 × 86: a slide with the tissue of `overview` on it."""
    pixels = np.full((86, 256, 3), (212, 214, 216), np.uint8)
    shown = overview[:66, :140]
    pixels[10 : 10 + shown.shape[0], 90 : 90 + shown.shape[1]] = shown
    return pixels
