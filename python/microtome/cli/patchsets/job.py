"""A job: one patch set, the files it has while it is being made, and going on with it after a kill.

For the output `train.tar` there are, while it is not finished, `train.partial.tar`, `train.partial.tar.manifest.csv`
and `train.partial.tar.json`, which says what the job is and is locked while someone works on it. When the last patch is
there they become `train.tar` and `train.tar.manifest.csv`; what stands under those names is always whole. A folder has
its manifest inside.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from typing import Any

from ..failure import Exit, Failure, writing
from .layout import Layout
from .manifest import Manifest

# Differences whose values tell nobody anything.
UNSPEAKABLE = {
    "slide": "from another slide, or from this one before it changed",
    "locations": "at other locations (--stride, --edge, --mask, --min-tissue)",
}
RERUN = "then run the same command again: it goes on where it stopped"


class Places:
    """Where a job's files are, under way and in the end."""

    def __init__(self, out: str, kind: type) -> None:
        out = out.rstrip("/") or "/"
        stem, suffix = os.path.splitext(out) if kind.suffixes else (out, "")
        manifest = "/manifest.csv" if kind.is_folder and kind.pictures else ".manifest.csv"
        self.out = out
        self.partial = f"{stem}.partial{suffix}"
        self.job = f"{self.partial}.json"
        self.manifest, self.partial_manifest = out + manifest, self.partial + manifest

    @property
    def manifest_inside(self) -> bool:
        """Whether the manifest comes with the output when that is renamed."""
        return self.manifest.startswith(self.out + "/")


class Job:
    """A job at work: entered, it holds the lock and is where an earlier run of it stopped.

    Parameters
    ----------
    out : str
        The finished output's path.
    kind : type
        One of `patchsets.KINDS`.
    layout : Layout
    facts : dict
        What makes the job this one; only a run with the same facts goes on with it.
    row : callable
        row(patch set, index) → the manifest's values of a patch, but its error, as text.
    overwrite, restart : bool
        Replace a finished output; forget an unfinished one.

    Attributes
    ----------
    done : int
        Patches that are there.
    """

    def __init__(
        self, out, kind, layout: Layout, facts: dict[str, Any], row, *, overwrite=False, restart=False
    ):
        self.places = Places(out, kind)
        self._kind = kind
        self._layout = layout
        self._facts = json.loads(json.dumps(facts))  # as they come back from the file
        self._overwrite = overwrite
        self._restart = restart
        self._lock = None
        self.done = 0
        self._set = None
        count = len(layout.locations)
        self._manifest = Manifest(
            self.places.partial_manifest, lambda index: row(self._set, index) if index < count else None
        )

    @property
    def filled(self) -> int:
        """Patches that have a broken tile."""
        return self._manifest.errors

    def __enter__(self) -> Job:
        places = self.places
        with writing(places.out):
            may_make(places, self._kind, self._overwrite, self._restart)
        with writing(places.job):
            earlier = self._take_lock()
        try:
            self._set = self._kind(places.partial, self._layout)
            with writing(places.partial, RERUN):
                self._resume() if earlier else self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _take_lock(self):
        """Locks the job's file; whether it was begun before. Another job's is a failure, unless it is restarted."""
        self._lock = _locked(self.places)
        try:
            earlier = json.load(self._lock)
        except ValueError:  # just made, or cut by a kill before anything else was there
            return False
        if self._restart:
            return False
        if earlier != self._facts:
            self._lock.close()
            raise Failure(
                Exit.OUTPUT,
                f"{self.places.partial} is unfinished and was begun {difference(earlier, self._facts)}; "
                "give the options it was begun with, or --restart to forget it",
            )
        return True

    def _begin(self):
        places = self.places
        self._lock.seek(0)
        self._lock.truncate()  # while it is empty there is nothing to go on with
        self._set.close()
        _remove(places.partial)
        self._set = self._kind(places.partial, self._layout)
        self._set.begin()
        self._manifest.begin()
        json.dump(self._facts, self._lock, indent=2)
        self._lock.flush()

    def _resume(self):
        """Takes up what both the manifest and the patch set have."""
        if is_renamed(self.places):
            self.done = len(self._layout.locations)
            return
        listed = self._manifest.resume()
        self.done = self._set.resume(listed) if listed else 0
        if self.done == 0:
            self._begin()
        elif self.done < listed:
            self._manifest.keep(self.done)

    def add(self, pixels, errors) -> None:
        """Adds the next patches, and what was wrong with each."""
        with writing(self.places.partial, RERUN):
            self._set.add(self.done, pixels)
            self._manifest.add(self.done, errors)
        self.done += len(pixels)

    def finish(self) -> None:
        """Gives the output its name. All patches must be there."""
        places = self.places
        with writing(places.out, RERUN):
            self._set.close()
            self._manifest.close()
            if os.path.exists(places.partial):
                _sync(places.partial)
                if self._kind.is_folder and os.path.isdir(places.out):
                    os.rmdir(places.out)  # empty: may_make has seen to that
                os.replace(places.partial, places.out)
            if not places.manifest_inside and os.path.exists(places.partial_manifest):
                os.replace(places.partial_manifest, places.manifest)
            os.unlink(places.job)

    def __exit__(self, *exception: object) -> None:
        """Leaves what is there in a state that readers of the format open, and nothing where nothing was done."""
        for part in (self._set, self._manifest):
            if part is not None:
                with contextlib.suppress(OSError):  # the disk is full, and the failure under way says so
                    part.close()
        if self._lock is not None and not self._lock.closed:
            if self.done == 0:
                for path in (self.places.partial, self.places.partial_manifest, self.places.job):
                    _remove(path)
            self._lock.close()


