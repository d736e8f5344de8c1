"""What is asked of SageMaker for a run, and what no run could be asked for with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.validate import ParamValidator

from hpo.core.trial import Launch
from hpo.errors import CannotStart
from hpo.launchers.launcher import JobContext
from hpo.launchers.sagemaker.input_data import channel_names
from hpo.launchers.sagemaker.options import SageMakerOptions
from hpo.launchers.sagemaker.request import Recipe, Resolved
from hpo.spec.space import Values
from hpo.testing.aws.shapes import check_request, model

LAUNCH = Launch("digits", 7, 2, {"learning-rate": 0.1, "layers": 3, "act": "relu"})
NAME = "digits-k3f9x2-0007-2"
PLAIN: dict[str, object] = {"image": "team/train:1", "instance_type": "ml.m5.xlarge"}


def context(**given: Any) -> JobContext:
    return JobContext("digits", Path("/jobs/digits"), Path("/spec"), Path("/jobs"), **given)


def body_of(
    options: Mapping[str, object],
    *,
    job: Mapping[str, Any] | None = None,
    launch: Launch = LAUNCH,
    name: str = NAME,
    instance_type: str | None = None,
    secrets: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    read = SageMakerOptions.model_validate(options)
    about = context(**(job or {}))
    resolved = Resolved(
        role="arn:aws:iam::123456789012:role/SageMakerTraining",
        output="s3://results/hpo",
        inputs=about.inputs,
        source="s3://results/hpo/source/0123456789abcdef/sourcedir.tar.gz" if read.is_script else None,
        region="eu-west-1",
    )
    return Recipe(about, read).request(
        launch,
        name=name,
        instance_type=instance_type or read.instance_types[0],
        resolved=resolved,
        secrets=secrets or {},
    )


def refused(
    options: Mapping[str, object], job: Mapping[str, Any] | None = None
) -> list[tuple[tuple[str | int, ...], str]]:
    recipe = Recipe(context(**(job or {})), SageMakerOptions.model_validate({**PLAIN, **options}))
    return [(obstacle.path, obstacle.message) for obstacle in recipe.problems()]


def assert_sent(body: Mapping[str, object]) -> None:
    """See that botocore sends it, and that it keeps to every bound and pattern of the service's model."""
    shape = model("sagemaker").operation_model("CreateTrainingJob").input_shape
    report = ParamValidator().validate(body, shape)
    assert not report.has_errors(), report.generate_report()
    check_request("sagemaker", "CreateTrainingJob", body)


def test_another_trial_differs_in_nothing_that_keeps_a_machine_from_it() -> None:
    options = {**PLAIN, "keep_alive": "10m", "vpc": {"subnets": ["subnet-1"], "security_groups": ["sg-1"]}}
    one = body_of(options)
    other = body_of(
        options, launch=Launch("digits", 8, 1, {"learning-rate": 0.5}), name="digits-k3f9x2-0008-1"
    )
    changing = {"TrainingJobName", "HyperParameters", "Environment", "Tags"}
    assert {key: one[key] for key in one.keys() - changing} == {
        key: other[key] for key in other.keys() - changing
    }


def test_a_trial_s_runs_share_its_checkpoints_and_no_other_trial_does() -> None:
    def place(trial: int, run: int, repeat: int = 1) -> object:
        launch = Launch("digits", trial, run, {}, repeat)
        body = body_of({**PLAIN, "spot": True}, launch=launch, name=f"digits-k3f9x2-{trial:04d}-{run}")
        return body["CheckpointConfig"]["S3Uri"]

    assert place(1, 1) == place(1, 2) == "s3://results/hpo/checkpoints/digits-k3f9x2-0001"
    assert place(2, 1) != place(1, 1)
    assert place(1, 3, 2) == place(1, 4, 2) == "s3://results/hpo/checkpoints/digits-k3f9x2-0001-repeat-2"


def test_the_type_that_is_tried_is_asked_for() -> None:
    options = {"image": "x", "instance_types": ["ml.m5.xlarge", "ml.c5.xlarge"]}
    assert body_of(options, instance_type="ml.c5.xlarge")["ResourceConfig"]["InstanceType"] == "ml.c5.xlarge"


def test_secrets_are_variables_and_without_a_command_none_is_the_toolkit_s() -> None:
    variables = body_of({**PLAIN, "env_from": ["WORD"]}, secrets={"WORD": "s3cr3t"})["Environment"]
    assert variables.keys() == {"PYTHONUNBUFFERED", "HPO_JOB", "HPO_TRIAL", "HPO_RUN", "WORD"}
    assert variables["WORD"] == "s3cr3t"


