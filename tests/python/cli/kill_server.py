"""Runs command lines in forked children, so that killing one of many costs no start of Python each.

Reads a JSON of [arguments, seconds until the kill or null] a line; answers with the status that the child ended with.
"""

import importlib
import json
import os
import signal
import sys
import time

from microtome.cli import main

# Once, for all children.
for name in ("h5py", "microtome.cli.patches", "microtome.cli.program", "PIL.PngImagePlugin", "zarr"):
    importlib.import_module(name)

print("ready", flush=True)
for line in sys.stdin:
    arguments, kill_after = json.loads(line)
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        os._exit(main(arguments))
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(pid, signal.SIGKILL)  # one that has ended is still ours to wait for
    print(os.waitpid(pid, 0)[1], flush=True)
