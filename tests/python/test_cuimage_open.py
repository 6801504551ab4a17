"""CuImage of a file: opening it, what it says about itself. Expected numbers are tifffile's or cuCIM's own."""

import os
from pathlib import Path

import microtome as mt
import numpy as np
import pytest
import tifffile
from microtome import CuImage
from microtome.clara.io import Device, DeviceType
from reference import reference_levels


@pytest.fixture
def aperio(made_slide):
    return CuImage(made_slide("aperio-jpeg-rgb"))


@pytest.fixture
def generic(made_slide):
    return CuImage(made_slide("generic-deflate"))


# Opening


def test_missing_file_is_what_both_expect(tmp_path):
    path = tmp_path / "none.svs"
    for expected in (FileNotFoundError, ValueError):
        with pytest.raises(expected, match=f"^Cannot open {path}!"):
            CuImage(str(path))


def test_directory(tmp_path):
    for expected in (IsADirectoryError, ValueError):
        with pytest.raises(expected, match="^Cannot open"):
            CuImage(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"II*\0", b"\0" * 5000], ids=["empty", "text", "header", "zeros"]
)
def test_what_is_no_slide(tmp_path, content):
    path = tmp_path / "text.svs"
    path.write_bytes(content)
    for expected in (ValueError, RuntimeError, mt.Error):
        with pytest.raises(expected, match=f"^Cannot load {path}!"):
            CuImage(str(path))


def test_a_cut_file_is_corrupt(tmp_path, made_slide):
    path = tmp_path / "cut.tif"
    path.write_bytes(Path(made_slide("generic-deflate")).read_bytes()[:1000])
    for expected in (mt.CorruptSlideError, RuntimeError, ValueError):
        with pytest.raises(expected), CuImage(path) as img:
            img.read_region()


@pytest.mark.parametrize("path", [None, 3, object()])
def test_what_is_no_path(path):
    with pytest.raises(TypeError, match="path: expected str or os.PathLike"):
        CuImage(path)


def test_paths_of_any_kind_and_any_extension(tmp_path, made_slide):
    source = Path(made_slide("generic-deflate"))
    other = tmp_path / "slide.TIF"
    other.write_bytes(source.read_bytes())
    assert CuImage(other).shape == CuImage(os.fsencode(other)).shape == CuImage(path=str(other)).shape
    assert CuImage(other).path == str(other)


def test_a_failed_open_leaves_no_descriptor(tmp_path):
    path = tmp_path / "text.svs"
    path.write_text("hello")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        with pytest.raises(ValueError):
            CuImage(path)
    assert len(os.listdir("/proc/self/fd")) == before


# Properties


def test_properties_have_cucims_types(generic):
    levels = reference_levels(generic.path)
    height, width = levels[0].shape[:2]
    assert generic.shape == [height, width, 3]
    assert generic.dims == "YXC" and generic.ndim == 3
    assert generic.is_loaded is True
    assert (generic.dtype.code.name, generic.dtype.bits, generic.dtype.lanes) == ("DLUInt", 8, 1)
    assert repr(generic.dtype) == "<cucim.clara.DLDataType code:DLUInt(1) bits:8 lanes:1>"
    assert generic.typestr == "|u1"
    assert generic.channel_names == ["R", "G", "B"]
    assert generic.origin == [0.0, 0.0, 0.0]
    assert generic.direction == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    assert generic.coord_sys == "LPS"
    assert generic.associated_images == set()
    assert generic.device == Device("cpu") and generic.device.type is DeviceType.CPU
    assert repr(generic) == f"<cucim.CuImage path:{generic.path}>"
    assert bool(generic) is True
    generic.anything = 3
    assert generic.anything == 3


