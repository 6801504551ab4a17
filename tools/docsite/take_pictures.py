"""Takes the documentation's pictures of the sample slide: docs/assets/sample.jpg, and notebook.png with Chromium.

    python tools/docsite/take_pictures.py docs/assets

For whoever changes what a slide shows in a notebook; the pictures are checked in.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import microtome as mt
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import make_slides

PAGE = "<meta charset='utf-8'><body style='margin: 12px; font: 13px system-ui, sans-serif'>"


def main(folder):
    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "sample.svs"
        make_slides.make("sample", path)
        with mt.open(path) as slide:
            Image.fromarray(slide.thumbnail(600)).save(folder / "sample.jpg", quality=80)
            shown = slide._repr_html_().replace(f"{work}/", "")
        if chromium := shutil.which("chromium"):
            page = Path(work) / "page.html"
            page.write_text(PAGE + shown, encoding="utf-8")
            picture = f"--screenshot={(folder / 'notebook.png').resolve()}"
            subprocess.run(
                [
                    chromium,
                    "--headless",
                    "--no-sandbox",
                    "--hide-scrollbars",
                    "--window-size=760,250",
                    picture,
                    page.as_uri(),
                ],
                check=True,
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
