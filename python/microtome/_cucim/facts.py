"""What a CuImage says of itself, by cuCIM's names: each a copy, so that nobody changes another's."""

from .description import DIRECTION, TYPESTR, UINT8
from .values import Device, DLDataType


class Facts:
    """Read-only facts of an image. The class itself sets `_path` and `_device`, and has `_about`, a Description."""

    @property
    def path(self) -> str:
        """The path that was given."""
        return self._path

    @property
    def is_loaded(self) -> bool:
        """True: the file was understood."""
        return True

    @property
    def device(self) -> Device:
        """The Device on which the pixels are; "cpu" for a file."""
        return self._device

    @property
    def raw_metadata(self) -> str:
        """ImageDescription of level 0; "" for a region."""
        return self._about.raw_metadata

    @property
    def metadata(self) -> dict:
        """Sections "cucim", "tiff" and the vendor's, as a new dict."""
        return self._about.metadata()

    @property
    def ndim(self) -> int:
        """3, or 4 for a batch."""
        return len(self._about.dims)

    @property
    def dims(self) -> str:
        """ "YXC", or "NYXC" for a batch."""
        return self._about.dims

    @property
    def shape(self) -> list[int]:
        """[H, W, C] or [N, H, W, C]"""
        return list(self._about.shape)

    def size(self, dim_order: str = "") -> list[int]:
        """Lengths of the named axes, such as "XY"; of all in the order of `dims` by default."""
        return self._about.size(dim_order)

    @property
    def dtype(self) -> DLDataType:
        """A DLDataType: 8-bit unsigned."""
        return UINT8

    @property
    def typestr(self) -> str:
        """ "|u1" """
        return TYPESTR

    @property
    def channel_names(self) -> list[str]:
        """["R", "G", "B"], with "A" where there are four."""
        return self._about.channel_names

    def spacing(self, dim_order: str = "") -> list[float]:
        """Physical lengths of a pixel along the named axes.

        For regions of level 1 and up this is cuCIM's number, the base divided by the downsample;
        ``microtome.Slide.levels[n].mpp`` is the physical one.
        """
        return self._about.spacings(dim_order)

    def spacing_units(self, dim_order: str = "") -> list[str]:
        """Units of `spacing`."""
        return self._about.spacing_units(dim_order)

    @property
    def origin(self) -> list[float]:
        """[0.0, 0.0, 0.0]"""
        return [0.0, 0.0, 0.0]

    @property
    def direction(self) -> list[list[float]]:
        """The unit matrix, as lists."""
        return [list(row) for row in DIRECTION]

    @property
    def coord_sys(self) -> str:
        """ "LPS" """
        return "LPS"

    @property
    def resolutions(self) -> dict:
        """level_count, level_dimensions, level_downsamples and level_tile_sizes, as a new dict."""
        return self._about.resolutions()

    @property
    def associated_images(self) -> set[str]:
        """Names, as a set."""
        return set(self._about.associated)
