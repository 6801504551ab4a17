"""A contender's process, from the runner's side: started, pinned to CPUs, asked, ended; speaks as protocol.py says."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Failed(RuntimeError):
    """The contender cannot do this, or did not; the text says why."""


class Process:
    """`command` is what starts the contender, without the job. It loads and opens while the caller goes on.

    One that does not answer within `patience` seconds is killed: some readers wait for ever on some files.
    """

    def __init__(self, command, job, cpus, patience=300.0):
        self.patience = patience
        threads = str(len(cpus))
        names = ("OMP", "OPENBLAS", "NUMEXPR", "BLOSC")
        env = dict(os.environ, VIPS_CONCURRENCY=threads, **{f"{name}_NUM_THREADS": threads for name in names})
        env["ZARR_THREADING__MAX_WORKERS"] = threads
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the process)
        self.process = subprocess.Popen(
            [*command, json.dumps(job)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env=env,
            preexec_fn=lambda: os.sched_setaffinity(0, cpus),
        )
        self.pending = b""

    def ready(self):
        """The contender's facts, once it is ready to work; Failed with its reason if it cannot do the job."""
        facts = self.answer()
        if "unsupported" in facts:
            raise Failed(facts["unsupported"])
        return facts

    def answer(self):
        end = time.monotonic() + self.patience
        while b"\n" not in self.pending:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                self.process.kill()
                raise Failed(f"no answer within {self.patience:g} s")
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                raise Failed(self.ending())
            self.pending += data
        line, _, self.pending = self.pending.partition(b"\n")
        return json.loads(line)

    def ending(self):
        """Why the process ended, in one line."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        code = self.process.returncode
        if code is not None and code < 0:
            return f"ended by {signal.Signals(-code).name}"
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        return f"ended with status {code}: {lines[-1] if lines else 'it printed nothing'}"

    def ask(self, request):
        try:
            self.process.stdin.write(request.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Failed(self.ending()) from None
        reply = self.answer()
        if "error" in reply:
            raise Failed(reply["error"])
        return reply

    def close(self):
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.errors.close()