def test_size_and_spacing_by_axes(generic):
    height, width, _ = generic.shape
    assert generic.size() == [height, width, 3]
    assert generic.size("XY") == generic.size("xy") == [width, height]
    assert generic.size("CYX") == [3, height, width]
    assert generic.size("XYZT") == [width, height]  # unknown axes are left out
    spacing = float(np.float32(10000) / np.float32(20040))
    assert generic.spacing() == [spacing, spacing, 1.0]
    assert generic.spacing("XC") == [spacing, 1.0]
    assert generic.spacing("XZ") == [spacing, 1.0]  # … and 1.0 here
    assert generic.spacing_units() == ["micrometer", "micrometer", "color"]
    assert generic.spacing_units("CZ") == ["color", ""]


def test_resolutions(generic):
    levels = reference_levels(generic.path)
    height, width = levels[0].shape[:2]
    found = generic.resolutions
    assert found["level_count"] == len(levels) == 3
    assert found["level_dimensions"] == tuple((level.shape[1], level.shape[0]) for level in levels)
    assert found["level_tile_sizes"] == ((128, 128),) * 3
    assert found["level_downsamples"] == pytest.approx(
        [(width / level.shape[1] + height / level.shape[0]) / 2 for level in levels]
    )
    assert all(np.float32(value) == value for value in found["level_downsamples"])
    found["level_count"] = 7
    assert generic.resolutions["level_count"] == 3


def test_metadata_layout(aperio):
    found = aperio.metadata
    assert set(found) == {"cucim", "tiff", "aperio"}
    cucim = found["cucim"]
    assert set(cucim) == {
        *("path", "ndim", "dims", "shape", "dtype", "typestr", "channel_names", "spacing", "spacing_units"),
        *("origin", "direction", "coord_sys", "resolutions", "associated_images"),
    }
    assert cucim["path"] == aperio.path
    assert cucim["dtype"] == {"code": 1, "bits": 8, "lanes": 1}
    assert cucim["associated_images"] == ["label", "macro", "thumbnail"]
    resolutions = cucim["resolutions"]
    assert resolutions["level_dimensions"] == [list(size) for size in aperio.resolutions["level_dimensions"]]
    assert resolutions["level_downsamples"] == list(aperio.resolutions["level_downsamples"])
    assert cucim["spacing"] == [0.499, 0.499, 1.0]  # Aperio's MPP; cuCIM has 1.0 and no unit
    assert cucim["spacing_units"] == ["micrometer", "micrometer", "color"]
    assert set(found["tiff"]) == {"model", "software", "resolution_unit", "x_resolution", "y_resolution"}
    assert found["aperio"]["AppMag"] == "20" and found["aperio"]["MPP"] == "0.4990"
    with tifffile.TiffFile(aperio.path) as file:
        description = file.pages[0].description
    assert aperio.raw_metadata == description
    assert found["aperio"]["Header"] == description.split("|")[0]
    cucim["shape"].clear()
    assert aperio.metadata["cucim"]["shape"] == aperio.shape


def test_tiff_metadata(generic):
    assert generic.metadata["tiff"] == {
        "model": "",
        "software": "",
        "resolution_unit": "centimeter",
        "x_resolution": 20040.0,
        "y_resolution": 20040.0,
    }
    assert "aperio" not in generic.metadata


def test_spacing_without_resolution(tmp_path):
    path = tmp_path / "plain.tif"
    tifffile.imwrite(path, np.zeros((64, 64, 3), np.uint8), tile=(32, 32), metadata=None, resolutionunit=1)
    assert CuImage(path).spacing_units() == ["", "", "color"]
    assert CuImage(path).metadata["tiff"]["resolution_unit"] == ""
    tifffile.imwrite(
        path, np.zeros((64, 64, 3), np.uint8), tile=(32, 32), resolution=(3, 5), resolutionunit=1
    )
    assert CuImage(path).spacing("XY") == [3.0, 5.0]  # the raw resolution, as in cuCIM
    tifffile.imwrite(
        path, np.zeros((64, 64, 3), np.uint8), tile=(32, 32), resolution=(254, 508), resolutionunit=2
    )
    assert CuImage(path).spacing("XY") == [100.0, 50.0]


