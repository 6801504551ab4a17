"""How slides and batches show themselves in a notebook.

Nothing here may take long or fail: a cell that ends in a slide is to show it, not to decode a gigapixel or to raise.
"""

from __future__ import annotations

import base64
import html
import io

from ._lazy import np

THUMBNAIL = 256
MOST_PIXELS = 1 << 25  # of the level that a thumbnail is made from: well under a second, whatever its coding
SHEET_COLUMNS, SHEET_PATCHES, SHEET_SIDE, SHEET_GAP = 8, 32, 96, 3
RED = (218, 54, 51)
CELL = "text-align:left;padding:1px 12px 1px 0"


def of_slide(slide) -> str:
    """A thumbnail beside the slide's sizes, resolution and levels."""
    w, h = slide.size
    rows = [("format", slide.format), ("size", f"{w} × {h}, {slide.channels} × {slide.dtype}")]
    if slide.mpp is not None:
        rows.append(("µm per pixel", "{:.4g} × {:.4g}".format(*slide.mpp)))
    if slide.objective_power is not None:
        rows.append(("objective", f"{slide.objective_power:g}×"))
    for level, codec in zip(slide.levels, slide.codecs, strict=True):
        tiles = "{}×{}".format(*level.tile_size)
        rows.append((f"level {level.index}", f"{level.size[0]} × {level.size[1]}, tiles of {tiles}, {codec}"))
    if len(slide.associated):
        rows.append(("associated", ", ".join(slide.associated)))
    name = html.escape(slide.name) + (" (closed)" if slide.closed else "")
    return (
        f'<div style="display:flex;gap:16px;align-items:flex-start">{_thumbnail(slide)}'
        f"<div><b>{name}</b>{_table(rows)}</div></div>"
    )


def of_batch(batch) -> str:
    """A contact sheet of the batch's first patches, those with broken tiles framed in red."""
    n, h, w, channels = batch.pixels.shape
    text = f"Batch {batch.number}: {n} patches of {w} × {h}, {channels} × {batch.pixels.dtype}"
    if n > SHEET_PATCHES:
        text += f", the first {SHEET_PATCHES} shown"
    if batch.errors:
        text += f"; {len({row for row, _ in batch.errors})} with broken tiles"
    return f"<div>{_picture(_sheet(batch))}<div>{text}</div></div>" if n else f"<div>{text}</div>"


def _thumbnail(slide):
    if slide.closed:
        return ""
    try:
        pixels = _small(slide)
    except Exception as error:  # a broken tile: the facts are still worth showing
        return _box(str(error))
    return _box("no level is small enough to show at once") if pixels is None else _picture(as_rgb(pixels))


def _small(slide):
    """The slide's thumbnail, or the vendor's where making one would take long, or None."""
    scale = max(slide.size) / THUMBNAIL
    enough = [level for level in slide.levels if max(level.size) * scale >= max(slide.size)]
    level = enough[-1] if enough else slide.levels[0]
    if level.size[0] * level.size[1] <= MOST_PIXELS:
        return slide.thumbnail(THUMBNAIL)
    return slide.associated.get("thumbnail")


def as_rgb(pixels):
    """Any samples as (h, w, 3) uint8: the first three channels, or the first one as grey, scaled if not 8 bits."""
    colours = pixels[..., :3] if pixels.shape[-1] in (3, 4) else pixels[..., :1]
    if colours.dtype == np.uint16:
        colours = (colours >> 8).astype(np.uint8)
    elif colours.dtype != np.uint8:
        values = np.nan_to_num(colours.astype(np.float64))
        low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
        colours = ((values - low) * (255 / (high - low) if high > low else 0)).astype(np.uint8)
    return np.broadcast_to(colours, (*colours.shape[:-1], 3))


def _sheet(batch):
    pixels = batch.pixels if isinstance(batch.pixels, np.ndarray) else batch.pixels.to_host()
    patches = pixels[:SHEET_PATCHES]
    n, h, w, _ = patches.shape
    step = max(1, -(-max(h, w) // SHEET_SIDE))
    small = as_rgb(patches[:, ::step, ::step])
    cell_h, cell_w = small.shape[1] + 2 * SHEET_GAP, small.shape[2] + 2 * SHEET_GAP
    columns = min(SHEET_COLUMNS, n)
    rows = -(-n // columns)
    sheet = np.full((rows * cell_h, columns * cell_w, 3), 255, np.uint8)
    broken = {row for row, _ in batch.errors}
    for index, patch in enumerate(small):
        y, x = index // columns * cell_h, index % columns * cell_w
        if index in broken:
            sheet[y : y + cell_h, x : x + cell_w] = RED
        sheet[y + SHEET_GAP : y + cell_h - SHEET_GAP, x + SHEET_GAP : x + cell_w - SHEET_GAP] = patch
    return sheet


def _picture(pixels):
    """An <img> of an (h, w, 3) uint8 array, with its pixels in it."""
    try:
        from PIL import Image
    except ImportError:
        return _box("pip install pillow shows a picture here")
    content = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(content, "png")
    data = base64.b64encode(content.getvalue()).decode()
    return f'<img alt="" width="{pixels.shape[1]}" height="{pixels.shape[0]}" src="data:image/png;base64,{data}">'


def _box(text):
    style = f"width:{THUMBNAIL}px;padding:8px;border:1px solid #8888;font-size:85%;overflow-wrap:anywhere"
    return f'<div style="{style}">{html.escape(text)}</div>'


def _table(rows):
    lines = "".join(
        f'<tr><td style="{CELL};opacity:0.6">{html.escape(name)}</td><td style="{CELL}">{html.escape(value)}</td></tr>'
        for name, value in rows
    )
    return f'<table style="border:none;margin:4px 0">{lines}</table>'
