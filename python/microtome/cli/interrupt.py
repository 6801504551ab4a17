"""Ctrl-C and SIGTERM between two steps of a long work, rather than in the middle of one."""

from __future__ import annotations

import signal
import threading
import time

from .failure import Exit

ECHO_S = 0.5  # a terminal, `timeout` and a shell may each pass on the same Ctrl-C


class Interrupt:
    """While entered, a first SIGINT or SIGTERM only sets `code`; one that follows later ends the program at once.

    The work looks at `code` after each step and stops in good order. Signals reach Python's main thread alone; in
    others this does nothing. A signal that the program was started to ignore, as a shell's background jobs are, stays
    ignored.
    """

    SIGNALS = {signal.SIGINT: Exit.INTERRUPTED, signal.SIGTERM: Exit.TERMINATED}

    def __init__(self) -> None:
        self.code: Exit | None = None
        self._first = 0.0
        self._before: dict = {}

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            heeded = [number for number in self.SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
            self._before = {number: signal.signal(number, self._seen) for number in heeded}
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _seen(self, number, frame):
        now = time.monotonic()
        if self.code is None:
            self.code, self._first = self.SIGNALS[number], now
        elif now > self._first + ECHO_S:
            raise KeyboardInterrupt
