"""The installed library: what it shows, and that programs in C and C++ build on it and read what tifffile reads."""

import os
import re
import shutil
import subprocess

import numpy as np
import pytest
import tifffile
from building import ROOT, run

VALGRIND = [
    "valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full",
    "--errors-for-leak-kinds=definite", "--show-leak-kinds=definite",
]  # fmt: skip


@pytest.fixture(
    params=[("cmake", []), ("pkg-config", []), ("cmake", VALGRIND)], ids=lambda p: " ".join([p[0], *p[1][:1]])
)
def runner(request, build_programs, library_folder):
    """Function: runs an example, built with CMake or pkg-config, alone or under valgrind, and gives what it
    printed.
    """
    tool, before = request.param
    if before and not shutil.which("valgrind"):
        pytest.skip("valgrind is not installed")
    env = {"LD_LIBRARY_PATH": str(library_folder)}
    return lambda name, *arguments: run(*before, build_programs(tool)[name], *arguments, env=env)


def test_a_program_in_c_reads_a_region(runner, sample, tmp_path):
    printed = runner("region_to_ppm", sample, 100, 60, 90, 70, 1, tmp_path / "out.ppm")
    with tifffile.TiffFile(sample) as file:
        levels = [page for page in file.pages if page.is_tiled]
        expected = levels[1].asarray()[15:85, 25:115]
        assert f"aperio, {len(levels)} levels" in printed
        assert f"level 1: {levels[1].imagewidth} x {levels[1].imagelength}, downsample 4.000" in printed
    header, pixels = (tmp_path / "out.ppm").read_bytes().split(b"\n255\n", 1)
    assert header == b"P6\n90 70"
    np.testing.assert_array_equal(np.frombuffer(pixels, np.uint8).reshape(70, 90, 3), expected)


def test_a_program_in_cpp_reads_batches(runner, sample):
    lines = [line.split() for line in runner("patch_colours", sample, 64, 1).splitlines()]
    with tifffile.TiffFile(sample) as file:
        image = [page for page in file.pages if page.is_tiled][1].asarray()
    h, w = image.shape[0] // 64, image.shape[1] // 64
    assert len(lines) == h * w
    for i, (x, y, *colour) in enumerate(lines):
        row, column = divmod(i, w)
        assert (int(x), int(y)) == (256 * column, 256 * row)
        patch = image[64 * row :, 64 * column :][:64, :64]
        np.testing.assert_allclose([float(c) for c in colour], patch.mean((0, 1)), atol=0.001)


def test_programs_say_what_is_wrong(programs, library_folder, sample, tmp_path):
    env = os.environ | {"LD_LIBRARY_PATH": str(library_folder)}

    def said(*command):
        words = [str(word) for word in command]
        done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 1
        return done.stderr

    out = tmp_path / "out.ppm"
    assert "not found: " in said(programs["region_to_ppm"], "nothing.svs", 0, 0, 1, 1, 0, out)
    assert "out of range: level 9" in said(programs["region_to_ppm"], sample, 0, 0, 1, 1, 9, out)
    assert "not found: " in said(programs["patch_colours"], "nothing.svs", 64)
    assert "a SIZE of at least 1" in said(programs["patch_colours"], sample, 0)
    assert "out of range: level 3" in said(programs["patch_colours"], sample, 64, 3)
    assert not out.exists()


def test_only_the_functions_of_the_header_are_exported(library_folder):
    header = (ROOT / "include" / "microtome" / "microtome.h").read_text(encoding="utf-8")
    declared = set(re.findall(r"^MICROTOME_API [^(]*?\b(microtome_\w+)\(", header, re.MULTILINE))
    assert len(declared) > 20
    symbols = run("nm", "--dynamic", "--defined-only", library_folder / "libmicrotome.so").split("\n")
    exported = {line.split()[2].partition("@@")[0] for line in symbols if line}
    assert exported - {"MICROTOME_1"} == declared


def test_the_version_is_said_once(library_folder):
    cmake = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    version = re.search(r"project\(microtome VERSION ([\d.]+)", cmake)[1]
    env = {"PKG_CONFIG_PATH": str(library_folder / "pkgconfig")}
    assert run("pkg-config", "--modversion", "microtome", env=env).strip() == version
    assert (library_folder / f"libmicrotome.so.1.{version}").exists()
    package = library_folder / "cmake" / "microtome" / "microtomeConfigVersion.cmake"
    assert f'PACKAGE_VERSION "{version}"' in package.read_text()


def test_what_is_installed(prefix):
    files = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if not path.is_dir()}
    assert {"include/microtome/microtome.h", "include/microtome/microtome.hpp"} <= files
    assert all(re.search(r"microtome", name) for name in files), "something of another project"
    assert not [name for name in files if name.endswith(".a")]
