#!/usr/bin/env python3
"""Checks every include of the C++ core against the layer graph (HACKING.md draws it).

A layer may include itself and the layers named beside it in MAY_INCLUDE, by full path; its tests also what lies below
those. Third-party headers may stand in .cc files only, so that nobody who includes one of ours needs a codec library's;
and in -inl.h files, which are parts of a .cc file that is compiled once per instruction set.
The bindings (python/bindings) may include every layer. Prints `file:line: rule` for each breach and exits with 1 if
there is one.
"""

import re
import sys
from pathlib import Path

MAY_INCLUDE = {
    "base": "",
    "simd": "base",
    "exec": "base",
    "device": "base",
    "io": "base device",
    "codec": "base simd device",
    "tiff": "base io",
    "slide": "base io tiff",
    "plan": "base slide",
    "read": "base slide plan io codec exec device simd",
    "loader": "base slide plan read exec device",
    "runtime": "device exec read loader",
    "c_api": "base io slide plan read exec loader runtime",
}
# What programs outside of the core include: the C API's header, which the c_api layer defines, or core.h.
PUBLIC = {"microtome/microtome.h": "c_api", "microtome/core.h": None}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
# POSIX; generated tables; fmt, since base/fail.h checks message formats where the messages are written.
ALLOWED_IN_HEADERS = re.compile(r"sys/\w+\.h|(fcntl|sched|unistd)\.h|fmt/format\.h|\w+\.inc")


def below(layer):
    """What lies under `layer` at any depth: what it may not name, but is linked with, and its tests may use."""
    direct = MAY_INCLUDE[layer].split()
    return {*direct, *(deep for name in direct for deep in below(name))}


def breach(layer, bracket, header, *, public, test):
    """The rule that this include breaks, or None. `layer` is None where all are allowed; `public`: a header."""
    if header.startswith("microtome/"):
        target = header.split("/")[1]
        if target not in MAY_INCLUDE:
            of_layer = PUBLIC.get(header, "no layer")
            return None if layer in (None, of_layer) and header in PUBLIC else f"{header} is in no layer"
        if layer not in (None, target) and target not in (
            below(layer) if test else MAY_INCLUDE[layer].split()
        ):
            return f"{layer} may not include {target} ({header}); it may include: {MAY_INCLUDE[layer] or 'nothing'}"
    elif layer and public and not ALLOWED_IN_HEADERS.fullmatch(header):
        if "." in header or "/" in header:
            return f"third-party header {header} in a header of ours; include it in the .cc file"
        if bracket == '"':
            return f'"{header}" is not a full path; write "microtome/<layer>/{header}"'
    return None


def check(root):
    """All breaches under `root` (a checkout), as printable lines."""
    core = root / "src" / "microtome"
    files = [f for top in (core, root / "python" / "bindings") for f in sorted(top.rglob("*.*"))]
    for file in files:
        if file.suffix not in (".h", ".cc"):
            continue
        layer = file.relative_to(core).parts[0] if core in file.parents and file.parent != core else None
        where = file.relative_to(root)
        test = file.stem.endswith("_test")
        kind = {"test": test, "public": file.suffix == ".h" and not test and not file.stem.endswith("-inl")}
        if layer and layer not in MAY_INCLUDE:
            yield f"{where}:1: folder {layer} is not in the layer table of {Path(__file__).name}"
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if (match := INCLUDE.match(line)) and (rule := breach(layer, *match.groups(), **kind)):
                yield f"{where}:{number}: {rule}"


if __name__ == "__main__":
    found = list(check(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent)))
    print("\n".join(found) or "layers: every include keeps to the graph")
    sys.exit(1 if found else 0)