def _locked(places):
    """The job's file, open and locked, made where there is none."""
    while True:
        file = open(  # noqa: SIM115
            os.open(places.job, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666), "r+", encoding="utf-8"
        )
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(file.fileno()), os.stat(places.job)):
                return file
        except BlockingIOError:
            file.close()
            raise Failure(
                Exit.OUTPUT, f"{places.out}: another run is working on it; wait for it, or end it"
            ) from None
        except FileNotFoundError:
            pass
        file.close()  # the run that had it finished, and took it away, between our opening and locking it


def is_renamed(places: Places) -> bool:
    """Whether a kill came between the output's getting its name and the end."""
    begun = os.path.isfile(places.job) and os.stat(places.job).st_size > 0
    return begun and os.path.exists(places.out) and not os.path.exists(places.partial)


def may_make(places: Places, kind: type, overwrite: bool, restart: bool) -> None:
    """Fails where the output exists and is not to be replaced. Folders never are: they may hold anything."""
    folder = os.path.dirname(places.out) or "."
    if not os.path.isdir(folder):
        raise Failure(Exit.OUTPUT, f"{places.out}: there is no folder {folder}; create it first")
    if is_renamed(places) and not restart:
        return
    if kind.is_folder and os.path.exists(places.out):
        if not os.path.isdir(places.out) or os.listdir(places.out):
            raise Failure(Exit.OUTPUT, f"{places.out} exists; delete it first, or choose another name")
    elif os.path.isdir(places.out):
        raise Failure(Exit.OUTPUT, f"{places.out} is a folder; give the path of a file")
    for path in () if overwrite else (places.out, places.manifest):
        if os.path.isfile(path):
            raise Failure(Exit.OUTPUT, f"{path} exists; --overwrite replaces it, or choose another name")


def difference(earlier: dict, now: dict) -> str:
    """What was asked for differently: "with quality 90 instead of 80"."""
    for name in (*earlier, *now):
        before, after = earlier.get(name), now.get(name)
        if before != after:
            if name in UNSPEAKABLE:
                return UNSPEAKABLE[name]
            if isinstance(before, dict) and isinstance(after, dict):
                return difference(before, after)
            return f"with {name} {before} instead of {after}"
    return "otherwise"


def _sync(path):
    """Waits until a file's content is on the disk, so that no name points to less after a power failure."""
    if os.path.isfile(path):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove(path):
    """Removes a file or folder of ours, if it is there."""
    if os.path.isdir(path):
        shutil.rmtree(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
