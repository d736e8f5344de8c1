"""Syne Tune's local backend with its shortest sensible sleep, for an interpreter that has syne-tune.

syne_tune_loop.py TRIALS PARALLEL SCRIPT: the script is run by sh, and reports in Syne Tune's words.
"""
# mypy: ignore-errors

import json
import logging
import sys
from datetime import UTC, datetime

from syne_tune import StoppingCriterion, Tuner
from syne_tune.backend import LocalBackend
from syne_tune.config_space import uniform
from syne_tune.optimizer.baselines import RandomSearch


def main(trials: str, parallel: str, script: str) -> None:
    logging.disable(logging.WARNING)
    Tuner(
        trial_backend=LocalBackend(entry_point=script, binary="sh"),
        scheduler=RandomSearch({"x": uniform(0, 1)}, metrics=["loss"], do_minimize=True),
        n_workers=int(parallel),
        stop_criterion=StoppingCriterion(max_num_trials_started=int(trials)),
        sleep_time=0.1,
        print_update_interval=3600,
        save_tuner=False,
    ).run()
    print(json.dumps({"time": datetime.now(UTC).isoformat()}))


main(*sys.argv[1:])
