"""What makes a TIFF pyramid a Philips slide: its XML, sizes that count whole tiles, label and macro."""

import base64
from xml.sax.saxutils import escape

from . import encoders as enc
from .pyramid import Coding, strips

# DICOM tag and Philips' type of each attribute.
ATTRIBUTES = {
    "DICOM_MANUFACTURER": ("0x0008", "0x0070", "IString"),
    "DICOM_SOFTWARE_VERSIONS": ("0x0018", "0x1020", "IStringArray"),
    "DICOM_BITS_ALLOCATED": ("0x0028", "0x0100", "IUInt16"),
    "DICOM_PHOTOMETRIC_INTERPRETATION": ("0x0028", "0x0004", "IString"),
    "DICOM_PIXEL_SPACING": ("0x0028", "0x0030", "IDoubleArray"),
    "PIM_DP_SCANNED_IMAGES": ("0x301D", "0x1003", "IDataObjectArray"),
    "PIM_DP_IMAGE_TYPE": ("0x301D", "0x1004", "IString"),
    "PIM_DP_IMAGE_DATA": ("0x301D", "0x1005", "IString"),
    "PIM_DP_IMAGE_ROWS": ("0x301D", "0x1006", "IUInt32"),
    "PIM_DP_IMAGE_COLUMNS": ("0x301D", "0x1007", "IUInt32"),
    "PIM_DP_UFS_BARCODE": ("0x301D", "0x1002", "IString"),
    "PIIM_PIXEL_DATA_REPRESENTATION_SEQUENCE": ("0x1001", "0x8B01", "IDataObjectArray"),
    "PIIM_PIXEL_DATA_REPRESENTATION_NUMBER": ("0x1001", "0x8B02", "IUInt16"),
    "PIIM_PIXEL_DATA_REPRESENTATION_COLUMNS": ("0x2001", "0x115E", "IUInt32"),
    "PIIM_PIXEL_DATA_REPRESENTATION_ROWS": ("0x2001", "0x115D", "IUInt32"),
}


def quoted(*values):
    """Philips' arrays: each value between quotation marks."""
    return " ".join(f'"{value}"' for value in values)


def spacing(mpp_x, mpp_y):
    """DICOM_PIXEL_SPACING: between rows first, in millimetres, of six digits."""
    return quoted(f"{mpp_y / 1000:.6g}", f"{mpp_x / 1000:.6g}")


def data_object(kind, attributes, indent):
    """A DataObject; a value that is a list holds data objects itself."""
    tabs = "\t" * indent
    lines = [f'{tabs}<DataObject ObjectType="{kind}">']
    for name, value in attributes.items():
        group, element, type_name = ATTRIBUTES[name]
        head = f'{tabs}\t<Attribute Name="{name}" Group="{group}" Element="{element}" PMSVR="{type_name}">'
        if isinstance(value, list):
            inner = "\n".join(data_object(kind, each, indent + 3) for kind, each in value)
            lines.append(f"{head}\n{tabs}\t\t<Array>\n{inner}\n{tabs}\t\t</Array>\n{tabs}\t</Attribute>")
        else:
            lines.append(f"{head}{escape(str(value), {chr(34): '&quot;'})}</Attribute>")
    return "\n".join([*lines, f"{tabs}</DataObject>"])


def representations(levels, mpp):
    """One PixelDataRepresentation for each level, with the sizes that its directory has."""
    for number, level in enumerate(levels):
        yield (
            "PixelDataRepresentation",
            {
                "DICOM_PIXEL_SPACING": spacing(*(each * 2**number for each in mpp)),
                "PIIM_PIXEL_DATA_REPRESENTATION_COLUMNS": level.tags[256],
                "PIIM_PIXEL_DATA_REPRESENTATION_NUMBER": number,
                "PIIM_PIXEL_DATA_REPRESENTATION_ROWS": level.tags[257],
            },
        )


def photograph(kind, pixels):
    """A label or macro within the XML."""
    stream = enc.jpeg(pixels, 80, "422")
    return (
        "DPScannedImage",
        {"PIM_DP_IMAGE_TYPE": kind, "PIM_DP_IMAGE_DATA": base64.b64encode(stream).decode()},
    )


def philips(levels, label, macro, *, mpp=(0.25, 0.252), in_directories=False):
    """Directories in file order: the levels, each half the one before, then macro and label if they have directories.

    `levels`          tiled directories of halved sizes; they get descriptions and padded sizes here.
    `in_directories`  macro and label have directories of their own beside those in the XML.
    """
    for number, level in enumerate(levels):
        for size, tile in ((256, 322), (257, 323)):
            level.tags[size] += -level.tags[size] % level.tags[tile]
        level.tags |= {254: int(number > 0), 305: "Philips DP v1.0"}
        if number:
            level.tags[270] = f"level={number} mag={40 / 2**number} quality=80"
    whole = {
        "PIM_DP_IMAGE_TYPE": "WSI",
        "DICOM_BITS_ALLOCATED": 8,
        "DICOM_PHOTOMETRIC_INTERPRETATION": "RGB",
        "DICOM_PIXEL_SPACING": spacing(*mpp),
        "PIIM_PIXEL_DATA_REPRESENTATION_SEQUENCE": list(representations(levels, mpp)),
        "PIM_DP_IMAGE_COLUMNS": levels[0].tags[256],
        "PIM_DP_IMAGE_ROWS": levels[0].tags[257],
    }
    scanned = [
        ("DPScannedImage", whole),
        photograph("LABELIMAGE", label),
        photograph("MACROIMAGE", macro),
    ]
    root = {
        "DICOM_MANUFACTURER": "Möller & Söhne",
        "PIM_DP_SCANNED_IMAGES": scanned,
        "PIM_DP_UFS_BARCODE": "bWFkZQ==",
        "DICOM_SOFTWARE_VERSIONS": quoted("1.6", "2.0"),
    }
    text = '<?xml version="1.0" encoding="UTF-8" ?>\n' + data_object("DPUfsImport", root, 0) + "\n"
    levels[0].tags[270] = text
    if not in_directories:
        return levels
    jpeg = Coding(enc.JPEG, 80, "420")
    return [
        *levels,
        strips(macro[::-1].copy(), 16, jpeg, {254: 0, 270: "Macro"}),
        strips(label[::-1].copy(), 16, jpeg, {254: 0, 270: "Label"}),
    ]
