"""What an installed wheel must do, run by its own Python in a folder with nothing else in it:

    python smoke.py FOLDER [NAME ...]

FOLDER has slides, and beside each a .npy of level 0's pixels as another reader gives them. NAMES begin the names of
libraries that must be the wheel's own; none: the copy is linked with the system's. Standard library, and what the
wheel depends on.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np


def command(*words, status=0):
    """What the wheel's own command printed; ends the program where its status is another."""
    program = Path(sys.executable).with_name("microtome")
    done = subprocess.run([program, *map(str, words)], capture_output=True, text=True)
    if done.returncode != status:
        sys.exit(
            f"microtome {words[0]} ended with {done.returncode}, expected {status}:\n{done.stdout}{done.stderr}"
        )
    return done.stdout


def check_commands(slide, pixels):
    h, w = pixels.shape[:2]
    info = json.loads(command("info", slide, "--json"))
    assert tuple(info["levels"][0]["size"]) == (w, h), info["levels"]
    command("read", slide, "level.npy", "--level", 0)
    np.testing.assert_array_equal(np.load("level.npy"), pixels)
    command("patches", slide, "patches", "--size", 64, "--edge", "drop")
    made = list(Path("patches").rglob("*.png"))
    assert len(made) == (w // 64) * (h // 64), len(made)
    command("verify", slide)
    broken = Path("broken.tif")
    content = bytearray(slide.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    broken.write_bytes(content)
    command("verify", broken, status=4)


def check_codecs(folder, mt):
    for slide in sorted(folder.glob("*.tif")):
        with mt.open(slide) as opened:
            np.testing.assert_array_equal(
                opened.read_level(0), np.load(slide.with_suffix(".npy")), slide.name
            )
            print(f"    {slide.stem}: {mt.info()['codecs'].get(slide.stem, opened.codecs[0])}")


def check_mapped(names):
    """No library of the system's of these names is in this process, which has decoded with every codec by now."""
    mapped = set(re.findall(r" (/\S+\.so[.\d]*)$", Path("/proc/self/maps").read_text(), re.MULTILINE))
    foreign = [path for path in mapped if re.match(rf"lib({'|'.join(names)})", Path(path).name)
               and not path.startswith(sys.prefix)]  # fmt: skip
    assert not foreign, f"libraries of the system's: {foreign}"
    assert any(path.startswith(sys.prefix) and "microtome" in path for path in mapped)


def check_contents(mt, ways):
    libraries = mt.info()["libraries"]
    assert {"OpenJPEG", "libjpeg-turbo", "libjxl", "nanobind"} <= set(libraries), sorted(libraries)
    assert {each["linked"] for each in libraries.values()} <= ways, libraries
    versions = " ".join(mt.info()["codecs"].values())
    for name in ("OpenJPEG", "libjpeg-turbo", "libjxl", "libdeflate", "libwebp", "libzstd", "liblzma"):
        assert f"{name} {libraries[name]['version']}" in versions, f"{name} {libraries[name]}: {versions}"


def main():
    folder, names = Path(sys.argv[1]), sys.argv[2:]
    import microtome as mt

    assert mt.__file__.startswith(sys.prefix), mt.__file__
    check_commands(folder / "deflate.tif", np.load(folder / "deflate.npy"))
    check_codecs(folder, mt)
    if names:
        check_mapped(names)
    check_contents(mt, {"headers", "static", "shared"} if names else {"system"})


if __name__ == "__main__":
    main()
