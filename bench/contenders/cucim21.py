"""cuCIM 21.12.1 with its cache. Wants Python 3.9 with cucim==21.12.1 and nvidia-cuda-runtime-cu11."""

from __future__ import annotations

import ctypes
import glob
import os
import sys

# Its extension is linked with CUDA's runtime and finds it only if it is loaded already.
for path in sys.path:
    for library in glob.glob(os.path.join(path, "nvidia", "cuda_runtime", "lib", "libcudart.so.11*")):
        ctypes.CDLL(library, ctypes.RTLD_GLOBAL)

from contenders.cucim_cache import Contender  # noqa: E402, F401
