"""A tuning job of AMT's with several algorithms: copied, run, and begun with."""

from __future__ import annotations

import copy
import csv
import io
import json
import tarfile
from collections import Counter
from typing import Any

import pytest
import yaml

from hpo.testing.aws import Aws
from tests.amt.aws import add
from tests.amt.test_trials import done
from tests.amt.tuning_jobs import IMAGE, ROLE, SMALL
from tests.command_line import Hpo

PROGRAM = """
import json, os
given = json.loads(os.environ["SM_HPS"])
print("got", json.dumps(given))
print("{score}", {value})
"""


def script(name: str) -> dict[str, str]:
    """Return the hyperparameters by which SageMaker's SDK names a program of the script mode."""
    return {
        "sagemaker_program": '"train.py"',
        "sagemaker_submit_directory": f'"s3://code/{name}.tar.gz"',
        "epochs": "3",
    }


def several() -> dict[str, Any]:
    """Return a tuning job of two programs, each with ranges, words for its score and machines of its own."""
    job = copy.deepcopy(SMALL)
    config, forest = job["HyperParameterTuningJobConfig"], job.pop("TrainingJobDefinition")
    objective, ranges = config.pop("HyperParameterTuningJobObjective"), config.pop("ParameterRanges")
    config["ResourceLimits"]["MaxNumberOfTrainingJobs"] = 6
    forest |= {
        "DefinitionName": "forest",
        "TuningObjective": objective,
        "HyperParameterRanges": ranges,
        "StaticHyperParameters": script("forest"),
        "Environment": {"MODE": "tuning"},
    }
    linear = copy.deepcopy(forest) | {
        "DefinitionName": "1-linear",
        "TuningObjective": {"Type": "Maximize", "MetricName": "f1-of-linear"},
        "HyperParameterRanges": {
            "ContinuousParameterRanges": [{"Name": "alpha", "MinValue": "0.0", "MaxValue": "1.0"}]
        },
        "StaticHyperParameters": {**script("linear"), "penalty": "l2"},
        "EnableInterContainerTrafficEncryption": True,
    }
    linear["AlgorithmSpecification"]["MetricDefinitions"] = [{"Name": "f1-of-linear", "Regex": r"F1 (\S+)"}]
    linear["ResourceConfig"]["InstanceType"] = "ml.c5.xlarge"
    job["TrainingJobDefinitions"] = [forest, linear]
    return job


def trials() -> list[dict[str, Any]]:
    """Return three trials of the forest, and one of the other."""
    own = [(1, {"max-depth": "8"}, 0.08), (2, {"max-depth": "16"}, 0.99), (4, {"max-depth": "4"}, 0.04)]
    forest = [done(*each) | {"TrainingJobDefinitionName": "forest"} for each in own]
    return [*forest, done(3, {"alpha": "0.5"}, 0.5) | {"TrainingJobDefinitionName": "1-linear"}]


@pytest.fixture
def job(aws: Aws) -> dict[str, Any]:
    """The tuning job, and its programs in S3."""
    s3 = aws.client("s3")
    for bucket in ("code", "models"):
        s3.create_bucket(Bucket=bucket)
    for name, (score, value) in {
        "forest": ("f1:", 'given["max-depth"] / 100'),
        "linear": ("F1", 'given["alpha"]'),
    }.items():
        program = PROGRAM.format(score=score, value=value).encode()
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            entry = tarfile.TarInfo("train.py")
            entry.size = len(program)
            archive.addfile(entry, io.BytesIO(program))
        s3.put_object(Bucket="code", Key=f"{name}.tar.gz", Body=packed.getvalue())
    s3.close()
    made = several()
    add(aws, made, trials())
    return made


