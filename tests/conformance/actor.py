"""A program that does what a file tells it, step by step: the body of a run that a test controls.

Usage: actor.py FOLDER. The steps of trial N are the lines of FOLDER/N.json; starts are counted in
FOLDER/starts, and a step "hold" waits for a file in FOLDER.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

folder = Path(sys.argv[1])
with (folder / "starts").open("a") as starts:
    starts.write(f"{os.environ['TRAINING_JOB_NAME']}\n")
for kind, value in json.loads((folder / f"{os.environ['HPO_TRIAL']}.json").read_text()):
    match kind:
        case "print":
            os.write(1, value.encode("latin-1"))
        case "hold":
            while not (folder / value).exists():
                time.sleep(0.002)
        case "ignore stop":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        case "exit":
            sys.exit(value)
        case unknown:
            sys.exit(f"a script has no {unknown!r}")
