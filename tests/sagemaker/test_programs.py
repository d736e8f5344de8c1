"""What a program sees of a training job, in script mode and called by a command; data and code lie here."""

from __future__ import annotations

import json
import sys

import yaml

from hpo.testing.aws import Aws
from tests.command_line import Hpo
from tests.sagemaker.conftest import launcher

LOOK = """
import argparse, json, os, pathlib, helper
parser = argparse.ArgumentParser()
for name in ("x", "kind", "epochs"):
    parser.add_argument("--" + name)
arguments = vars(parser.parse_args())
train = pathlib.Path(os.environ["SM_CHANNEL_TRAIN"])
seen = {
    "arguments": arguments,
    "files": {str(path.relative_to(train)): path.read_text() for path in train.rglob("*") if path.is_file()},
    "hps": json.loads(os.environ["SM_HPS"]),
    "trial": os.environ["HPO_TRIAL"],
    "mode": os.environ["MODE"],
}
print("seen", json.dumps(seen))
print("loss=%s" % arguments["x"])
"""


def spec(hpo: Hpo, options: dict[str, object]) -> None:
    for folder in ("src", "data/deep"):
        (hpo.folder / folder).mkdir(parents=True)
    hpo.write("src/train.py", LOOK)
    hpo.write("src/helper.py", "")
    hpo.write("data/a.csv", "1")
    hpo.write("data/deep/b.csv", "2")
    options = launcher(env={"MODE": "fast lane"}, **options)
    sections = {
        "name": "job",
        "objective": {"metric": "loss", "goal": "minimize"},
        "metrics": {"loss": r"loss=(\S+)"},
        "parameters": {
            "x": {"type": "continuous", "min": 0.1, "max": 0.9},
            "kind": {"type": "categorical", "values": ["1e-3"]},  # a text that looks like a number
        },
        "fixed": {"epochs": 5},
        "strategy": "random",
        "seed": 1,
        "limits": {"max_jobs": 2, "max_parallel_jobs": 2},
        "inputs": {"train": "data"},
        "launcher": options,
    }
    hpo.write("spec.yaml", yaml.safe_dump(sections, sort_keys=False))


def assert_seen(hpo: Hpo) -> None:
    trials = hpo("trials", "job", "--json").json
    assert [trial["status"] for trial in trials] == ["completed", "completed"]
    for trial in trials:
        log = hpo("logs", "job", str(trial["trial"])).out
        [line] = [line for line in log.splitlines() if line.startswith("seen ")]
        params = {**trial["parameters"], "epochs": 5}
        assert json.loads(line.removeprefix("seen ")) == {
            "arguments": {name: str(value) for name, value in params.items()},
            "files": {"a.csv": "1", "deep/b.csv": "2"},
            "hps": params,
            "trial": str(trial["trial"]),
            "mode": "fast lane",
        }
        assert trial["value"] == params["x"]


def uploads(aws: Aws) -> int:
    return len([request for request in aws.requests if request.operation == "PutObject"])


def test_script_mode(hpo: Hpo, aws: Aws) -> None:
    spec(hpo, {"source_dir": "src", "entry_point": "train.py"})
    hpo("run", "spec.yaml")
    assert_seen(hpo)


def test_an_isolated_script_comes_in_a_channel(hpo: Hpo, aws: Aws) -> None:
    spec(hpo, {"source_dir": "src", "entry_point": "train.py", "isolated": True})
    hpo("run", "spec.yaml")
    assert_seen(hpo)


def test_a_command(hpo: Hpo, aws: Aws) -> None:
    spec(hpo, {"command": [sys.executable, "-u", str(hpo.folder / "src/train.py"), "--kind={kind}"]})
    hpo("run", "spec.yaml")
    assert_seen(hpo)


def test_a_plan_shows_the_request_and_uploads_nothing(hpo: Hpo, aws: Aws) -> None:
    spec(hpo, {"source_dir": "src", "entry_point": "train.py"})
    planned = hpo("plan", "spec.yaml", "--full").out
    assert "inputs/train-DIGEST/" in planned
    assert "source/DIGEST/sourcedir.tar.gz" in planned
    assert uploads(aws) == 0
