"""What this copy of Microtome is made of and has found."""

from __future__ import annotations

from typing import Any

from . import _core, _cuda, _libraries
from ._lazy import np


def info() -> dict[str, Any]:
    """What this copy of Microtome is made of, what the machine offers, and what was done so far.

    Returns
    -------
    dict
        ``versions``: of microtome, Python and NumPy. ``codecs``: name → decoder, library and version.
        ``libraries``: name → ``version``, ``licence`` (SPDX) and how it is ``linked`` ("static", "shared" and
        "headers" in a wheel, "system" in a copy built from source) of all that is inside. ``cpu``: ``count`` that
        this process may use at once, ``machine``, ``features``, and ``simd``: the instruction set used, one of
        ``simd_available``; ``MICROTOME_SIMD`` in the environment forces one, and ``simd_problem`` says what is
        wrong with it, if anything. ``cuda``: ``available``, and ``reason`` if not; ``driver``: its ``path``, the
        CUDA ``version`` that it knows, or the ``problem`` with it; ``devices``: ``name``, ``compute_capability``,
        ``multiprocessors`` and ``memory_bytes`` of each; ``libraries``: ``path``, ``version`` or ``problem`` of
        nvjpeg, nvjpeg2k and cufile. ``threads``: started so far. ``cache``: as `microtome.cache.info`.
        ``counters``: tiles ``decoded`` (of which ``direct`` into the result, and of JPEG ones ``own`` by
        Microtome's decoder and ``library`` left to libjpeg-turbo), ``shared`` with another patch or found in a
        cache, ``constant`` (filled, their bytes being known as one colour), ``twins`` copied from a tile of the
        same bytes, ``absent`` from their files, and ``packed_bytes`` asked for.

    Notes
    -----
    Looking for CUDA opens NVIDIA's libraries and initialises the driver where there is one: children that this process
    then makes by fork cannot use CUDA. Nothing is looked for before.

    Examples
    --------
    >>> mt.info()["versions"]["microtome"] == mt.__version__
    True
    >>> mt.info()["cuda"]["available"]
    False
    """
    import platform

    return {
        "versions": {
            "microtome": _core.__version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
        },
        "codecs": _core.codec_versions(),
        "libraries": _libraries.libraries(),
        "cpu": {
            "count": _core.available_cpus(),
            "machine": platform.machine(),
            "features": _core.cpu_features(),
            **_core.simd(),
        },
        "cuda": _cuda.info(),
        "threads": _core.thread_count(),
        "cache": _core.cache_info(),
        "counters": _core.counters(),
    }


def warn_of_environment() -> None:
    """Warns where a variable of the environment cannot be followed: called once, at import."""
    problem = _core.simd()["simd_problem"]
    if problem:
        import warnings

        warnings.warn(f"{problem}. The best is used.", RuntimeWarning, stacklevel=3)
