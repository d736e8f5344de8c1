"""`hpo copy sagemaker:NAME`: a tuning job of AMT's as a spec, with nothing dropped in silence."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from hpo.amt.spec import copied_spec
from hpo.testing.aws import Aws
from hpo.wiring.prepared import prepare
from tests.amt.aws import add, calls
from tests.amt.tuning_jobs import LARGE, LARGE_SPEC, LARGE_TAGS, SMALL, SMALL_SPEC
from tests.amt.written import exact, written
from tests.command_line import Hpo


def changed(job: Mapping[str, Any], **config: object) -> dict[str, Any]:
    """Return a tuning job with another configuration."""
    other = copy.deepcopy(dict(job))
    other["HyperParameterTuningJobConfig"] |= config
    return other


@pytest.mark.parametrize(("job", "spec"), [(SMALL, SMALL_SPEC), (LARGE, LARGE_SPEC)])
def test_every_field_has_its_place_in_the_spec(
    hpo: Hpo, aws: Aws, job: dict[str, Any], spec: dict[str, Any]
) -> None:
    name = job["HyperParameterTuningJobName"]
    add(aws, job, tags=LARGE_TAGS if job is LARGE else {})
    assert hpo("copy", f"sagemaker:{name}", "-o", "tune.yaml").out == ""
    assert exact(written(hpo)) == exact(spec)
    prepared = prepare([hpo.folder / "tune.yaml"], check_launch=False)
    assert prepared.spec.name == name
    assert hpo("copy", f"sagemaker:{name}").out == hpo.text("tune.yaml")


def test_automatic_early_stopping_is_the_median_rule(hpo: Hpo, aws: Aws) -> None:
    add(aws, changed(SMALL, TrainingJobEarlyStoppingType="Auto"))
    hpo("copy", "sagemaker:digits", "-o", "tune.yaml")
    launcher = {"launcher": SMALL_SPEC["launcher"]}
    rest = {key: value for key, value in SMALL_SPEC.items() if key != "launcher"}
    assert exact(written(hpo)) == exact(rest | {"early_stopping": "median"} | launcher)


def test_what_the_sdk_adds_for_its_own_use_is_left_out_and_told(hpo: Hpo, aws: Aws) -> None:
    add(aws, LARGE)
    said = hpo("copy", "sagemaker:digits-large", "-o", "tune.yaml").err
    names = "sagemaker_container_log_level, sagemaker_job_name"
    assert f"SageMaker's SDK sets them for its own use: {names}" in said
    assert f"SageMaker's SDK sets them for its own use: {names}" in hpo.text("tune.yaml")
    assert "sagemaker_program" not in hpo.text("tune.yaml")
    assert "_tuning_objective_metric" not in hpo.text("tune.yaml") + said


def test_a_field_that_has_no_place_is_told_on_both_sides(hpo: Hpo, aws: Aws) -> None:
    job = changed(SMALL)
    job["TrainingJobDefinition"]["ResourceConfig"]["InstancePlacementConfig"] = {"EnableMultipleJobs": True}
    add(aws, job)
    said = hpo("copy", "sagemaker:digits", "-o", "tune.yaml").err
    told = (
        "not carried over: TrainingJobDefinition.ResourceConfig.InstancePlacementConfig: "
        "{'EnableMultipleJobs': True}"
    )
    assert told in said
    assert f"\n# {told}\nlauncher:\n" in hpo.text("tune.yaml")
    assert exact(written(hpo)) == exact(SMALL_SPEC)


def test_a_list_in_script_mode_is_told(hpo: Hpo, aws: Aws) -> None:
    job = changed(SMALL)
    job["TrainingJobDefinition"]["StaticHyperParameters"] = {
        "sagemaker_program": '"train.py"',
        "sagemaker_submit_directory": '"s3://code/sourcedir.tar.gz"',
        "layers": "[64, 32]",
    }
    add(aws, job)
    said = hpo("copy", "sagemaker:digits", "-o", "tune.yaml").err
    assert "not carried over: that layers is a list or a mapping" in said
    assert written(hpo)["fixed"] == {"layers": "[64, 32]"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-0.5", -0.5),
        ("true", True),
        ("True", "True"),
        ("1e-05", 1e-05),
        ("1e-5", "1e-5"),
        ("0.10", "0.10"),
        ("+1", "+1"),
        ("1_000", "1_000"),
        ("9007199254740993", "9007199254740993"),
        ("NaN", "NaN"),
        ("1e999", "1e999"),
        ('"5"', "5"),
        ('"a" b', '"a" b'),
        (" 1", " 1"),
        ("", ""),
        ("[1]", "[1]"),
    ],
)
def test_a_fixed_value_becomes_a_number_only_where_its_text_is_the_same(text: str, value: object) -> None:
    job = changed(SMALL)
    job["TrainingJobDefinition"]["StaticHyperParameters"] = {"x": text}
    assert exact(copied_spec(job, tags={}).sections["fixed"]) == exact({"x": value})


def test_a_job_without_surprises_says_nothing(hpo: Hpo, aws: Aws) -> None:
    add(aws, SMALL)
    called = hpo("copy", "sagemaker:digits")
    assert called.err == ""
    assert called.out.startswith("# Copied from SageMaker's tuning job digits in us-east-1 by `hpo copy`.\n")
    assert calls(aws) == ["DescribeHyperParameterTuningJob", "ListTags"]
    assert yaml.safe_load(called.out)["launcher"]["kind"] == "sagemaker"


def test_a_grid_has_its_number_of_combinations(hpo: Hpo, aws: Aws) -> None:
    ranges = {"CategoricalParameterRanges": [{"Name": "depth", "Values": ["2", "4", "8"]}]}
    limits = {"MaxParallelTrainingJobs": 3}
    add(aws, changed(SMALL, Strategy="Grid", ParameterRanges=ranges, ResourceLimits=limits))
    hpo("copy", "sagemaker:digits", "-o", "tune.yaml")
    assert written(hpo)["limits"] == {"max_parallel_jobs": 3}
    prepared = prepare([hpo.folder / "tune.yaml"], check_launch=False)
    assert (prepared.spec.limits.max_jobs, prepared.space.cardinality) == (3, 3)


def test_a_job_without_a_limit_gets_the_number_that_it_had(hpo: Hpo, aws: Aws) -> None:
    add(aws, changed(SMALL, ResourceLimits={"MaxParallelTrainingJobs": 2}))
    said = hpo("copy", "sagemaker:digits", "-o", "tune.yaml").err
    assert "had no limit on its training jobs: max_jobs is how many it had launched" in said
    assert written(hpo)["limits"]["max_jobs"] == 20


def test_one_of_several_algorithms_can_be_copied_alone(hpo: Hpo, aws: Aws) -> None:
    job = changed(SMALL)
    config, definition = job["HyperParameterTuningJobConfig"], job.pop("TrainingJobDefinition")
    definition["TuningObjective"] = config.pop("HyperParameterTuningJobObjective")
    definition["HyperParameterRanges"] = config.pop("ParameterRanges")
    other = copy.deepcopy(definition) | {"DefinitionName": "linear"}
    job["TrainingJobDefinitions"] = [definition | {"DefinitionName": "forest"}, other]
    add(aws, job)
    assert "no definition 'tree'; it has forest, linear" in hpo.refused(
        "copy", "sagemaker:digits", "--definition", "tree"
    )
    said = hpo("copy", "sagemaker:digits", "--definition", "forest", "-o", "tune.yaml").err
    assert "not carried over: the definition linear; copy it with --definition linear" in said
    assert exact(written(hpo)) == exact(SMALL_SPEC)


def test_a_copy_that_cannot_run_as_it_is_says_why(hpo: Hpo, aws: Aws) -> None:
    job = changed(SMALL)
    algorithm = job["TrainingJobDefinition"]["AlgorithmSpecification"]
    algorithm |= {"AlgorithmName": "xgboost", "MetricDefinitions": []}
    del algorithm["TrainingImage"]
    add(aws, job)
    called = hpo("copy", "sagemaker:digits", "-o", "tune.yaml", status=1)
    assert "not carried over: the regex of validation:f1, which is the algorithm's own" in called.err
    assert "hpo: the copy cannot run as it is:\ntune.yaml:" in called.err
    assert hpo("copy", "sagemaker:digits", status=1).out == hpo.text("tune.yaml")


def test_autotune_and_what_it_chose_are_told(hpo: Hpo, aws: Aws) -> None:
    ranges = {
        "AutoParameters": [{"Name": "lr", "ValueHint": "0.1"}],
        **SMALL["HyperParameterTuningJobConfig"]["ParameterRanges"],
    }
    add(aws, changed(SMALL, ParameterRanges=ranges) | {"Autotune": {"Mode": "Enabled"}})
    said = hpo("copy", "sagemaker:digits").err
    assert "not carried over: lr, whose range SageMaker chose itself (its hint: 0.1); give it one" in said
    assert "not carried over: Autotune" in said
    assert "hpo's own is `parameters: auto` with a `learner`" in said


def test_types_of_machines_that_differ_in_number_are_told(hpo: Hpo, aws: Aws) -> None:
    job = changed(SMALL)
    job["TrainingJobDefinition"]["HyperParameterTuningResourceConfig"] = {
        "InstanceConfigs": [
            {"InstanceType": "ml.g5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 50},
            {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 4, "VolumeSizeInGB": 50},
        ]
    }
    del job["TrainingJobDefinition"]["ResourceConfig"]
    add(aws, job)
    said = hpo("copy", "sagemaker:digits", "-o", "tune.yaml").err
    assert "another InstanceCount for each type of machine (2 of ml.g5.xlarge, 4 of ml.g4dn.xlarge)" in said
    assert written(hpo)["launcher"]["instance_count"] == 2


def test_clusters_of_several_types_and_warm_pools(hpo: Hpo, aws: Aws) -> None:
    job = changed(SMALL)
    job["TrainingJobDefinition"]["ResourceConfig"] = {
        "InstanceGroups": [
            {"InstanceGroupName": "gpu", "InstanceType": "ml.g5.xlarge", "InstanceCount": 2},
            {"InstanceGroupName": "cpu", "InstanceType": "ml.m5.large", "InstanceCount": 1},
        ],
        "VolumeSizeInGB": 10,
        "KeepAlivePeriodInSeconds": 1800,
    }
    add(aws, job)
    hpo("copy", "sagemaker:digits", "-o", "tune.yaml")
    launcher = written(hpo)["launcher"]
    assert launcher["instance_groups"] == [
        {"name": "gpu", "type": "ml.g5.xlarge", "count": 2},
        {"name": "cpu", "type": "ml.m5.large", "count": 1},
    ]
    assert (launcher["keep_alive"], launcher["volume"]) == ("30m", 10)
