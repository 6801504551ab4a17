#!/usr/bin/env python3
"""Builds the sdist and the wheels into a folder, and proves that they work where nothing else of ours is.

    .venv/bin/python tools/build_wheels.py dist

A wheel for Python 3.11 and one for all later ones (the stable ABI), as far as interpreters are found. Each is
repaired by auditwheel, gets its bill of materials, is installed into an empty environment and tried there
(wheels/smoke.py) while the system's codec libraries are hidden (wheels/hiding.py). The sdist is built with the
system's libraries and tried too. Run it with an interpreter that has tifffile and imagecodecs: they make the slides
and say what is in them.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import install_package
from install_package import OPENJPEG, ROOT, call, make_environment
from suites.python import other_pythons
from wheels import contents, hiding, sbom

BUILD = ROOT / "build" / "wheel"
PLATFORM = "manylinux_2_35"  # what docs/guides/installing.md promises: the glibc that libjxl needs
CODECS = ["none", "deflate", "lzw", "packbits", "zstd", "lzma", "jpeg", "jpeg2000", "webp", "jpegxl", "lerc"]


def make_slides(folder):
    """A slide for each codec, and what tifffile reads in it."""
    import numpy as np
    import tifffile

    y, x = np.mgrid[0:200, 0:300]
    image = np.stack([(x * 3 + y) % 256, (x ^ y) % 256, (x * y // 97) % 256], axis=-1).astype(np.uint8)
    options = {"webp": {"lossless": True}, "jpegxl": {"lossless": True}, "jpeg2000": {"reversible": True}}
    folder.mkdir(parents=True, exist_ok=True)
    for codec in CODECS:
        path = folder / f"{codec}.tif"
        compression = None if codec == "none" else codec
        tifffile.imwrite(path, image, compression=compression, compressionargs=options.get(codec), tile=(64, 64),
                         photometric="rgb", metadata=None)  # fmt: skip
        np.save(path.with_suffix(".npy"), tifffile.imread(path))


def interpreters():
    """{"cp311": path, "abi3": path}: the system's 3.11 and the oldest later one, where they are."""
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    found = {own: Path(sys.executable)} | other_pythons()
    later = sorted((version for version in found if version != "3.11"), key=lambda v: int(v.split(".")[1]))
    wanted = {"cp311": found.get("3.11"), "abi3": found[later[0]] if later else None}
    for kind, path in wanted.items():
        if path is None:
            print(f"no Python for the {kind} wheel is found: it is not built")
    return {kind: path for kind, path in wanted.items() if path is not None}


def build(source, interpreter, folder, into, defines):
    """A wheel of the sources in `source`, built in `folder`; returns its path."""
    # The stable ABI from Python 3.12 on; of no effect for 3.11, which gets a wheel of its own.
    settings = [
        f"build-dir={folder}",
        "wheel.py-api=cp312",
        *(f"cmake.define.{name}={value}" for name, value in defines.items()),
    ]
    options = [word for setting in settings for word in ("--config-settings", setting)]
    shutil.rmtree(into, ignore_errors=True)
    call(
        interpreter,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-build-isolation",
        "--no-deps",
        *options,
        "-w",
        into,
        source,
    )
    (wheel,) = into.glob("*.whl")
    return wheel


def repaired(raw, interpreter, into):
    """The wheel with the shared libraries that it needs inside, and the platform's tag that fits."""
    shutil.rmtree(into, ignore_errors=True)
    path = f"{interpreter.parent}{os.pathsep}{os.environ['PATH']}"
    command = [interpreter, "-m", "auditwheel", "repair", "--strip", "-w", into, raw]
    subprocess.run([str(word) for word in command], check=True, env=os.environ | {"PATH": path})
    (wheel,) = into.glob("*.whl")
    if f"-{PLATFORM}_" not in wheel.name:
        raise RuntimeError(
            f"{wheel.name} is not for {PLATFORM}: a library needs another glibc than it used to"
        )
    return wheel


