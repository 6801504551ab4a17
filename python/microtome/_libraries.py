"""The libraries inside this copy of Microtome, their versions and licences.

A wheel carries a list of what was really linked into it (`tools/build_wheels.py` makes it from the linker's map); a
copy that was built here is linked with the system's libraries, and says the versions that those give.
"""

from __future__ import annotations

from typing import Any

from . import _core

SBOM = "sboms/microtome.cdx.json"

# Name → SPDX expression of the licence that it is used under. NOTICE says what each is for.
LICENCES = {
    "Brotli": "MIT",
    "Expat": "MIT",
    "GCC runtime": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "Highway": "Apache-2.0 OR BSD-3-Clause",
    "LERC": "Apache-2.0",
    "Little CMS": "MIT",
    "OpenJPEG": "BSD-2-Clause",
    "libdeflate": "MIT",
    "libjpeg-turbo": "IJG AND BSD-3-Clause AND Zlib",
    "libjxl": "BSD-3-Clause",
    "liblzma": "LicenseRef-public-domain",
    "libwebp": "BSD-3-Clause",
    "libzstd": "BSD-3-Clause",
    "nanobind": "BSD-3-Clause",
    "robin_map": "MIT",
    "{fmt}": "MIT",
}


def libraries() -> dict[str, dict[str, Any]]:
    """{name: version (None where it cannot be known), licence, linked}, by name."""
    sbom = _sbom()
    if sbom is None:
        return {
            name: {"version": version, "licence": LICENCES[name], "linked": "system"}
            for name, version in sorted(_versions().items(), key=lambda each: each[0].lower())
        }
    return {
        each["name"]: {
            "version": each.get("version"),
            "licence": each["licenses"][0]["expression"],
            "linked": {p["name"]: p["value"] for p in each["properties"]}["microtome:linked"],
        }
        for each in sbom["components"]
    }


def _versions() -> dict[str, str]:
    """As the libraries themselves say: "built in (avx2), libjpeg-turbo 2.1.5" → libjpeg-turbo: 2.1.5."""
    said = [text.rpartition(", ")[2].rpartition(" ") for text in _core.codec_versions().values()]
    versions = {"LERC" if name == "Lerc" else name: version for name, _, version in said}
    return {name: v for name, v in versions.items() if name in LICENCES} | _core.build_versions()


def _sbom() -> dict[str, Any] | None:
    """The wheel's list, or None."""
    import json
    from importlib import metadata

    try:
        text = metadata.distribution("microtome").read_text(SBOM)
    except metadata.PackageNotFoundError:
        return None
    return None if text is None else json.loads(text)
