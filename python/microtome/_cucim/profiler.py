"""CuImage.profiler: a flag that can be set and read. Nothing is traced."""


class Profiler:
    """What ``CuImage.profiler()`` returns; there is one."""

    def __init__(self):
        self._trace = False

    @property
    def config(self):
        """``{"trace": bool}``"""
        return {"trace": self._trace}

    def trace(self, value=None):
        """Sets the flag, unless `value` is None; returns it."""
        if value is not None:
            if not isinstance(value, (bool, int)):
                raise TypeError(f"trace: expected True or False, found {value!r}")
            self._trace = bool(value)
        return self._trace


the_profiler = Profiler()
