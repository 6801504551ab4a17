"""Shape, spacing, resolutions and metadata, as cuCIM lays them out."""

from typing import NamedTuple

import numpy as np

from . import philips
from .values import DLDataType, DLDataTypeCode

UINT8 = DLDataType(DLDataTypeCode.DLUInt, 8, 1)
TYPESTR = "|u1"
DIRECTION = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


class Description(NamedTuple):
    """What an image says about itself. Spacings and units by the letters of `dims`."""

    path: str
    dims: str
    shape: tuple
    spacing: dict
    units: dict
    level_dimensions: tuple
    level_downsamples: tuple
    level_tile_sizes: tuple
    associated: tuple = ()
    raw_metadata: str = ""
    vendor: dict = {}  # "tiff", "aperio", "philips": whole sections of metadata; nobody writes to it

    @property
    def channel_names(self):
        return list("RGBA")[: self.shape[-1]]

    def size(self, dim_order):
        """Letters that are no axis are left out, as cuCIM does."""
        known = dict(zip(self.dims, self.shape, strict=True))
        return [known[letter] for letter in (dim_order or self.dims).upper() if letter in known]

    def spacings(self, dim_order):
        return [self.spacing.get(letter, 1.0) for letter in (dim_order or self.dims).upper()]

    def spacing_units(self, dim_order):
        return [self.units.get(letter, "") for letter in (dim_order or self.dims).upper()]

    def resolutions(self):
        return {
            "level_count": len(self.level_dimensions),
            "level_dimensions": self.level_dimensions,
            "level_downsamples": self.level_downsamples,
            "level_tile_sizes": self.level_tile_sizes,
        }

    def metadata(self):
        """A new dict at each call."""
        return {
            "cucim": {
                "path": self.path,
                "ndim": len(self.dims),
                "dims": self.dims,
                "shape": list(self.shape),
                "dtype": {"code": int(UINT8.code), "bits": UINT8.bits, "lanes": UINT8.lanes},
                "typestr": TYPESTR,
                "channel_names": self.channel_names,
                "spacing": self.spacings(""),
                "spacing_units": self.spacing_units(""),
                "origin": [0.0, 0.0, 0.0],
                "direction": [list(row) for row in DIRECTION],
                "coord_sys": "LPS",
                "resolutions": {
                    "level_count": len(self.level_dimensions),
                    "level_dimensions": [list(pair) for pair in self.level_dimensions],
                    "level_downsamples": list(self.level_downsamples),
                    "level_tile_sizes": [list(pair) for pair in self.level_tile_sizes],
                },
                "associated_images": sorted(self.associated),
            },
            **{section: dict(values) for section, values in self.vendor.items()},
        }


def describe_slide(slide, channels, path, raw_metadata):
    """The description of a file that is shown with 3 or 4 `channels`."""
    levels = slide.levels
    width, height = slide.size
    tiff = _tiff_section(slide.properties)
    spacing, unit = _spacing(slide, tiff)
    vendor = {"tiff": tiff}
    if slide.format == "aperio":
        vendor["aperio"] = _aperio_section(raw_metadata)
    if slide.format == "philips-tiff":
        vendor["philips"] = philips.section(raw_metadata)
    return Description(
        path=path,
        dims="YXC",
        shape=(height, width, channels),
        spacing={"Y": spacing[1], "X": spacing[0], "C": 1.0},
        units={"Y": unit, "X": unit, "C": "color"},
        level_dimensions=tuple(tuple(level.size) for level in levels),
        level_downsamples=tuple(_downsample(slide.size, level.size) for level in levels),
        level_tile_sizes=tuple(tuple(level.tile_size) for level in levels),
        associated=tuple(sorted(slide.associated)),
        raw_metadata=raw_metadata,
        vendor=vendor,
    )


def describe_region(image, level, shape):
    """The description of pixels read from level `level` of what `image` describes; `shape` as NumPy has it."""
    # cuCIM divides by the downsample where a physical spacing would be multiplied; existing code counts on it.
    # Slide.levels[level].mpp is right.
    downsample = image.level_downsamples[level]
    spacing = {
        letter: value if letter == "C" else _divide(value, downsample)
        for letter, value in image.spacing.items()
    }
    extent = (shape[-2], shape[-3])
    is_batch = len(shape) == 4
    return Description(
        path=image.path,
        dims="NYXC" if is_batch else "YXC",
        shape=tuple(shape),
        spacing=spacing | ({"N": 1.0} if is_batch else {}),
        units=image.units | ({"N": "batch"} if is_batch else {}),
        level_dimensions=(extent,),
        level_downsamples=(1.0,),
        level_tile_sizes=(extent,),
    )


def describe_associated(path, shape):
    """The description of an associated image, of which no physical size is known."""
    extent = (shape[1], shape[0])
    return Description(
        path=path,
        dims="YXC",
        shape=tuple(shape),
        spacing={"Y": 1.0, "X": 1.0, "C": 1.0},
        units={"Y": "micrometer", "X": "micrometer", "C": "color"},
        level_dimensions=(extent,),
        level_downsamples=(1.0,),
        level_tile_sizes=(extent,),
    )


def _float32(value):
    return float(np.float32(value))


def _divide(value, downsample):
    return value if downsample == 1 else float(np.float32(value) / np.float32(downsample))


def _downsample(size0, size):
    ratio_x, ratio_y = (np.float32(whole) / np.float32(part) for whole, part in zip(size0, size, strict=True))
    return float((ratio_x + ratio_y) / np.float32(2))


def _tiff_section(properties):
    has_resolution = "tiff.XResolution" in properties and "tiff.YResolution" in properties
    unit = properties.get("tiff.ResolutionUnit", "") if has_resolution else ""
    return {
        "model": properties.get("tiff.Model", ""),
        "software": properties.get("tiff.Software", ""),
        "resolution_unit": unit if unit in ("inch", "centimeter") else "",
        "x_resolution": _float32(properties["tiff.XResolution"] if has_resolution else 1),
        "y_resolution": _float32(properties["tiff.YResolution"] if has_resolution else 1),
    }


def _aperio_section(description):
    """The fields of an Aperio ImageDescription; the first of two with one name counts."""
    header, *fields = description.split("|")
    section = {"Header": header}
    for field in fields:
        pair = field.split(" = ")
        if len(pair) == 2:
            section.setdefault(pair[0].strip(), pair[1].strip())
    return section


def _spacing(slide, tiff):
    """((x, y), unit) of level 0: Aperio's MPP and Philips' pixel spacing first, then TIFF's resolution."""
    if slide.format in ("aperio", "philips-tiff") and slide.mpp is not None:
        return tuple(slide.mpp), "micrometer"
    resolution = np.float32(tiff["x_resolution"]), np.float32(tiff["y_resolution"])
    micrometres = {"inch": 25400, "centimeter": 10000}.get(tiff["resolution_unit"])
    if micrometres is None or not all(np.isfinite(value) and value > 0 for value in resolution):
        return tuple(float(value) for value in resolution), ""
    return tuple(float(np.float32(micrometres) / value) for value in resolution), "micrometer"
