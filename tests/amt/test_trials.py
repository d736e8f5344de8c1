"""The trials of a tuning job of AMT's: typed by its ranges, every page of them, the failed ones too."""

from __future__ import annotations

import csv
import json
from contextlib import closing
from typing import Any

import pytest

from hpo.amt.service import TuningJobs
from hpo.amt.trials import ObjectiveStatus, ParentTrial, read_trials
from hpo.errors import JobNotFound, LauncherError
from hpo.launchers.sagemaker.answers import Status
from hpo.spec.space import Values
from hpo.testing.aws import Aws
from tests.amt.aws import add, calls
from tests.amt.tuning_jobs import LARGE, SMALL, SMALL_SPEC
from tests.command_line import Hpo

TUNED = {
    "batch": "64",
    "layers": "3.0",
    "lr": "1.0E-4",
    "momentum": '"0.9"',
    "optimizer": '"adam"',
    "width": "128",
}
TYPED: Values = {"batch": 64, "layers": 3, "lr": 1e-4, "momentum": 0.9, "optimizer": "adam", "width": 128}


def summary(number: int, tuned: dict[str, str], **fields: object) -> dict[str, Any]:
    """Return a training job as AWS lists those of a tuning job."""
    name = f"digits-{number:03}-0a1b2c3d"
    return {
        "TrainingJobName": name,
        "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}",
        "CreationTime": 1.7e9 + number,
        "TrainingJobStatus": "Completed",
        "TunedHyperParameters": tuned,
        **fields,
    }


def done(number: int, tuned: dict[str, str], value: float) -> dict[str, Any]:
    return summary(
        number,
        tuned,
        TrainingStartTime=1.7e9 + number,
        TrainingEndTime=1.7e9 + number + 60.5,
        FinalHyperParameterTuningJobObjectiveMetric={"MetricName": "validation:loss", "Value": value},
        ObjectiveStatus="Succeeded",
    )


def read(name: str) -> list[ParentTrial]:
    with closing(TuningJobs()) as jobs:
        return read_trials(name, jobs)


def test_values_are_typed_by_their_ranges(aws: Aws) -> None:
    add(aws, LARGE, [done(1, TUNED, 0.25)])
    (trial,) = read("digits-large")
    assert trial == ParentTrial(
        training_job="digits-001-0a1b2c3d",
        definition="",
        parameters=TYPED,
        status=Status.COMPLETED,
        objective=ObjectiveStatus.SUCCEEDED,
        value=0.25,
        reason="",
        created=1.7e9 + 1,
        started=1.7e9 + 1,
        ended=1.7e9 + 61.5,
    )
    assert {name: type(value) for name, value in trial.parameters.items()} == {
        name: type(value) for name, value in TYPED.items()
    }
    assert (trial.seconds, trial.is_evidence) == (60.5, True)


def test_a_trial_is_a_configuration_of_the_copied_space(aws: Aws, hpo: Hpo) -> None:
    """What a warm start compares: a parent's values are values of the spec's own parameters."""
    from hpo.wiring.prepared import prepare

    widths = LARGE["HyperParameterTuningJobConfig"]["ParameterRanges"]["CategoricalParameterRanges"][1]
    trials = [done(number, TUNED | {"width": text}, 0.5) for number, text in enumerate(widths["Values"])]
    add(aws, LARGE, trials)
    hpo("copy", "sagemaker:digits-large", "-o", "tune.yaml")
    space = prepare([hpo.folder / "tune.yaml"], check_launch=False).space
    found = read("digits-large")
    assert [space.contains(trial.parameters) for trial in found] == [True] * 7
    assert len({repr(trial.parameters["width"]) for trial in found}) == 7


def test_all_pages_are_read_in_the_order_of_creation(aws: Aws) -> None:
    add(aws, SMALL, [done(number, {"max-depth": str(2 + number % 30)}, number / 8) for number in range(250)])
    found = read("digits")
    assert [trial.value for trial in found] == [number / 8 for number in range(250)]
    assert calls(aws) == [
        "DescribeHyperParameterTuningJob",
        *["ListTrainingJobsForHyperParameterTuningJob"] * 3,
    ]


def test_those_that_failed_or_still_run_are_kept_with_their_status(aws: Aws) -> None:
    said = "AlgorithmError: ExecuteUserScriptError, exit code: 1"
    add(
        aws,
        SMALL,
        [
            summary(1, {"max-depth": "2"}, TrainingJobStatus="Failed", FailureReason=said),
            summary(2, {"max-depth": "3"}, TrainingJobStatus="InProgress", ObjectiveStatus="Pending"),
            summary(3, {"max-depth": "4"}, TrainingJobStatus="Stopped", ObjectiveStatus="Failed"),
            summary(4, {"max-depth": "5"}, ObjectiveStatus="Failed"),
        ],
    )
    found = read("digits")
    assert [trial.status.value for trial in found] == ["Failed", "InProgress", "Stopped", "Completed"]
    assert [trial.value for trial in found] == [None] * 4
    assert [trial.is_evidence for trial in found] == [False] * 4
    assert found[0].reason == said
    assert [trial.objective for trial in found] == [
        None,
        ObjectiveStatus.PENDING,
        ObjectiveStatus.FAILED,
        ObjectiveStatus.FAILED,
    ]


