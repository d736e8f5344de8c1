"""The parts of the SageMaker launcher's options that have keys of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import BeforeValidator, Field

from hpo.launchers.sagemaker.fields import (
    ExperimentName,
    MachineType,
    MlflowArn,
    ModelPackage,
    ModelPackageGroup,
    NetworkId,
    Place,
    S3Prefix,
)
from hpo.spec.section import Section, Text


class InstanceGroup(Section):
    """Some machines of one type, in a cluster of several."""

    name: Annotated[Text, Field(max_length=64)] = Field(description="the group's name")
    type: MachineType = Field(description="of its machines: ml.g5.xlarge, …")
    count: int = Field(default=1, ge=1, lt=2**31, description="how many machines")


class Checkpoints(Section):
    """Where a trial's checkpoints are kept: in S3, from where its next run finds them in its folder."""

    s3: S3Prefix | None = Field(
        default=None, description="below it each trial has its own prefix; by default OUTPUT/checkpoints"
    )
    path: Place = Field(default="/opt/ml/checkpoints", description="the folder that the program sees")


def _as_checkpoints(value: object) -> object:
    return {"s3": value} if isinstance(value, str) else value


CheckpointsWritten = Annotated[
    Checkpoints, BeforeValidator(_as_checkpoints, json_schema_input_type=S3Prefix | Checkpoints)
]
"""A mapping, or the address in S3 alone."""


class Vpc(Section):
    """The network that the machines are attached to."""

    subnets: Annotated[Sequence[NetworkId], Field(min_length=1, max_length=16)] = Field(description="ids")
    security_groups: Annotated[Sequence[NetworkId], Field(min_length=1, max_length=5)] = Field(
        description="ids"
    )


class Experiment(Section):
    """Where the training jobs appear in SageMaker Experiments."""

    name: ExperimentName | None = Field(default=None, description="the experiment, which must exist")
    trial: ExperimentName | None = Field(default=None, description="the experiment's trial, which must exist")
    component: ExperimentName | None = Field(
        default=None, description="how each training job's trial component is called"
    )
    run: ExperimentName | None = Field(default=None, description="the experiment's run")


class TensorBoard(Section):
    """Where TensorBoard's files are brought to."""

    s3: S3Prefix | None = Field(
        default=None, description="below it each run has its own prefix; by default OUTPUT/tensorboard"
    )
    path: Place = Field(
        default="/opt/ml/output/tensorboard", description="the folder that the program writes them to"
    )


class Mlflow(Section):
    """An MLflow of SageMaker's that records the training jobs."""

    arn: MlflowArn = Field(description="the ARN of the tracking server or app")
    experiment: Annotated[Text, Field(max_length=256)] | None = Field(
        default=None, description="the experiment's name; a run's is that of its training job"
    )


class Package(Section):
    """Where each training job's model is registered."""

    group: ModelPackageGroup = Field(description="the ARN of the model package group")
    source: ModelPackage | None = Field(
        default=None, description="the ARN of the model that is tuned further"
    )