@pytest.mark.parametrize(
    ("options", "limit", "expected"),
    [
        ({}, None, {"MaxRuntimeInSeconds": 86400}),
        ({}, 90.5, {"MaxRuntimeInSeconds": 91}),
        ({"max_run": "1h"}, 90.5, {"MaxRuntimeInSeconds": 3600}),
        ({}, 40 * 86400.0, {"MaxRuntimeInSeconds": 28 * 86400}),
        ({"spot": True}, None, {"MaxRuntimeInSeconds": 86400, "MaxWaitTimeInSeconds": 172800}),
        ({"spot": True, "max_wait": "1h"}, None, {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 3600}),
        ({"spot": True}, 600.0, {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 1200}),
        (
            {"spot": True, "max_run": "20d"},
            None,
            {"MaxRuntimeInSeconds": 20 * 86400, "MaxWaitTimeInSeconds": 28 * 86400},
        ),
    ],
)
def test_how_long_a_run_may_take(options: dict[str, object], limit: float | None, expected: object) -> None:
    assert body_of({**PLAIN, **options}, job={"max_job_runtime": limit})["StoppingCondition"] == expected


COMMAND: dict[str, object] = {**PLAIN, "command": "python -u train.py"}


@pytest.mark.parametrize(
    ("written", "entry_point", "arguments"),
    [
        (
            {"command": ["python", "train.py", "--lr={learning-rate}", "{layers}"]},
            ["python"],
            ["train.py", "--lr=0.1", "3", "--act", "relu"],
        ),
        (
            {"command": ["sh", "-c", "exec train {args}"]},
            ["sh"],
            ["-c", "exec train --learning-rate 0.1 --layers 3 --act relu"],
        ),
        ({"command": "true {learning-rate}{layers}{act}"}, ["true"], ["0.13relu"]),
        (
            {"arguments": "fit {args} --verbose"},
            None,
            ["fit", "--learning-rate", "0.1", "--layers", "3", "--act", "relu", "--verbose"],
        ),
        ({}, None, None),
    ],
)
def test_how_the_program_is_called(
    written: dict[str, object], entry_point: list[str] | None, arguments: list[str] | None
) -> None:
    algorithm = body_of({**PLAIN, **written})["AlgorithmSpecification"]
    assert algorithm.get("ContainerEntrypoint") == entry_point
    assert algorithm.get("ContainerArguments") == arguments


def test_a_command_may_have_more_words_than_arguments_have_room_for() -> None:
    params: Values = {f"p{number}": number for number in range(60)}
    algorithm = body_of(COMMAND, launch=Launch("digits", 7, 2, params))["AlgorithmSpecification"]
    words = ["python", "-u", "train.py", *(part for name in params for part in (f"--{name}", name[1:]))]
    assert len(words) == 123
    assert (algorithm["ContainerEntrypoint"], algorithm["ContainerArguments"]) == (words[:23], words[23:])


def test_variables_of_the_toolkit_give_way_to_the_user_s_and_to_sagemaker_s_limits() -> None:
    params: Values = {"learning-rate": 0.1, "text": "x" * 250, **{f"p{n}": "y" * 20 for n in range(40)}}
    env = {"SM_HP_P0": "mine", "SM_MODEL_DIR": "/mine", **{f"V{n}": n for n in range(60)}}
    variables = body_of({**COMMAND, "env": env}, launch=Launch("digits", 7, 2, params))["Environment"]
    assert len(variables) == 100
    assert (variables["SM_HP_P0"], variables["SM_MODEL_DIR"]) == ("mine", "/mine")
    assert variables["SM_HP_TEXT"] == "x" * 250
    assert "SM_HPS" not in variables  # longer than a variable may be
    assert "SM_HP_LEARNING-RATE" not in variables  # no name of a variable's
    assert all(f"V{n}" in variables for n in range(60))


def test_a_script_s_texts_stay_texts() -> None:
    options = {**PLAIN, "source_dir": "src", "entry_point": "train.py"}
    params: Values = {"kind": "1e-3", "flag": True, "none": None, "x": 0.5, "n": 3}
    texts = body_of(options, launch=Launch("digits", 7, 2, params))["HyperParameters"]
    assert {name: json.loads(texts[name]) for name in params} == params


LONG = "x" * 2501


@pytest.mark.parametrize(
    ("options", "params", "words"),
    [
        ({}, {"text": LONG}, "`parameters.text`: SageMaker takes 2,500 characters, and this value has 2,501"),
        ({}, {"text": "a\nb"}, "`parameters.text`: SageMaker takes no line breaks"),
        ({}, {f"p{n}": n for n in range(101)}, "SageMaker takes 100 hyperparameters, and these are 101"),
        ({"command": "python train.py"}, {"text": "x" * 257}, "`launcher.command`: SageMaker takes 256 char"),
        (
            {"arguments": "fit"},
            {f"p{n}": n for n in range(60)},
            "`launcher.arguments`: SageMaker takes 100 wo",
        ),
    ],
)
def test_a_run_that_sagemaker_would_not_take(options: dict[str, object], params: Values, words: str) -> None:
    with pytest.raises(CannotStart) as refusal:
        body_of({**PLAIN, **options}, launch=Launch("digits", 7, 2, params))
    assert words in str(refusal.value)


