"""The section that cuCIM makes of a Philips TIFF's XML: its values, by their types."""

import xml.etree.ElementTree as ET

_SCANNED, _LEVELS = "PIM_DP_SCANNED_IMAGES", "PIIM_PIXEL_DATA_REPRESENTATION_SEQUENCE"


def section(description):
    """Values of the import and of its whole-slide image as a dict: str, int, float, or a list of str or float.

    `description` has been read by the core, which refuses document types, and with them every entity of XML's own.
    """
    root = ET.fromstring(description)
    scanned = next((each for each in root if each.get("Name") == _SCANNED), ())
    wholes = [each for each in _objects(scanned) if _text(each, "PIM_DP_IMAGE_TYPE") == "WSI"]
    return _values(root) | (_values(wholes[0]) if wholes else {})


def _objects(attribute):
    return [each for array in attribute for each in array if each.tag == "DataObject"]


def _text(data_object, name):
    return next((each.text or "" for each in data_object if each.get("Name") == name), "")


def _values(data_object):
    values = {}
    for attribute in data_object:
        name, text = attribute.get("Name"), attribute.text or ""
        if not name or name == _SCANNED:
            continue
        if name == _LEVELS:
            values[name] = [_values(each) for each in _objects(attribute)]
        elif not len(attribute):
            values[name] = _typed(text, attribute.get("PMSVR", ""))
    return values


def _typed(text, kind):
    """A value as its PMSVR says; as text where it is none of that kind."""
    try:
        if kind == "IDoubleArray":
            return [float(each.strip('"')) for each in text.split()]
        if kind == "IStringArray":
            return text.strip().strip('"').split('" "')
        if kind.startswith(("IUInt", "IInt")):
            return int(text)
        if kind == "IDouble":
            return float(text)
    except ValueError:
        pass
    return text
