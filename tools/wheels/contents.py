"""What is really inside a built wheel: read from the linker's map, the compiler's lists of headers, and the wheel
itself.

Every file that took part belongs to Microtome, to what every system has (the C library, Python), or to a component
that LICENCES of the package knows; anything else is an error, so that nothing gets in unseen.
"""

import ast
import re
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Debian's source packages → components; None: on every system, and not in the wheel.
DEBIAN = {
    "brotli": "Brotli",
    "expat": "Expat",
    "fmtlib": "{fmt}",
    "gcc-12": "GCC runtime",
    "glibc": None,
    "highway": "Highway",
    "jpeg-xl": "libjxl",
    "lcms2": "Little CMS",
    "lerc": "LERC",
    "libdeflate": "libdeflate",
    "libjpeg-turbo": "libjpeg-turbo",
    "libwebp": "libwebp",
    "libxcrypt": None,
    "libzstd": "libzstd",
    "linux": None,
    "openjpeg2": "OpenJPEG",
    "xz-utils": "liblzma",
}
# How a component got in; a later one says more.
HOW = ["headers", "static", "shared"]
GRAFTED = re.compile(r"^microtome\.libs/(.+)-[0-9a-f]{8}((?:\.\d+)*\.so[.\d]*)$")


class UnknownContent(RuntimeError):
    """A file took part that no component accounts for, or whose licence is not permissive."""


@dataclass(frozen=True)
class Component:
    name: str
    version: str | None
    licence: str
    linked: str  # one of HOW
    purl: str


def licences():
    """{component: SPDX expression}: the literal in the package's module, which cannot be imported before it is
    built.
    """
    tree = ast.parse((ROOT / "python" / "microtome" / "_libraries.py").read_text(encoding="utf-8"))
    (literal,) = (
        node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "LICENCES"
    )
    return ast.literal_eval(literal)


def archives_of(link_map):
    """The static libraries that gave at least one object, as the linker's map names them."""
    begin = link_map.index("Archive member included")
    members = link_map[begin : link_map.index("\n\n", link_map.index("\n\n", begin) + 2)]
    return sorted(set(re.findall(r"^(\S+\.a)\(", members, re.MULTILINE)))


def headers_of(deps):
    """The files that objects were compiled from, out of what `ninja -t deps` prints."""
    return sorted({line.strip() for line in deps.splitlines() if line.startswith("    ")})


def grafted_of(names):
    """The shared libraries among the names of a wheel's members, as the system calls them."""
    return sorted(match[1] + match[2] for match in map(GRAFTED.match, names) if match)


class Owners:
    """Whose a file is."""

    def __init__(self, build, openjpeg):
        self.build = build
        self.openjpeg = openjpeg
        self.known = {}  # paths that dpkg was asked for
        self.nanobind = None  # its version

    def ask_dpkg(self, paths):
        """{path: (source package, version)}, asked for together: dpkg reads its whole database each time."""
        paths = sorted({str(Path(path).resolve()) for path in paths})
        done = subprocess.run(["dpkg-query", "--search", *paths], capture_output=True, text=True)
        packages = {}
        for line in done.stdout.splitlines():
            package, _, path = line.partition(": ")
            packages[path] = package.split(", ")[0]
        if not packages:
            return
        shown = [
            "dpkg-query",
            "--show",
            "--showformat=${Package}:${Architecture} ${source:Package} ${Version}\n",
        ]
        names = sorted(set(packages.values()))
        done = subprocess.run([*shown, *names], capture_output=True, text=True, check=True)
        about = {line.split()[0]: tuple(line.split()[1:]) for line in done.stdout.splitlines()}
        about |= {name.partition(":")[0]: value for name, value in about.items()}
        self.known = {path: about[name] for path, name in packages.items()}

    def component(self, path):
        """(name, version, purl) of the component that a file is of; None where it is ours or every system's."""
        path = Path(path)
        path = (path if path.is_absolute() else self.build / path).resolve()
        if self.openjpeg in path.parents or "third_party/openjpeg" in str(path):
            version = openjpeg_version(self.openjpeg)
            return "OpenJPEG", version, f"pkg:github/uclouvain/openjpeg@v{version}"
        if "robin_map" in path.parts:
            return "robin_map", None, "pkg:github/Tessil/robin-map"
        if "nanobind" in path.parts or path.name.startswith("libnanobind"):
            # Its library is built here, of sources that come with its headers, which were looked at before.
            if "nanobind" in path.parts:
                self.nanobind = self.nanobind or nanobind_version(path)
            return "nanobind", self.nanobind, f"pkg:pypi/nanobind@{self.nanobind}"
        if ROOT in path.parents or re.search(r"/include/([^/]+/)?python3\.\d+/", str(path)):
            return None
        if str(path) not in self.known:
            raise UnknownContent(f"{path} is of no Debian package and none of ours")
        source, version = self.known[str(path)]
        if source not in DEBIAN:
            raise UnknownContent(f"{path} is of {source}, which is not among the components")
        name = DEBIAN[source]
        return name and (
            name,
            upstream(version),
            f"pkg:deb/debian/{source}@{version.replace(':', '%3A')}?arch=source",
        )


def upstream(version):
    """A Debian version without epoch, Debian's revision and its marks: 1:9.1.0+ds1-2 → 9.1.0."""
    return re.sub(r"^\d+:|-[^-]*$", "", version).partition("+")[0]


def openjpeg_version(folder):
    text = (folder / "CMakeLists.txt").read_text()
    numbers = (re.search(rf"OPENJPEG_VERSION_{part} (\d+)", text)[1] for part in ("MAJOR", "MINOR", "BUILD"))
    return ".".join(numbers)


def nanobind_version(path):
    """Of the copy that has the file `path`."""
    folder = Path(*path.parts[: path.parts.index("nanobind") + 1])
    text = (folder / "include" / "nanobind" / "nanobind.h").read_text()
    numbers = (
        re.search(rf"#define NB_VERSION_{part}\s+(\d+)", text)[1] for part in ("MAJOR", "MINOR", "PATCH")
    )
    return ".".join(numbers)


def components(wheel, build, openjpeg):
    """The components inside `wheel`, which was built in `build`, by name. Raises UnknownContent."""
    link_map = (build / "python" / "bindings" / "_core.map").read_text()
    deps = subprocess.run(
        ["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True, check=True
    ).stdout
    with zipfile.ZipFile(wheel) as archive:
        grafted = [system_library(name) for name in grafted_of(archive.namelist())]
    files = {"headers": headers_of(deps), "static": archives_of(link_map), "shared": grafted}
    owners = Owners(build, openjpeg)
    owners.ask_dpkg([f for each in files.values() for f in each if Path(f).is_absolute()])
    return collect(files, owners, licences())


def collect(files, owners, known):
    """The components of `files` ({how: paths}), by name."""
    found = {}
    for how in HOW:
        for path in files[how]:
            about = owners.component(path)
            if about is None:
                continue
            name, version, purl = about
            if name not in known:
                raise UnknownContent(f"{path} is of {name}, whose licence is not in LICENCES")
            found[name] = Component(name, version, known[name], how, purl)
    return sorted(found.values(), key=lambda component: component.name.lower())


def system_library(name):
    """The path of the loader's library whose file is called `name`, as auditwheel's copies are."""
    listed = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    files = {
        path.name: path
        for path in (Path(p).resolve() for p in re.findall(r"=> (\S+)$", listed, re.MULTILINE))
    }
    if name not in files:
        raise UnknownContent(f"the wheel has {name}, which this system does not know")
    return str(files[name])
