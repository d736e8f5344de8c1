"""What a spec may say of the SageMaker launcher."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from hpo.launchers.environment import Words
from hpo.launchers.sagemaker.channel_options import ChannelOptions, InputMode
from hpo.launchers.sagemaker.contradictions import contradictions
from hpo.launchers.sagemaker.fields import (
    Algorithm,
    Function,
    Gigabytes,
    KeptReady,
    Key,
    MachineType,
    PendingTime,
    PlainName,
    PlainSecrets,
    Role,
    RunTime,
    S3Prefix,
    ShortValue,
    TagKey,
    TagValue,
    TrainingPlan,
)
from hpo.launchers.sagemaker.sections import (
    CheckpointsWritten,
    Experiment,
    InstanceGroup,
    Mlflow,
    Package,
    TensorBoard,
    Vpc,
)
from hpo.spec.section import Channel, Duration, PathText, Section, Text, mistake, together

_BUILT_IN = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/sagemaker-(xgboost)[:@].+")
"""Images of algorithms with hyperparameters that hpo's library of search spaces has."""

MOST_TAGS = 47
"""SageMaker takes 50, and three are hpo's own."""


class SageMakerOptions(Section):
    """Trials run as training jobs of Amazon SageMaker."""

    # -- the program

    image: Annotated[Text, Field(max_length=255)] | None = Field(
        default=None, description="the image in a registry; either it or `algorithm` is needed"
    )
    algorithm: Algorithm | None = Field(
        default=None, description="in place of an image: an algorithm's name, or its ARN"
    )
    image_access: Literal["platform", "vpc"] | None = Field(
        default=None, description="vpc: the image is in a private registry of the VPC, not in ECR"
    )
    image_credentials: Function | None = Field(
        default=None, description="the ARN of the Lambda function with the private registry's credentials"
    )
    command: Words | None = Field(
        default=None,
        description="the program and its arguments, in place of the image's entry point; no shell runs it. "
        "{name} stands for a parameter's value and {args} for all arguments `--name value`; parameters "
        "that the command does not name are appended to it. By default the image's entry point is given "
        "`train`, and the parameters come in /opt/ml/input/config/hyperparameters.json",
    )
    arguments: Words | None = Field(
        default=None,
        description="what the image's entry point is given in place of `train`; {name}, {args} and the "
        "arguments at the end as in `command`",
    )
    source_dir: PathText | None = Field(
        default=None,
        description="script mode, for images with SageMaker's training toolkit: the folder with the program, "
        "packed and uploaded once (its .hpoignore counts), or the s3:// address of a sourcedir.tar.gz",
    )
    entry_point: Annotated[Text, Field(max_length=256)] | None = Field(
        default=None, description="script mode: the program, by its path in source_dir"
    )
    requirements: PathText | None = Field(
        default=None, description="script mode: a file that is packed as source_dir's requirements.txt"
    )
    env: Mapping[PlainName, ShortValue] = Field(
        default_factory=dict, description="variables; whoever may describe the training job sees them"
    )
    env_from: PlainSecrets = Field(
        default=(),
        description="variables by reference: names of those that must be set here, or NAME: {file: path} and "
        "NAME: {env: OTHER}; read when a trial starts, and kept out of spec and job folder, but whoever may "
        "describe the training job sees them: real secrets belong in AWS Secrets Manager",
    )

    # -- the machines

    instance_type: MachineType | None = Field(
        default=None, description="the type of machine: ml.m5.xlarge, …"
    )
    instance_groups: Annotated[Sequence[InstanceGroup], Field(max_length=5)] = Field(
        default=(), description="a cluster of several types: each with {name, type, count}"
    )
    instance_types: Sequence[MachineType] = Field(
        default=(),
        validate_default=True,
        description="types of machines in order of preference: where there is none of the first, the next is "
        "tried; in place of `instance_type`",
    )
    instance_count: int = Field(default=1, ge=1, lt=2**31, description="machines of one trial")
    volume: Gigabytes = Field(default=30, description="disk of a machine in GB: 30, 30g, 1t")
    volume_key: Key | None = Field(default=None, description="the KMS key that encrypts the disk")
    keep_alive: KeptReady | None = Field(
        default=None,
        description="for how long a machine is kept ready for the next trial (a warm pool), up to 1h; it is "
        "charged meanwhile, and given back when no trial is to come",
    )
    training_plan: TrainingPlan | None = Field(
        default=None, description="the ARN of a training plan with reserved machines"
    )
    spot: bool = Field(default=False, description="spot machines: cheaper, and may be interrupted")

    # -- time

    max_run: RunTime | None = Field(
        default=None,
        description="after which SageMaker stops a run, up to 28d; by default limits.max_job_runtime, or 1d",
    )
    max_wait: RunTime | None = Field(
        default=None,
        description="with spot: for how long a run may wait for machines and run, in all; by default twice "
        "max_run",
    )
    max_pending: PendingTime | None = Field(
        default=None,
        description="for how long a training job may wait for machines before SageMaker gives up: 30m to 28d",
    )
    retry_attempts: int | None = Field(
        default=None,
        ge=1,
        le=30,
        description="how often SageMaker itself tries a training job again after an InternalServerError",
    )

    # -- data

    output: S3Prefix | None = Field(
        default=None,
        description="s3://BUCKET/PREFIX for models, checkpoints and uploads; by default "
        "s3://sagemaker-REGION-ACCOUNT/hpo",
    )
    output_key: Key | None = Field(
        default=None, description="the KMS key that encrypts what is written there"
    )
    output_compression: Literal["gzip", "none"] = Field(
        default="gzip", description="gzip: model.tar.gz; none: the model's files as they are"
    )
    input_mode: InputMode = Field(
        default="file",
        description="how data gets to the program: file (copied first), fast-file (streamed), pipe",
    )
    channels: Mapping[Channel, ChannelOptions] = Field(
        default_factory=dict, description="more about the channels of `inputs`, and channels in file systems"
    )
    checkpoints: CheckpointsWritten | None = Field(
        default=None,
        description="{s3, path}: keeps each trial's checkpoints in S3 for its next run; with spot always",
    )
    tensorboard: TensorBoard | None = Field(
        default=None, description="{s3, path}: brings TensorBoard's files to S3"
    )

    # -- security

    role: Role | None = Field(
        default=None, description="the IAM role that training jobs run with: its name, or its ARN"
    )
    vpc: Vpc | None = Field(default=None, description="{subnets, security_groups}: the network they run in")
    isolated: bool = Field(default=False, description="true: the program has no network at all")
    encrypt_traffic: bool = Field(
        default=False, description="encrypts what a trial's machines tell each other"
    )
    session_chaining: bool = Field(
        default=False, description="passes the session's tags on to the role (ABAC)"
    )

    # -- what SageMaker records

    tags: Annotated[Mapping[TagKey, TagValue], Field(max_length=MOST_TAGS)] = Field(
        default_factory=dict, description="tags of each training job, besides hpo:job, hpo:trial and hpo:run"
    )
    experiment: Experiment | None = Field(
        default=None, description="{name, trial, component, run}: for SageMaker Experiments"
    )
    mlflow: Mlflow | None = Field(default=None, description="{arn, experiment}: for SageMaker's MLflow")
    model_package: Package | None = Field(
        default=None, description="{group, source}: registers the model of every training job"
    )
    profiler: bool = Field(default=False, description="SageMaker's profiler, which is off otherwise")
    metric_definitions: bool | None = Field(
        default=None,
        description="whether SageMaker reads `metrics`, too: by default true for an image and false for an "
        "algorithm; must be false for the images of SageMaker's built-in algorithms, which define their own",
    )
    metrics_time_series: bool | None = Field(
        default=None, description="whether SageMaker keeps metrics as time series; by default as it likes"
    )
    remote_debug: bool = Field(default=False, description="lets the container be entered with SSM")
    infra_check: bool = Field(default=False, description="checks the machines' health first")

    # -- how hpo asks AWS

    region: Text | None = Field(default=None, description="the AWS region; by default boto3's own rules")
    profile: Text | None = Field(default=None, description="the profile with the credentials; likewise")
    endpoint: Text | None = Field(
        default=None, description="the address of another AWS, as an emulator's; by default AWS_ENDPOINT_URL"
    )
    poll: Duration = Field(default=5.0, description="how often training jobs and logs are looked at")
    requests_per_second: float = Field(
        default=10.0, gt=0, le=1000, description="how often AWS is asked at the most, for all trials together"
    )
    prices: Mapping[MachineType, Annotated[float, Field(ge=0)]] = Field(
        default_factory=dict,
        description="USD an hour by type of machine; by default those of AWS's price list",
    )

    @property
    def is_script(self) -> bool:
        """Whether the image's toolkit starts the program."""
        return self.entry_point is not None

    def learner(self) -> str | None:
        """Return the learner whose parameters the image itself takes; None for a program of the user's."""
        built_in = _BUILT_IN.fullmatch(self.image or "")
        has_program = self.is_script or self.command is not None or self.arguments is not None
        return None if built_in is None or has_program else built_in[1]

    @model_validator(mode="wrap")
    @classmethod
    def _goes_together(cls, data: object, read: ModelWrapValidatorHandler[Self]) -> Self:
        mistakes = list(contradictions(data))
        try:
            options = read(data)
        except ValidationError as error:
            raise together(mistakes, error) from None
        if mistakes:
            raise together(mistakes)
        return options

    @field_validator("instance_types")
    @classmethod
    def _at_least_one(cls, types: Sequence[str], info: ValidationInfo) -> Sequence[str]:
        if types:
            return types
        if (only := info.data.get("instance_type")) is not None:
            return (only,)
        return tuple(group.type for group in info.data.get("instance_groups", ())[:1])

    @field_validator("max_wait")
    @classmethod
    def _waits_longer_than_it_runs(cls, seconds: float | None, info: ValidationInfo) -> float | None:
        run = info.data.get("max_run")
        if seconds is not None and run is not None and seconds < run:
            raise mistake(f"it must not be less than max_run, which is {run:g} seconds")
        return seconds

    @field_validator("channels")
    @classmethod
    def _know_their_groups(
        cls, channels: Mapping[str, ChannelOptions], info: ValidationInfo
    ) -> Mapping[str, ChannelOptions]:
        groups = [group.name for group in info.data.get("instance_groups", ())]
        for name, channel in channels.items():
            for group in channel.instance_groups:
                if "instance_groups" in info.data and group not in groups:
                    raise mistake(
                        f"there is no group `{group}`",
                        hint=f"`launcher.instance_groups` has {', '.join(groups) or 'none'}",
                        at=("channels", name, "instance_groups"),
                    )
        return channels
