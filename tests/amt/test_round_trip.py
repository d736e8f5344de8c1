"""From a tuning job to a spec, and from there to the request for a trial: the same again."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from hpo.core.trial import Launch
from hpo.launchers.sagemaker.options import SageMakerOptions
from hpo.launchers.sagemaker.request import Recipe, Resolved
from hpo.testing.aws import Aws
from hpo.wiring.prepared import prepare
from tests.amt.aws import add
from tests.amt.tuning_jobs import LARGE, SMALL
from tests.command_line import Hpo

DEFAULTS = {
    "CompressionType": {"None", "GZIP"},
    "RecordWrapperType": {"None"},
    "S3DataDistributionType": {"FullyReplicated"},
    "InputMode": set[str](),
}
"""Values that say the same as no value."""


def plain(value: Any) -> Any:
    """Return a request, or a part of it, without what says nothing."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value.rstrip("/") if isinstance(value, str) else value
    return {key: plain(item) for key, item in value.items() if item not in DEFAULTS.get(key, ())}


def asked(path: Path) -> dict[str, Any]:
    """Return the body of CreateTrainingJob for the first trial of a copied spec."""
    prepared = prepare([path], check_launch=False)
    options = cast("SageMakerOptions", prepared.options)
    context = prepared._context(prepared.spec.name, path.parent / "job")
    resolved = Resolved(
        role=options.role or "",
        output=options.output or "",
        inputs=prepared.spec.inputs,
        source=options.source_dir,
        region=options.region or "",
    )
    launch = Launch(prepared.spec.name, 1, 1, prepared.space.middle())
    return Recipe(context, options).request(
        launch, name="x-0001-1", instance_type=options.instance_types[0], resolved=resolved, secrets={}
    )


@pytest.mark.parametrize("job", [SMALL, LARGE])
def test_a_trial_of_the_copy_asks_for_what_the_tuning_job_asked(
    hpo: Hpo, aws: Aws, job: dict[str, Any]
) -> None:
    name, definition = job["HyperParameterTuningJobName"], job["TrainingJobDefinition"]
    add(aws, job)
    hpo("copy", f"sagemaker:{name}", "-o", "tune.yaml")
    body = asked(hpo.folder / "tune.yaml")
    same = (
        "AlgorithmSpecification",
        "RoleArn",
        "OutputDataConfig",
        "StoppingCondition",
        "VpcConfig",
        "RetryStrategy",
        "EnableNetworkIsolation",
        "EnableInterContainerTrafficEncryption",
        "EnableManagedSpotTraining",
    )
    for key in same:
        assert plain(body.get(key)) == plain(definition.get(key)), key
    assert definition.get("Environment", {}).items() <= body["Environment"].items()
    channels = {channel["ChannelName"]: channel for channel in body.get("InputDataConfig", ())}
    for channel in definition.get("InputDataConfig", ()):
        assert plain(channels[channel["ChannelName"]]) == plain(channel)
    checkpoints = definition.get("CheckpointConfig")
    if checkpoints:
        assert body["CheckpointConfig"]["S3Uri"].startswith(checkpoints["S3Uri"])
        assert body["CheckpointConfig"]["LocalPath"] == checkpoints["LocalPath"]
    wanted = definition.get("ResourceConfig") or {
        **definition["HyperParameterTuningResourceConfig"]["InstanceConfigs"][0],
        "VolumeKmsKeyId": definition["HyperParameterTuningResourceConfig"]["VolumeKmsKeyId"],
    }
    assert body["ResourceConfig"] == wanted
    fixed = {
        key: text
        for key, text in definition.get("StaticHyperParameters", {}).items()
        if not key.startswith(("_", "sagemaker_"))
    }
    given = body["HyperParameters"]
    assert {key: given[key] for key in fixed} == fixed | (
        {"drop": "0.1", "path": '"${HOME}/x"'} if fixed else {}  # as the toolkit reads both
    )
