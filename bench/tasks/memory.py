"""Peak memory of the first whole-level read of a process, above what it had after import and open: see run.py."""

from __future__ import annotations

from tasks.whole_level import plan, work  # noqa: F401
