"""The loop that Optuna's users write: a thread for each slot, a subprocess for each trial.

optuna_loop.py journal|sqlite TRIALS PARALLEL METRIC FOLDER PROGRAM [ARGUMENT…]

A storage that is in FOLDER already is gone on with. With --latencies as the first argument the metric's
value is the time at which it was printed, and the end's line tells how long after that each was durable.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend

STUDY = "overhead"


def storage_in(folder: Path, kind: str) -> BaseStorage:
    """Return the storage of that kind in a folder, made if there is none."""
    if kind == "journal":
        return JournalStorage(JournalFileBackend(str(folder / "journal.log")))
    return RDBStorage(f"sqlite:///{folder / 'study.db'}", engine_kwargs={"connect_args": {"timeout": 60}})


def main(arguments: list[str]) -> None:
    wants_latencies = arguments[0] == "--latencies"
    kind, trials, parallel, metric, folder, *program = arguments[wants_latencies:]
    pattern = re.compile(metric)
    latencies: list[float] = []
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        study_name=STUDY,
        storage=storage_in(Path(folder), kind),
        sampler=optuna.samplers.RandomSampler(seed=1),
        load_if_exists=True,
    )

    def objective(trial: optuna.Trial) -> float:
        value, step = 0.0, 0
        command = [*program, "--x", str(trial.suggest_float("x", 0, 1))]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                if found := pattern.search(line):
                    value, step = float(found[1]), step + 1
                    trial.report(value, step)
                    if wants_latencies:
                        latencies.append(time.time() - value)
        return value

    study.optimize(objective, n_trials=int(trials), n_jobs=int(parallel))
    print(json.dumps({"time": datetime.now(UTC).isoformat(), "latencies": latencies}))


if __name__ == "__main__":
    main(sys.argv[1:])