@pytest.mark.parametrize("name", ["generic-jpeg-grey", "generic-rgba", "generic-uint16"])
def test_everything_but_rgb_is_promised_as_rgba(made_slide, name):
    img = CuImage(made_slide(name))
    assert img.shape[2] == 4
    assert img.channel_names == ["R", "G", "B", "A"]
    assert img.typestr == "|u1"


# Associated images


def test_associated_images(aperio):
    assert aperio.associated_images == {"label", "macro", "thumbnail"}
    label = aperio.associated_image("label")
    with tifffile.TiffFile(aperio.path) as file:
        expected = next(page.asarray() for page in file.pages if "label 77x93" in page.description)
    assert np.array_equal(np.asarray(label), expected)
    assert label.dims == "YXC" and label.path == aperio.path and label.associated_images == set()
    assert label.resolutions == {
        "level_count": 1,
        "level_dimensions": ((77, 93),),
        "level_downsamples": (1.0,),
        "level_tile_sizes": ((77, 93),),
    }
    assert label.spacing_units() == ["micrometer", "micrometer", "color"]
    assert np.array_equal(np.asarray(label.read_region((3, 4), (5, 6))), expected[4:10, 3:8])


def test_unknown_associated_image(aperio, generic):
    for name in ("", "Label"):
        with pytest.raises(ValueError, match="no associated image .* the file has: label, macro, thumbnail"):
            aperio.associated_image(name)
    with pytest.raises(ValueError, match="none"):
        generic.associated_image("label")


def test_associated_image_on_a_gpu_that_is_not_there(aperio):
    for expected in (RuntimeError, mt.DeviceUnavailableError):
        with pytest.raises(expected):
            aperio.associated_image("label", device="cuda")
    assert np.asarray(aperio.associated_image("label", device="cpu")).any()


# Life


def test_closed(aperio):
    region = aperio.read_region((0, 0), (20, 10))
    batches = aperio.read_region([0, 0, 5, 5], (20, 10), num_workers=1)
    aperio.close()
    aperio.close()
    for expected in (ValueError, RuntimeError):
        with pytest.raises(expected, match="The image file is closed!"):
            aperio.read_region((0, 0), (20, 10))
        with pytest.raises(expected, match="The image file is closed!"):
            aperio.associated_image("label")
    assert not aperio
    # What is known stays.
    assert aperio.path in repr(aperio)
    assert aperio.metadata["cucim"]["shape"] == aperio.shape
    # What came from it lives on.
    assert np.array_equal(np.asarray(region), np.asarray(next(batches)))
    region.close()
    assert np.asarray(region.read_region((0, 0), (3, 3))).shape == (3, 3, 3)


def test_context_manager(made_slide):
    with CuImage(made_slide("generic-none")) as img:
        assert img.read_region((0, 0), (4, 4)).shape == [4, 4, 3]
    with pytest.raises(RuntimeError, match="closed"):
        img.read_region((0, 0), (4, 4))


def test_closing_closes_the_file(made_slide):
    before = len(os.listdir("/proc/self/fd"))
    img = CuImage(made_slide("generic-none"))
    assert len(os.listdir("/proc/self/fd")) > before
    img.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_file_has_no_pixels_yet(generic):
    assert not hasattr(generic, "__array_interface__")
    assert not hasattr(generic, "locations")
    for expected in (IndexError, ValueError):
        with pytest.raises(expected, match="Batch index out of range!"):
            iter(generic)
    with pytest.raises(ValueError, match="DLPack needs pixels"):
        generic.__dlpack__()


def test_profiler(generic):
    assert CuImage.is_trace_enabled is False and generic.is_trace_enabled is False
    try:
        assert CuImage.profiler(trace=True).config == {"trace": True}
        assert CuImage.is_trace_enabled is True
        assert CuImage.profiler().trace() is True
        assert CuImage.profiler().trace(False) is False
    finally:
        CuImage.profiler(trace=False)
    for expected in (TypeError, ValueError):
        with pytest.raises(expected, match="no argument 'tracer'"):
            CuImage.profiler(tracer=True)
    with pytest.raises(TypeError, match="expected True or False, found 'yes'"):
        CuImage.profiler(trace="yes")
