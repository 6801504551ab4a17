"""A Python contender's process: contend.py NAME JOB, both as protocol.py says. Runs on Python 3.9 and later."""

from __future__ import annotations

import importlib
import json
import sys

import contenders
import protocol
import tasks


def main():
    answers = protocol.private_output()
    job = json.loads(sys.argv[2])
    try:
        contender = importlib.import_module("contenders." + sys.argv[1]).Contender
        work = tasks.load(job["task"]).work(contender, job)
    except (contenders.Unsupported, ImportError) as error:
        print(json.dumps({"unsupported": str(error).split("\n")[0]}), file=answers, flush=True)
        return
    protocol.serve(work, answers)


if __name__ == "__main__":
    main()
