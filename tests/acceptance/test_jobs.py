"""Acceptance lines 12, 13 and 15: what a program sees, before a job and in it, and what is left of it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.command_line import PATIENCE, Hpo

SCRIPT = '''
"""A training script as SageMaker's script mode runs it; nothing in it knows of hpo."""
import argparse, json, os, pathlib, sys

parser = argparse.ArgumentParser()
parser.add_argument("--learning-rate", type=float)
parser.add_argument("--n-estimators", type=int)
parser.add_argument("--max-features")
parser.add_argument("--epochs", type=int)
parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
parser.add_argument("--output-data-dir", default=os.environ["SM_OUTPUT_DATA_DIR"])
parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
args = parser.parse_args()

config = pathlib.Path(os.environ["SM_INPUT_CONFIG_DIR"], "hyperparameters.json")
seen = {
    "args": [args.learning_rate, args.n_estimators, args.max_features, args.epochs],
    "data": pathlib.Path(args.train, "data.csv").read_text(),
    "hyperparameters.json": json.loads(config.read_text()),
    "SM_HPS": json.loads(os.environ["SM_HPS"]),
    "SM_HP_LEARNING-RATE": os.environ["SM_HP_LEARNING-RATE"],
    "SM_CHANNELS": json.loads(os.environ["SM_CHANNELS"]),
    "SM_NUM_GPUS": os.environ["SM_NUM_GPUS"],
    "TRAINING_JOB_NAME": os.environ["TRAINING_JOB_NAME"],
    "MODE": os.environ["MODE"],
}
pathlib.Path(args.model_dir, "model.json").write_text(json.dumps(seen))
pathlib.Path(args.output_data_dir, "predictions.csv").write_text("1")
print(f"loss={args.learning_rate}")
'''

PARAMETERS = {
    "learning-rate": {"type": "continuous", "min": 0.01, "max": 0.5},
    "n-estimators": {"type": "integer", "min": 10, "max": 200},
    "max-features": {"type": "categorical", "values": ["sqrt"]},
}


def script_mode(hpo: Hpo, **sections: object) -> None:
    """Write a script-mode program, its data and the spec of a job of it."""
    hpo.write("train.py", SCRIPT)
    (hpo.folder / "data").mkdir()
    hpo.write("data/data.csv", "1,2")
    hpo.job(
        "",
        parameters=PARAMETERS,
        fixed={"epochs": 50},
        inputs={"train": "./data"},
        launcher={"command": [sys.executable, "train.py"], "env": {"MODE": "script"}},
        **sections,
    )


def test_acceptance_13_a_script_mode_program_runs_unmodified(hpo: Hpo) -> None:
    script_mode(hpo, limits={"max_jobs": 1})
    hpo("run", "spec.yaml")
    values = hpo("best", "job", "--json").json["parameters"]
    run = hpo.home / "jobs/job/trials/0001/run-1/ml"
    rate, count = values["learning-rate"], values["n-estimators"]
    assert json.loads((run / "model/model.json").read_text()) == {
        "args": [rate, count, "sqrt", 50],
        "data": "1,2",
        "hyperparameters.json": {
            "learning-rate": repr(rate),
            "n-estimators": str(count),
            "max-features": "sqrt",
            "epochs": "50",
        },
        "SM_HPS": {**values, "epochs": 50},
        "SM_HP_LEARNING-RATE": repr(rate),
        "SM_CHANNELS": ["train"],
        "SM_NUM_GPUS": "0",
        "TRAINING_JOB_NAME": "job-0001-1",
        "MODE": "script",
    }
    assert (run / "output/data/predictions.csv").read_text() == "1"


def test_acceptance_12_a_dry_run_prints_the_metrics_that_it_extracted(hpo: Hpo) -> None:
    script_mode(hpo)
    tried = hpo("try", "spec.yaml")
    assert "loss  0.255, the only match" in tried.out
    assert not hpo.home.exists()


PHRASE = "correct-horse-battery-staple"

TELLING = """
[ "$TOKEN" = "$EXPECTED_START-$EXPECTED_END" ] || exit 3
[ "$KEY" = "$TOKEN" ] || exit 4
echo loss=1
"""


def test_a_secret_is_in_the_environment_of_a_program_and_in_no_file(hpo: Hpo) -> None:
    hpo.write("secret.txt", f"{PHRASE}\n")
    start, _, end = PHRASE.rpartition("-")
    hpo.job(
        TELLING,
        launcher={
            "command": ["sh", "train.sh"],
            "env": {"EXPECTED_START": start, "EXPECTED_END": end},
            "env_from": {"TOKEN": {"file": "secret.txt"}, "KEY": {"env": "MY_KEY"}},
        },
    )
    env = {"MY_KEY": PHRASE}
    ran = hpo("run", "spec.yaml", "--json", env=env)
    shown = [ran.out, ran.err, hpo("plan", "spec.yaml", "--full", env=env).out]
    assert "TOKEN=(from env_from)" in shown[2]
    assert not any(PHRASE in text for text in shown)
    files = [path for path in hpo.home.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert [path for path in files if PHRASE.encode() in path.read_bytes()] == []


LEAVING = """
sleep 1000 &
setsid sleep 1000 &
echo "$HPO_TRIAL" >> started
exec sleep 1000
"""


def stop(hpo: Hpo, process: subprocess.Popen[str]) -> None:
    hpo("stop", "job")


def interrupt(hpo: Hpo, process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)


def close_terminal(hpo: Hpo, process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGHUP)


def wait_for_limit(hpo: Hpo, process: subprocess.Popen[str]) -> None:
    """Do nothing: the job stops itself."""


@pytest.mark.parametrize("end", [stop, interrupt, close_terminal, wait_for_limit])
def test_acceptance_15_a_stop_leaves_no_orphan(
    hpo: Hpo,
    end: Callable[[Hpo, subprocess.Popen[str]], None],
    eventually: Callable[[Callable[[], object]], None],
) -> None:
    most = "2s" if end is wait_for_limit else "1h"
    hpo.job(LEAVING, limits={"max_jobs": 9, "max_parallel_jobs": 3, "max_runtime": most})
    process = hpo.start("run", "spec.yaml")
    eventually(lambda: len(hpo.text("started").split()) == 3)
    end(hpo, process)
    process.wait(PATIENCE)
    assert hpo.left_behind() == []
    assert hpo("status", "job", "--json").json["counts"]["cancelled"] == 3