def test_a_secret_that_is_too_long_is_not_told() -> None:
    with pytest.raises(CannotStart, match=r"env_from.*the value of TOKEN has 513; keep it in") as refusal:
        body_of({**PLAIN, "env_from": ["TOKEN"]}, secrets={"TOKEN": "s3cr3t" + "x" * 507})
    assert "s3cr3t" not in str(refusal.value)


@pytest.mark.parametrize(
    ("options", "job", "path", "words"),
    [
        ({}, {"metrics": {f"m{n}": "x" for n in range(41)}}, ("metrics",), "at most 40 metrics"),
        ({}, {"metrics": {"f1": "x" * 501}}, ("metrics", "f1"), "500 characters for a regex"),
        ({}, {"metrics": {"x" * 256: "f1"}}, ("metrics", "x" * 256), "255 characters"),
        ({}, {"metrics": {"f1": "a\nb"}}, ("metrics", "f1"), "no line breaks"),
        ({}, {"fixed": {f"p{n}": n for n in range(101)}}, ("fixed",), "100 hyperparameters"),
        ({}, {"fixed": {"text": LONG}}, ("fixed", "text"), "2,500 characters"),
        ({"command": "x" * 257}, {}, ("launcher", "command"), "256 characters"),
        ({"env": {f"V{n}": n for n in range(97)}}, {}, ("launcher", "env"), "these are 101"),
        ({"env_from": [f"V{n}" for n in range(97)]}, {}, ("launcher", "env"), "these are 101"),
        ({"channels": {"train": {}}}, {}, ("launcher", "channels", "train"), "no such channel"),
        (
            {"channels": {"train": {"s3_type": "manifest"}}},
            {"inputs": {"train": "list.json"}},
            ("inputs", "train"),
            "a manifest",
        ),
        ({}, {"inputs": {"train": "https://x/y"}}, ("inputs", "train"), "not https://x/y"),
        ({}, {"inputs": {"train": "s3://x"}}, ("inputs", "train"), "names no bucket"),
        ({}, {"inputs": {f"c{n}": "s3://data/x" for n in range(21)}}, ("inputs",), "20 channels"),
        (
            {"spot": True, "max_wait": 60},
            {"max_job_runtime": 90.0},
            ("launcher", "max_wait"),
            "is 90 seconds",
        ),
        ({"instance_type": "ml.m5.xlarg"}, {}, ("launcher", "instance_type"), "did you mean `ml.m5.xlarge`?"),
    ],
)
def test_what_no_run_could_be_asked_for_with(
    options: dict[str, object], job: dict[str, Any], path: tuple[str, ...], words: str
) -> None:
    [(where, message)] = refused(options, job)
    assert (where, words in message) == (path, True), message


def test_a_channel_of_a_file_system_is_no_input() -> None:
    options = {
        "vpc": {"subnets": ["subnet-1"], "security_groups": ["sg-1"]},
        "channels": {"train": {"file_system": {"id": "fs-12345678", "type": "efs", "path": "/"}}},
    }
    assert refused(options) == []
    [(path, message)] = refused(options, {"inputs": {"train": "s3://data/x"}})
    assert (path, "lies elsewhere" in message) == (("inputs", "train"), True)


def test_metrics_that_stay_with_hpo_may_be_as_they_like() -> None:
    job = {"metrics": {f"m{n}": "x" * 501 for n in range(41)}}
    assert refused({"metric_definitions": False}, job) == []
    body = body_of({**PLAIN, "metric_definitions": False}, job=job)
    assert "MetricDefinitions" not in body["AlgorithmSpecification"]
    algorithm = {"algorithm": "my-algorithm", "instance_type": "ml.m5.xlarge"}
    assert "MetricDefinitions" not in body_of(algorithm, job=job)["AlgorithmSpecification"]


def test_the_program_sees_the_channels_of_inputs_and_of_file_systems() -> None:
    file_system = {"id": "fs-12345678", "type": "efs", "path": "/data"}
    vpc = {"subnets": ["subnet-1"], "security_groups": ["sg-1"]}
    given = {**COMMAND, "vpc": vpc, "channels": {"big": {"file_system": file_system}, "train": {}}}
    job = {"inputs": {"train": "s3://data/x"}}
    assert channel_names(context(**job), SageMakerOptions.model_validate(given)) == ["train", "big"]
    variables = body_of(given, job=job)["Environment"]
    assert variables["SM_CHANNELS"] == '["big","train"]'
    assert variables["SM_CHANNEL_BIG"] == "/opt/ml/input/data/big"
