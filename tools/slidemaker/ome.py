"""What makes directories an OME-TIFF: the XML that says which of them is which plane."""

from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

SCHEMA = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
UUID = "urn:uuid:00000000-0000-4000-8000-000000000001"


@dataclass
class Image:
    """One Image of the XML, and its directories: `planes` by t, then z, then channel."""

    name: str
    planes: list
    channels: list  # (name, (red, green, blue)) or None of each
    size_z: int = 1
    size_t: int = 1
    micrometres: float | None = None
    samples: int = 1  # of each channel


def element(name, attributes, inside=""):
    written = "".join(f" {key}={quoteattr(str(value))}" for key, value in attributes.items())
    return f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>"


def color(rgb):
    """Red, green, blue and an alpha of 255 as the signed number that the schema wants."""
    value = int.from_bytes(bytes([*rgb, 255]), "big")
    return value - (1 << 32) if value >= 1 << 31 else value


def image_xml(number, image, first_directory):
    tags = image.planes[0].tags
    bits = tags[258][0] if isinstance(tags[258], list) else tags[258]
    inside = []
    for index, channel in enumerate(image.channels):
        attributes = {"ID": f"Channel:{number}:{index}", "SamplesPerPixel": image.samples}
        if channel:
            attributes |= {"Name": channel[0], "Color": color(channel[1])}
        inside.append(element("Channel", attributes))
    for plane in range(len(image.planes)):
        rest, c = divmod(plane, len(image.channels))
        t, z = divmod(rest, image.size_z)
        place = {"FirstC": c, "FirstT": t, "FirstZ": z, "IFD": first_directory + plane, "PlaneCount": 1}
        inside.append(element("TiffData", place, element("UUID", {"FileName": "made.ome.tif"}, UUID)))
    sizes = {"SizeX": tags[256], "SizeY": tags[257], "SizeZ": image.size_z, "SizeT": image.size_t}
    physical = {}
    if image.micrometres:
        nanometres = f"{image.micrometres * 1000:g}"
        physical = {"PhysicalSizeX": nanometres, "PhysicalSizeXUnit": "nm"}
        physical |= {"PhysicalSizeY": image.micrometres, "PhysicalSizeYUnit": "µm"}
    pixels = {"ID": f"Pixels:{number}", "DimensionOrder": "XYCZT", "Type": f"uint{bits}"}
    pixels |= sizes | {"SizeC": len(image.channels) * image.samples} | physical
    settings = element("ObjectiveSettings", {"ID": "Objective:0"})
    about = {"ID": f"Image:{number}", "Name": image.name}
    return element("Image", about, settings + element("Pixels", pixels, "".join(inside)))


def ome(images):
    """The directories of all images, with the XML in the first."""
    directories = [plane for image in images for plane in image.planes]
    objective = element("Objective", {"ID": "Objective:0", "NominalMagnification": "20.0"})
    parts = [element("Instrument", {"ID": "Instrument:0"}, objective)]
    first = 0
    for number, image in enumerate(images):
        parts.append(image_xml(number, image, first))
        first += len(image.planes)
    root = {"xmlns": SCHEMA, "UUID": UUID, "Creator": "made"}
    directories[0].tags[270] = '<?xml version="1.0" encoding="UTF-8"?>' + element("OME", root, "".join(parts))
    return directories