def try_out(wheel, python, slides, before=(), names=()):
    """Installs the wheel into an empty environment and runs the smoke test there, in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        venv, work = Path(folder, "venv"), Path(folder, "work")
        work.mkdir()
        call(python, "-m", "venv", venv)
        call(venv / "bin" / "python", "-m", "pip", "install", "--quiet", wheel)
        clean = {"PATH": "/usr/bin:/bin", "HOME": folder, "LANG": "C.UTF-8"}
        command = [
            *before,
            venv / "bin" / "python",
            "-I",
            ROOT / "tools" / "wheels" / "smoke.py",
            slides,
            *names,
        ]
        subprocess.run([str(word) for word in command], check=True, cwd=work, env=clean)


def make_wheel(kind, python, out, slides, hidden):
    venv = BUILD / f"venv-{kind}"
    make_environment(venv, str(python), ["wheel"])
    interpreter, folder = venv / "bin" / "python", ROOT / "build" / f"wheel-{kind}"
    defines = install_package.cmake_options() | {"MICROTOME_STATIC": "ON", "MICROTOME_WERROR": "ON"}
    raw = build(ROOT, interpreter, folder, BUILD / f"raw-{kind}", defines)
    wheel = repaired(raw, interpreter, BUILD / f"repaired-{kind}")
    inside = contents.components(wheel, folder, OPENJPEG)
    version = wheel.name.split("-")[1]
    sbom.add_to_wheel(
        wheel, sbom.document("microtome", version, inside, int(os.environ["SOURCE_DATE_EPOCH"]))
    )
    try_out(wheel, python, slides, hiding.prefix(hidden), hiding.NAMES)
    wheel = Path(shutil.copy(wheel, out))
    report(wheel, inside)


def report(wheel, inside):
    with zipfile.ZipFile(wheel) as archive:
        size = sum(info.file_size for info in archive.infolist())
    print(f"{wheel}: {wheel.stat().st_size / 1e6:.1f} MB, {size / 1e6:.1f} MB installed")
    for component in inside:
        print(f"    {component.name} {component.version or ''} ({component.licence}), {component.linked}")


def make_sdist(python, out, slides):
    """The sdist, and a wheel of it with the system's libraries, tried out without keeping it."""
    code = "import sys; from scikit_build_core import build; print(build.build_sdist(sys.argv[1]))"
    venv = BUILD / "venv-sdist"
    make_environment(venv, str(python), [])
    interpreter = venv / "bin" / "python"
    done = subprocess.run(
        [interpreter, "-c", code, out], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    sdist = out / done.stdout.split()[-1]
    unpacked = BUILD / "sdist"
    shutil.rmtree(unpacked, ignore_errors=True)
    unpacked.mkdir(parents=True)
    call("tar", "--extract", f"--file={sdist}", f"--directory={unpacked}")
    (source,) = unpacked.iterdir()
    os.environ["CCACHE_BASEDIR"] = str(source)
    options = install_package.cmake_options()
    options.pop("MICROTOME_OPENJPEG_SOURCE", None)
    wheel = build(source, interpreter, source / "build" / "sdist", BUILD / "raw-sdist", options)
    os.environ["CCACHE_BASEDIR"] = str(ROOT)
    try_out(wheel, python, slides)
    print(f"{sdist}: {sdist.stat().st_size / 1e6:.1f} MB, builds and works with the system's libraries")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path, help="the folder that gets the wheels and the sdist")
    parser.add_argument(
        "--only", choices=["cp311", "abi3", "sdist"], nargs="+", default=["cp311", "abi3", "sdist"]
    )
    options = parser.parse_args()
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    when = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True
    ).stdout
    os.environ.setdefault("SOURCE_DATE_EPOCH", when.strip() or "1735689600")
    slides = BUILD / "slides"
    make_slides(slides)
    hidden = hiding.system_libraries()
    hiding.check_hidden(hidden)
    pythons = interpreters()
    for kind in ("cp311", "abi3"):
        if kind in options.only and kind in pythons:
            make_wheel(kind, pythons[kind], out, slides, hidden)
    if "sdist" in options.only:
        make_sdist(next(iter(pythons.values())), out, slides)


if __name__ == "__main__":
    main()
