"""A reader in a process of its own: one that crashes or hangs spoils its own line of the table and no other.

The process answers one request after another with (seconds, part of the pixels) or with why there is no answer.
"""

from __future__ import annotations

import importlib
import multiprocessing
import signal
import time
from collections import deque
from typing import NamedTuple

import numpy as np

from .reader import CannotError

TIMEOUT_S = 120


class Task(NamedTuple):
    """Something that is timed: a level ("level", number, (w, h)) or patches ("patches", [(x, y), …], (w, h))."""

    kind: str
    what: object
    size: tuple[int, int]


class Answer(NamedTuple):
    """`problem` is "" where there are pixels: an (h, w, 3) array that all readers should agree about."""

    seconds: float = 0.0
    pixels: np.ndarray | None = None
    problem: str = ""


def serve(connection, name, path, workers) -> None:
    """The process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the program that asks ends us
    try:
        reader = importlib.import_module(f".{name}", __package__).Reader(path, workers)
    except Exception as error:
        connection.send(Answer(problem=_said(error)))
        return
    connection.send(Answer())
    while True:
        try:
            connection.send(_timed(reader, connection.recv()))
        except EOFError:
            return


def _timed(reader, task: Task) -> Answer:
    try:
        begin = time.perf_counter()
        if task.kind == "level":
            pixels = reader.read_level(task.what, task.size)
        else:
            patches = reader.read_patches(task.what, task.size)
            pixels = next(iter(patches))
            deque(patches, maxlen=0)  # each is dropped as it comes, as training drops what it has used
        seconds = time.perf_counter() - begin
        return Answer(seconds, np.array(pixels[:256, :256]))
    except CannotError as error:
        return Answer(problem=str(error))
    except Exception as error:
        return Answer(problem=_said(error))


def _said(error):
    return (str(error) or type(error).__name__).splitlines()[0][:200]


class ReaderProcess:
    """Starts a reader on a slide. `problem` is "" or why it cannot run."""

    def __init__(self, name: str, path: str, workers: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, name, path, workers), daemon=True)
        self._process.start()
        theirs.close()
        self.problem = self._receive().problem

    def ask(self, task: Task) -> Answer:
        """Runs a task there."""
        if self.problem:
            return Answer(problem=self.problem)
        try:
            self._connection.send(task)
        except OSError:
            return self._crashed()
        return self._receive()

    def _receive(self):
        try:
            if self._connection.poll(TIMEOUT_S):
                return self._connection.recv()
        except (EOFError, OSError):
            return self._crashed()
        self.close()
        self.problem = f"took more than {TIMEOUT_S} s"
        return Answer(problem=self.problem)

    def _crashed(self):
        self.problem = "crashed"
        return Answer(problem=self.problem)

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.join()
        self._connection.close()