def test_all_algorithms_are_copied_with_what_they_share(hpo: Hpo, job: dict[str, Any]) -> None:
    said = hpo("copy", "sagemaker:digits", "-o", "tune.yaml").err
    copied = yaml.safe_load(hpo.text("tune.yaml"))
    assert copied == {
        "name": "digits",
        "strategy": "bayesian",
        "objective": {"metric": "validation:f1", "goal": "maximize"},
        "algorithms": {
            "forest": {
                "parameters": {
                    "max-depth": {"type": "integer", "min": 2, "max": 32, "scaling": "logarithmic"}
                },
                "metrics": {"validation:f1": r"f1: (\S+)"},
                "launcher": {"source_dir": "s3://code/forest.tar.gz", "instance_type": "ml.m5.large"},
            },
            "_1-linear": {
                "parameters": {"alpha": {"type": "continuous", "min": 0.0, "max": 1.0}},
                "metrics": {"f1-of-linear": r"F1 (\S+)", "validation:f1": r"F1 (\S+)"},
                "fixed": {"penalty": "l2"},
                "launcher": {
                    "source_dir": "s3://code/linear.tar.gz",
                    "instance_type": "ml.c5.xlarge",
                    "encrypt_traffic": True,
                },
            },
        },
        "fixed": {"epochs": 3},
        "limits": {"max_jobs": 6, "max_parallel_jobs": 2},
        "launcher": {
            "kind": "sagemaker",
            "image": IMAGE,
            "entry_point": "train.py",
            "env": {"MODE": "tuning"},
            "instance_count": 1,
            "volume": 10,
            "max_run": "1h",
            "output": "s3://models/digits",
            "role": ROLE,
            "region": "us-east-1",
        },
    }
    for words in (
        "the objective of 1-linear is f1-of-linear; it is read as validation:f1, too, to be compared",
        "the definition 1-linear is _1-linear here: no name begins with a digit",
    ):
        assert words in said
        assert f"# {words}\n" in hpo.text("tune.yaml")


def test_what_algorithms_cannot_differ_in_is_told(hpo: Hpo, aws: Aws, job: dict[str, Any]) -> None:
    forest, linear = job["TrainingJobDefinitions"]
    linear["TuningObjective"] = {"Type": "Minimize", "MetricName": "f1-of-linear"}
    for definition, place in ((forest, "a"), (linear, "b")):
        source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://data/{place}"}}
        definition["InputDataConfig"] = [{"ChannelName": "train", "DataSource": source}]
    forest["InputDataConfig"].append({"ChannelName": "test", "DataSource": source})
    add(aws, job)
    said = hpo("copy", "sagemaker:digits", "-o", "tune.yaml").err
    assert "not carried over: that the goal of 1-linear is to minimize" in said
    assert "not carried over: that train is s3://data/b for 1-linear: all algorithms share the inputs" in said
    assert "not carried over: that 1-linear had no test: all algorithms share the inputs" in said
    inputs = yaml.safe_load(hpo.text("tune.yaml"))["inputs"]
    assert inputs == {"train": "s3://data/a", "test": "s3://data/b"}


def test_the_copy_runs_and_begins_with_the_trials_of_each(hpo: Hpo, job: dict[str, Any]) -> None:
    hpo("copy", "sagemaker:digits", "-o", "tune.yaml", "--trials", "trials.csv")
    start = "warm_start={type: identical, parents: [sagemaker:digits]}"
    hpo("run", "tune.yaml", "--set", "launcher.poll=0.2", "--set", start, "--name", "again")
    told = hpo("status", "again", "--json").json["warm_start"]
    counts = [(each["parent"], each["algorithm"], each["used"], each["trials"]) for each in told]
    assert counts == [("sagemaker:digits", "forest", 3, 3), ("sagemaker:digits", "_1-linear", 1, 1)]
    ran = hpo("trials", "again", "--json").json
    assert [trial["status"] for trial in ran] == ["completed"] * 6
    assert set(Counter(trial["algorithm"] for trial in ran)) == {"forest", "_1-linear"}
    for trial in ran:
        lines = hpo("logs", "again", str(trial["trial"])).out.splitlines()
        got = json.loads(next(line for line in lines if "got" in line).partition("got ")[2])
        (value,) = trial["parameters"].values()
        if trial["algorithm"] == "forest":
            assert (got, trial["value"]) == ({"max-depth": value, "epochs": 3}, value / 100)
        else:
            assert (got, trial["value"]) == ({"alpha": value, "epochs": 3, "penalty": "l2"}, value)
    parents = [
        each for each in hpo("best", "again", "--top", "9", "--json").json if each["origin"] == "digits"
    ]
    assert ("forest", 2, 0.99) in {(each["algorithm"], each["trial"], each["value"]) for each in parents}
    assert {each["algorithm"] for each in parents} == {"forest", "_1-linear"}
    rows = list(csv.DictReader(hpo.text("trials.csv").splitlines()))
    assert Counter(row["TrainingJobDefinitionName"] for row in rows) == {"forest": 3, "1-linear": 1}
    table = "warm_start={type: identical, parents: [trials.csv]}"
    planned = hpo("plan", "tune.yaml", "--set", table, "--json").json["warm_start"]
    assert [(each["algorithm"], each["used"]) for each in planned] == [("forest", 3), ("_1-linear", 1)]
