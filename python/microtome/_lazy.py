"""NumPy, imported when it is first used: it takes several times as long to import as all the rest of the package."""

from typing import TYPE_CHECKING


class _Numpy:
    def __getattr__(self, name):
        import numpy

        value = getattr(numpy, name)
        setattr(self, name, value)  # so that this runs once for each name
        return value


if TYPE_CHECKING:
    import numpy as np
else:
    np = _Numpy()

__all__ = ["np"]
