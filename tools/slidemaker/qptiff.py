"""What makes a TIFF pyramid a QPTIFF: a description of every directory, one directory for each band, photographs."""

from xml.sax.saxutils import escape

from . import encoders as enc
from .pyramid import Coding, strips

LZW = Coding(enc.LZW)


def description(image_type, **texts):
    """The XML of one directory; it claims UTF-16, as scanners' software does."""
    texts = {"DescriptionVersion": 2, "AcquisitionSoftware": "made 1.0", "ImageType": image_type} | texts
    lines = [f"  <{name}>{escape(str(text))}</{name}>" for name, text in texts.items() if name != "profile"]
    return "\r\n".join(
        [
            '<?xml version="1.0" encoding="utf-16"?>',
            "<PerkinElmer-QPI-ImageDescription>",
            *lines,
            *([texts["profile"]] if "profile" in texts else []),
            "</PerkinElmer-QPI-ImageDescription>",
        ]
    )


PROFILE = (
    '  <ScanProfile>\r\n    <root s_v="1">\r\n      <Name>made</Name>\r\n      <ScanResolution>\r\n'
    "        <PixelSizeMicrons>0.5</PixelSizeMicrons>\r\n        <Magnification>20</Magnification>\r\n"
    "      </ScanResolution>\r\n    </root>\r\n  </ScanProfile>"
)


def resolution(micrometres):
    """Pixels per centimetre; the numerator is the largest that TIFF has, as in scanners' files."""
    whole = 0xFFFFFFFF
    value = (whole, round(whole * micrometres / 10000))
    return {282: value, 283: value, 296: 3}


def qptiff(levels, thumbnail, macro, label, bands=()):
    """Directories in file order: the bands of level 0, the thumbnail, those of the other levels, overview, label.

    `levels`  for each level its directories, one for each band, or one of RGB.
    `bands`   (name, "red,green,blue") of each, for fluorescence.
    """
    for number, level in enumerate(levels):
        kind = "ReducedResolution" if number else "FullResolution"
        for index, directory in enumerate(level):
            texts = dict(zip(("Name", "Color"), bands[index], strict=True)) if bands else {}
            if number == index == 0:
                texts |= {"SlideID": "made & <seeded>", "Objective": "10x", "profile": PROFILE}
            directory.tags |= {254: int(number > 0), 270: description(kind, **texts), 305: "PerkinElmer-QPI"}
            directory.tags |= resolution(0.5 * 2**number)
    photographs = [
        strips(pixels, 16, LZW, {254: 0, 270: description(kind), 305: "PerkinElmer-QPI"})
        for pixels, kind in ((thumbnail, "Thumbnail"), (macro, "Overview"), (label, "Label"))
    ]
    first, *others = levels
    return [*first, photographs[0], *(directory for level in others for directory in level), *photographs[1:]]
