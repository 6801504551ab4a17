"""What the figures were measured on, for the results' file. No host names."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def field_of(path, name):
    """The value of the first line `name : value` of a file like /proc/cpuinfo; "" if there is none."""
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def describe():
    flags = field_of("/proc/cpuinfo", "flags").split()
    return {
        "cpu": field_of("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(field_of("/proc/meminfo", "MemTotal").split()[0]) / 2**20, 1),
        "kernel": platform.release().split("-")[0],
        "python": platform.python_version(),
        "virtual": "hypervisor" in flags,
        "simd": [name for name in ("avx2", "avx512f", "avx512vbmi2") if name in flags],
    }
