"""The mapping of a slide's associated images."""

from collections.abc import Mapping


class AssociatedImages(Mapping):
    """Read-only mapping: name → (H, W, C) array, decoded on access."""

    __slots__ = ("_images", "_slide")

    def __init__(self, slide, images):
        self._slide = slide
        self._images = images

    def __getitem__(self, name):
        if name not in self._images:
            names = ", ".join(map(repr, self._images)) or "none"
            raise KeyError(f"no associated image {name!r}; this slide has: {names}")
        return self._slide._read_whole(self._images[name]["image"], self._images[name])

    def __contains__(self, name):
        return name in self._images

    def __iter__(self):
        return iter(self._images)

    def __len__(self):
        return len(self._images)

    def __repr__(self):
        shapes = (
            f"{name!r}: {image['size'][1]}×{image['size'][0]}×{image['channels']}"
            for name, image in self._images.items()
        )
        return f"<associated images {{{', '.join(shapes)}}}>"