def test_trials_of_several_algorithms_are_typed_by_their_own(aws: Aws) -> None:
    integers = {"IntegerParameterRanges": [{"Name": "x", "MinValue": "1", "MaxValue": "9"}]}
    reals = {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "1", "MaxValue": "9"}]}
    job = {key: value for key, value in SMALL.items() if key != "TrainingJobDefinition"}
    job["TrainingJobDefinitions"] = [
        SMALL["TrainingJobDefinition"] | {"DefinitionName": "whole", "HyperParameterRanges": integers},
        SMALL["TrainingJobDefinition"] | {"DefinitionName": "real", "HyperParameterRanges": reals},
    ]
    trials = [
        summary(number, {"x": "4"}, TrainingJobDefinitionName=name)
        for number, name in enumerate(["whole", "real"])
    ]
    add(aws, job, trials)
    assert [(trial.definition, repr(trial.parameters["x"])) for trial in read("digits")] == [
        ("whole", "4"),
        ("real", "4.0"),
    ]


def test_a_value_that_is_none_is_told_with_its_trial(aws: Aws) -> None:
    add(aws, SMALL, [done(1, {"max-depth": "2.5"}, 0.5)])
    with pytest.raises(LauncherError, match=r"max-depth of digits-001-0a1b2c3d is '2\.5', which is no whole"):
        read("digits")


def test_an_unknown_job_and_a_missing_permission(aws: Aws) -> None:
    with pytest.raises(JobNotFound, match="no tuning job nowhere in us-east-1"):
        read("nowhere")
    add(aws, SMALL)
    aws.settings.denied = {"ListTrainingJobsForHyperParameterTuningJob"}
    with pytest.raises(LauncherError, match="sagemaker:ListTrainingJobsForHyperParameterTuningJob"):
        read("digits")


def test_the_table_has_the_columns_of_the_analytics(hpo: Hpo, aws: Aws) -> None:
    add(
        aws,
        SMALL,
        [
            done(1, {"max-depth": "12"}, 0.75),
            summary(2, {"max-depth": "3"}, TrainingJobStatus="Failed", FailureReason="ClientError: no"),
        ],
    )
    said = hpo("copy", "sagemaker:digits", "-o", "tune.yaml", "--trials", "trials.csv").err
    assert "wrote 2 trials to trials.csv" in said
    first, second = csv.DictReader(hpo.text("trials.csv").splitlines())
    assert first == {
        "max-depth": "12",
        "TrainingJobName": "digits-001-0a1b2c3d",
        "TrainingJobStatus": "Completed",
        "FinalObjectiveValue": "0.75",
        "TrainingStartTime": "2023-11-14T22:13:21Z",
        "TrainingEndTime": "2023-11-14T22:14:21.500000Z",
        "TrainingElapsedTimeSeconds": "60.5",
        "FailureReason": "",
    }
    assert (second["FinalObjectiveValue"], second["TrainingStartTime"]) == ("", "")
    assert second["FailureReason"] == "ClientError: no"
    hpo("copy", "sagemaker:digits", "--trials", "trials.json")
    table = json.loads(hpo.text("trials.json"))
    assert [row["max-depth"] for row in table] == [12, 3]
    assert [row["FinalObjectiveValue"] for row in table] == [0.75, None]


def test_a_table_of_no_known_form_is_refused(hpo: Hpo, aws: Aws) -> None:
    add(aws, SMALL)
    assert "must end in .csv or .json" in hpo.refused("copy", "sagemaker:digits", "--trials", "t.xlsx")
    assert "only for a tuning job of SageMaker's" in hpo.refused("copy", "digits", "--trials", "t.csv")
    assert calls(aws) == []


def test_a_job_without_trials_gives_an_empty_table(hpo: Hpo, aws: Aws) -> None:
    add(aws, SMALL)
    hpo("copy", "sagemaker:digits", "--trials", "trials.csv")
    hpo("copy", "sagemaker:digits", "--trials", "trials.json")
    assert hpo.text("trials.csv") == "TrainingJobName\n"
    assert json.loads(hpo.text("trials.json")) == []


def test_a_tuning_job_is_a_parent(hpo: Hpo, aws: Aws) -> None:
    """Its trials are evidence for a job of its copied spec, whose best may be one of them."""
    trials = [
        done(1, {"max-depth": "8"}, 0.5),
        done(2, {"max-depth": "16"}, 0.75),
        summary(3, {"max-depth": "4"}, TrainingJobStatus="Failed"),
        summary(4, {"max-depth": "5"}, TrainingJobStatus="Stopped"),
    ]
    add(aws, SMALL, trials)
    hpo.job(
        "echo 'f1: 0.1'",
        name="again",
        strategy="bayesian",
        objective=SMALL_SPEC["objective"],
        metrics=SMALL_SPEC["metrics"],
        parameters=SMALL_SPEC["parameters"],
        warm_start={"type": "identical", "parents": ["sagemaker:digits"]},
    )
    region = {"AWS_DEFAULT_REGION": "us-east-1"}
    hpo("run", "spec.yaml", env=region)
    (data,) = hpo("status", "again", "--json").json["warm_start"]
    counts = [data[key] for key in ("trials", "used", "failed", "unfinished")]
    assert counts == [4, 2, 1, 1]
    best = hpo("best", "again", "--json").json
    assert (best["value"], best["origin"], best["trial"]) == (0.75, "digits", 2)
    assert best["parameters"] == {"max-depth": 16}
    for change, words in {
        "objective.goal=minimize": "its goal was to maximize",
        "parameters.max-depth={type: continuous, min: 2, max: 32}": "`max-depth` was integer there",
        "warm_start.parents=[sagemaker:nobody]": "SageMaker has no tuning job nobody",
    }.items():
        assert words in hpo("run", "spec.yaml", "--name", "x", "--set", change, status=2, env=region).err
    add(aws, SMALL | {"HyperParameterTuningJobName": "open", "HyperParameterTuningJobStatus": "InProgress"})
    running = hpo(
        "run", "spec.yaml", "--set", "warm_start.parents=[sagemaker:open]", status=2, env=region
    ).err
    assert "it is InProgress still" in running
