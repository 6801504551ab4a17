"""Row A8: the same patches of the same slide by others that put pixels into a GPU's memory.

Each runs in a process of its own, with the Python that accept.sh --rivals makes, and prints gigapixels per second.
"""

from __future__ import annotations

import subprocess
import textwrap

import microtome as mt
from row import NotMeasurable, row
from rows_speed import made, walk

COMMON = """
import sys, time
path, side, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
places = [[int(x), int(y)] for x, y in (each.split(",") for each in sys.argv[4].split(";"))]
def rate(job):
    job()
    best = 0
    for _ in range(count):
        start = time.perf_counter()
        job()
        best = max(best, len(places) * side * side / (time.perf_counter() - start) / 1e9)
    print(best)
"""

RIVALS = {
    "cuCIM": """
        import cupy
        from cucim import CuImage
        image = CuImage(path)
        def job():
            for batch in image.read_region(places, (side, side), batch_size=64, device="cuda", num_workers=16):
                cupy.asarray(batch)
            cupy.cuda.Device().synchronize()
        rate(job)
    """,
    "nvImageCodec": """
        import cupy
        from nvidia import nvimgcodec
        decoder, stream = nvimgcodec.Decoder(), nvimgcodec.CodeStream(path)
        def job():
            for i in range(0, len(places), 64):
                regions = [nvimgcodec.Region(y, x, y + side, x + side) for x, y in places[i:i + 64]]
                decoder.decode([stream.get_sub_code_stream(region=region) for region in regions])
            cupy.cuda.Device().synchronize()
        rate(job)
    """,
    "torchvision": """
        import numpy, tifffile, torch, torchvision
        page = tifffile.TiffFile(path).pages[0]
        content = open(path, "rb").read()
        tiles = [torch.frombuffer(bytearray(content[o:o + n]), dtype=torch.uint8)
                 for o, n in zip(page.dataoffsets, page.databytecounts)][:len(places)]
        def job():
            for i in range(0, len(tiles), 64):
                torchvision.io.decode_jpeg(tiles[i:i + 64], device="cuda")
            torch.cuda.synchronize()
        rate(job)
    """,
}


@row("A8", "the others, on the same patches", "Microtome is no slower than any")
def a8(bench):
    found = {}
    with mt.open(made(bench)) as slide:
        side = slide.levels[0].tile_size[0]
        places = mt.grid(slide, (side, side))[: bench.of(4096, 8)]
        job, pixels, _ = walk(bench, slide, places, side, 64, device="cuda")
        ours = bench.rate(job, pixels)["best_gigapixels_per_s"]
        if bench.rivals is None:
            raise NotMeasurable("no rivals are installed: accept.sh --rivals")
        listed = ";".join(f"{x},{y}" for x, y in places.tolist())
        for name, code in RIVALS.items():
            command = [bench.rivals, "-c", COMMON + textwrap.dedent(code), slide.path, str(side), "7", listed]
            done = subprocess.run(command, capture_output=True, text=True, timeout=600)
            if done.returncode == 0:
                theirs = float(done.stdout.split()[-1])
                found[name] = {"gigapixels_per_s": theirs, "ours_to_theirs": ours / theirs}
            else:
                found[name] = {"not_measurable": done.stderr.strip().splitlines()[-1:]}
    ratios = [each["ours_to_theirs"] for each in found.values() if "ours_to_theirs" in each]
    if not ratios:
        raise NotMeasurable(f"no rival runs: {found}")
    return min(ratios) >= 1, found | {"ours": {"gigapixels_per_s": ours}}
