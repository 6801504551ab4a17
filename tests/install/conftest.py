"""libmicrotome as it is installed, and the examples built against it."""

import functools
import os
import shutil

import make_slides
import pytest
from building import ROOT, run, with_cmake, with_pkg_config

COMPILERS = {
    "region_to_ppm": (ROOT / "examples" / "c", "cc -std=c11"),
    "patch_colours": (ROOT / "examples" / "cpp", "c++ -std=c++17"),
}


@pytest.fixture(scope="session")
def prefix(tmp_path_factory):
    """Where the library is installed: built by the suite, installed in one place and moved to another."""
    build = os.environ["MICROTOME_BUILD"]
    folder = tmp_path_factory.mktemp("install")
    run("cmake", "--install", build, "--prefix", folder / "before")
    shutil.move(folder / "before", folder / "a place")
    return folder / "a place"


@pytest.fixture(scope="session")
def library_folder(prefix):
    (found,) = prefix.rglob("libmicrotome.so")
    return found.parent


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    """Path of a slide of three levels."""
    path = tmp_path_factory.mktemp("sample") / "sample.svs"
    make_slides.make("sample", path)
    return path


@pytest.fixture(scope="session")
def build_programs(prefix, library_folder, tmp_path_factory):
    """Function: "cmake" or "pkg-config" → {name: path} of the examples, built with that, once."""

    @functools.cache
    def built(tool):
        folder = tmp_path_factory.mktemp(tool)
        paths = {name: folder / name / name for name in COMPILERS}
        for name, (source, compiler) in COMPILERS.items():
            if tool == "cmake":
                with_cmake(prefix, source, folder / name)
            else:
                (folder / name).mkdir()
                (file,) = source.glob(f"{name}.c*")
                with_pkg_config(library_folder, compiler, file, paths[name])
        return paths

    return built


@pytest.fixture(params=["cmake", "pkg-config"])
def programs(request, build_programs):
    return build_programs(request.param)
