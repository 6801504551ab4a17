"""A small TIFF writer: places ready-made tiles and strips, byte for byte, into classic or BigTIFF files.

It exists because test slides need what no library writes: Aperio's compressions, abbreviated JPEG streams beside
their shared tables, absent tiles, any byte order. It encodes nothing and checks nothing.
"""

import struct
from dataclasses import dataclass, field

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, IFD, LONG8, IFD8 = 1, 2, 3, 4, 5, 7, 13, 16, 18
STRUCT = {
    BYTE: "B",
    ASCII: "s",
    SHORT: "H",
    LONG: "I",
    RATIONAL: "II",
    UNDEFINED: "s",
    IFD: "I",
    LONG8: "Q",
    IFD8: "Q",
}
SIZE = {BYTE: 1, ASCII: 1, SHORT: 2, LONG: 4, RATIONAL: 8, UNDEFINED: 1, IFD: 4, LONG8: 8, IFD8: 8}

# Tags that hold 32-bit values; every other whole number is written as SHORT where it fits.
ALWAYS_LONG = {254, 256, 257, 278, 322, 323}


@dataclass
class Directory:
    """One image: its tags {code: value}, its tiles or strips in file order (None: absent), its SubIFDs.

    A value is an int, a list of ints, a str (ASCII, in UTF-8), bytes (UNDEFINED), or a tuple of numerators and
    denominators in turn (RATIONAL).
    `repeated`: equal segments stand in the file once.
    """

    tags: dict
    segments: list
    tiled: bool = True
    children: list = field(default_factory=list)
    repeated: bool = False


class Writer:
    def __init__(self, big, order):
        self.big, self.order = big, order
        self.mark = "<" if order == "little" else ">"
        version = (
            struct.pack(self.mark + "HHHQ", 43, 8, 0, 0) if big else struct.pack(self.mark + "HI", 42, 0)
        )
        self.data = bytearray((b"II" if order == "little" else b"MM") + version)
        self.offset_type = LONG8 if big else LONG
        self.link = len(self.data) - (8 if big else 4)  # where the next directory's offset goes

    def pack(self, kind, values):
        if kind in (ASCII, UNDEFINED):
            return bytes(values)
        return struct.pack(
            self.mark + STRUCT[kind] * (len(values) // (2 if kind == RATIONAL else 1)), *values
        )

    def append(self, data):
        """Places `data` at an even offset and returns the offset."""
        if len(self.data) % 2:
            self.data += b"\0"
        self.data += data
        return len(self.data) - len(data)

    def typed(self, code, value):
        if isinstance(value, str):
            return ASCII, value.encode() + b"\0"
        if isinstance(value, bytes):
            return UNDEFINED, value
        if isinstance(value, tuple):
            return RATIONAL, list(value)
        values = value if isinstance(value, list) else [value]
        if code in (324, 325, 273, 279):
            return self.offset_type, values
        if code == 330:
            return (IFD8 if self.big else IFD), values
        return (SHORT if max(values) < 65536 and code not in ALWAYS_LONG else LONG), values

    def patch(self, at, offset):
        size, code = (8, "Q") if self.big else (4, "I")
        self.data[at : at + size] = struct.pack(self.mark + code, offset)

    def directory(self, image, link):
        """Writes `image`, stores its offset at `link`, and returns where its own next-offset stands."""
        distinct = dict.fromkeys(image.segments) if image.repeated else image.segments
        offsets = [self.append(segment) if segment else 0 for segment in distinct]
        if image.repeated:
            placed = dict(zip(distinct, offsets, strict=True))
            offsets = [placed[segment] for segment in image.segments]
        counts = [len(segment) if segment else 0 for segment in image.segments]
        tags = dict(image.tags)
        tags |= dict(zip((324, 325) if image.tiled else (273, 279), (offsets, counts), strict=True))
        if image.children:
            tags[330] = [0] * len(image.children)
        inline = 8 if self.big else 4
        entries, child_links = [], None
        for code, value in sorted(tags.items()):
            kind, values = self.typed(code, value)
            packed = self.pack(kind, values)
            count = len(packed) // SIZE[kind]
            at = None if len(packed) <= inline else self.append(packed)
            if code == 330:
                child_links = at
            field_bytes = packed.ljust(inline, b"\0") if at is None else self.pack(self.offset_type, [at])
            head = struct.pack(self.mark + ("HHQ" if self.big else "HHI"), code, kind, count)
            entries.append((code, head + field_bytes))
        start = self.append(struct.pack(self.mark + ("Q" if self.big else "H"), len(entries)))
        self.patch(link, start)
        for code, entry in entries:
            self.data += entry
            if code == 330 and child_links is None:
                child_links = len(self.data) - inline
        next_link = len(self.data)
        self.data += bytes(inline)
        for index, child in enumerate(image.children):
            self.directory(child, child_links + index * inline)
        return next_link


def tiff_bytes(directories, *, big=False, order="little"):
    """A file with the directories as one chain, each with its segments and SubIFDs before and after it."""
    writer = Writer(big, order)
    link = writer.link
    for image in directories:
        link = writer.directory(image, link)
    return bytes(writer.data)


def write_tiff(path, directories, *, big=False, order="little"):
    """Writes tiff_bytes()."""
    with open(path, "wb") as file:
        file.write(tiff_bytes(directories, big=big, order=order))
