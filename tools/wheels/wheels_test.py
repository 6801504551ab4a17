"""What is read out of a build, the bill of materials, and hiding libraries."""

import base64
import csv
import hashlib
import json
import subprocess
import zipfile

import pytest

from wheels import contents, hiding, sbom
from wheels.contents import Component, UnknownContent

MAP = """Archive member included to satisfy reference by file (symbol)

/usr/lib/x86_64-linux-gnu/libjpeg.a(jdapimin.c.o)
                              src/microtome/codec/libmicrotome_codec.a(library.cc.o) (jpeg_CreateDecompress)
/usr/lib/x86_64-linux-gnu/libjpeg.a(jdapistd.c.o)
                              (jpeg_start_decompress)
src/microtome/codec/libmicrotome_codec.a(library.cc.o)
                              x.o (y)

As-needed library included to satisfy reference by file (symbol)

libjxl.so.0.7                 src/microtome/codec/libmicrotome_codec.a(jpegxl.cc.o) (JxlDecoderCreate)
/not/one.a(that was only looked at)
"""

INSIDE = [
    Component(
        "libjpeg-turbo", "2.1.5", "IJG AND BSD-3-Clause AND Zlib", "static", "pkg:deb/debian/libjpeg-turbo@1"
    ),
    Component("robin_map", None, "MIT", "headers", "pkg:github/Tessil/robin-map"),
]


def test_archives_that_gave_an_object():
    assert contents.archives_of(MAP) == [
        "/usr/lib/x86_64-linux-gnu/libjpeg.a",
        "src/microtome/codec/libmicrotome_codec.a",
    ]


def test_headers_that_objects_were_compiled_from():
    deps = "a.o: #deps 2, deps mtime 1 (VALID)\n    ../a.cc\n    /usr/include/fmt/core.h\n\nb.o: …\n    ../a.cc\n"
    assert contents.headers_of(deps) == ["../a.cc", "/usr/include/fmt/core.h"]


def test_libraries_that_auditwheel_put_in():
    names = [
        "microtome/_core.so",
        "microtome.libs/libjxl-1234abcd.so.0.7.0",
        "microtome.libs/libhwy-0123abcd.so.1",
    ]
    assert contents.grafted_of(names) == ["libhwy.so.1", "libjxl.so.0.7.0"]


@pytest.mark.parametrize(
    ("debian", "version"),
    [
        ("1:2.1.5-2", "2.1.5"),
        ("0.7.0-10+deb12u1", "0.7.0"),
        ("9.1.0+ds1-2", "9.1.0"),
        ("4.0.0+ds-2+b1", "4.0.0"),
    ],
)
def test_versions_without_what_debian_adds(debian, version):
    assert contents.upstream(debian) == version


class Owners:
    def __init__(self, known):
        self.known = known

    def component(self, path):
        return self.known[path]


def test_a_component_is_said_once_with_how_it_got_in():
    owners = Owners({"a.h": ("{fmt}", "9", "p"), "b.so": ("{fmt}", "9", "p"), "c.h": None})
    files = {"headers": ["a.h", "c.h"], "static": [], "shared": ["b.so"]}
    assert contents.collect(files, owners, {"{fmt}": "MIT"}) == [
        Component("{fmt}", "9", "MIT", "shared", "p")
    ]


@pytest.mark.parametrize("folder", ["/usr/include", "/usr/include/x86_64-linux-gnu", "/opt/python/include"])
def test_pythons_own_headers_are_of_no_component(folder, tmp_path):
    owners = contents.Owners(tmp_path, tmp_path / "openjpeg")
    assert owners.component(f"{folder}/python3.11/pyconfig.h") is None


def test_what_has_no_known_licence_is_an_error():
    files = {"headers": ["a.h"], "static": [], "shared": []}
    with pytest.raises(UnknownContent, match="a.h is of readline"):
        contents.collect(files, Owners({"a.h": ("readline", "8", "p")}), {"{fmt}": "MIT"})


def test_every_licence_is_permissive_or_the_compilers():
    copyleft = [name for name, licence in contents.licences().items() if "GPL" in licence]
    assert copyleft == ["GCC runtime"]


def test_the_bill_of_materials_is_the_same_each_time_and_complete():
    text = sbom.document("microtome", "1.2", INSIDE, 1735689600)
    assert text == sbom.document("microtome", "1.2", INSIDE, 1735689600)
    bill = json.loads(text)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["timestamp"] == "2025-01-01T00:00:00Z"
    assert bill["metadata"]["component"]["purl"] == "pkg:pypi/microtome@1.2"
    assert bill["components"][0]["licenses"] == [{"expression": "IJG AND BSD-3-Clause AND Zlib"}]
    assert "version" not in bill["components"][1]
    refs = {component["bom-ref"] for component in bill["components"]}
    assert set(bill["dependencies"][0]["dependsOn"]) == refs
    assert sbom.document("microtome", "1.3", INSIDE, 1735689600) != text


def test_it_gets_into_a_wheel_and_its_record(tmp_path):
    wheel = tmp_path / "m-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("m/__init__.py", "x = 1\n")
        archive.writestr("m-1.dist-info/RECORD", "m/__init__.py,sha256=abc,6\nm-1.dist-info/RECORD,,\n")
    sbom.add_to_wheel(wheel, "{}\n")
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
        name = "m-1.dist-info/sboms/microtome.cdx.json"
        assert archive.read(name) == b"{}\n"
        assert archive.read("m/__init__.py") == b"x = 1\n"
        record = list(csv.reader(archive.read("m-1.dist-info/RECORD").decode().splitlines()))
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"{}\n").digest()).rstrip(b"=").decode()
    assert record[1] == [name, f"sha256={digest}", "3"]
    assert [row[0] for row in record] == ["m/__init__.py", name, "m-1.dist-info/RECORD"]


def test_hidden_libraries_cannot_be_loaded():
    libraries = hiding.system_libraries()
    assert "libjxl.so.0.7" in libraries or any(name.startswith("libjxl.so") for name in libraries)
    probe = [*hiding.prefix({}), "true"]
    if subprocess.run(probe, capture_output=True).returncode != 0:
        pytest.skip("no mount namespaces here")
    hiding.check_hidden(libraries)
