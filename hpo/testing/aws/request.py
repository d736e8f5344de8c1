"""CreateTrainingJob's request as types, refused where SageMaker would refuse it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hpo.testing.aws.errors import invalid
from hpo.testing.aws.objects import Address

GROUP = "homogeneousCluster"
CHECKPOINTS = "/opt/ml/checkpoints"


@dataclass(frozen=True, slots=True)
class Channel:
    """One of InputDataConfig."""

    name: str
    address: Address
    is_manifest: bool
    is_sharded: bool
    is_gzip: bool
    config: Mapping[str, str]  # what inputdataconfig.json says of it


@dataclass(frozen=True, slots=True)
class PoolKey:
    """What a job and a warm pool must have in common."""

    role: str
    machines: tuple[tuple[str, int], ...]
    volume: int
    volume_key: str
    vpc: str
    is_encrypted: bool
    is_isolated: bool


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """A name, and the expression whose group is its value."""

    name: str
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What a training job is to be."""

    name: str
    image: str
    entrypoint: Sequence[str]
    arguments: Sequence[str]
    hyperparameters: Mapping[str, str]
    environment: Mapping[str, str]
    channels: Sequence[Channel]
    metrics: Sequence[MetricDefinition]
    groups: Mapping[str, tuple[str, int]]  # instance type and count by the group's name
    output: Address
    compresses: bool
    checkpoints: Address | None
    checkpoint_path: str
    max_runtime: int
    max_wait: int | None
    keep_alive: int
    attempts: int  # that InternalServerError may take
    is_spot: bool
    pool_key: PoolKey

    @property
    def machines(self) -> Mapping[str, int]:
        """How many instances of which type."""
        counts: dict[str, int] = {}
        for kind, count in self.groups.values():
            counts[kind] = counts.get(kind, 0) + count
        return counts

    @property
    def hosts(self) -> list[tuple[str, str]]:
        """Each host's name with the group it is in."""
        groups = [group for group, (_, count) in self.groups.items() for _ in range(count)]
        return [(f"algo-{number}", group) for number, group in enumerate(groups, start=1)]


def job_request(document: Mapping[str, Any]) -> JobRequest:
    """Return what a request that the service model allows asks for. Raises ApiError."""
    if "ServerlessJobConfig" in document:
        raise _not_emulated("ServerlessJobConfig")
    algorithm = _required(document, "AlgorithmSpecification", "algorithmSpecification")
    resources = _required(document, "ResourceConfig", "resourceConfig")
    _check_algorithm(algorithm)
    stopping = document.get("StoppingCondition", {})
    is_spot = document.get("EnableManagedSpotTraining", False)
    max_runtime, max_wait = stopping.get("MaxRuntimeInSeconds", 86400), stopping.get("MaxWaitTimeInSeconds")
    _check_times(max_runtime, max_wait, is_spot=is_spot)
    keep_alive = resources.get("KeepAlivePeriodInSeconds", 0)
    if keep_alive and is_spot:
        raise invalid("KeepAlivePeriodInSeconds is not supported for managed spot training jobs.")
    checkpoints = document.get("CheckpointConfig", {})
    groups = _groups(resources)
    return JobRequest(
        name=document["TrainingJobName"],
        image=algorithm["TrainingImage"],
        entrypoint=algorithm.get("ContainerEntrypoint", ()),
        arguments=algorithm.get("ContainerArguments", ()),
        hyperparameters=document.get("HyperParameters", {}),
        environment=document.get("Environment", {}),
        channels=_channels(document.get("InputDataConfig", ()), algorithm["TrainingInputMode"]),
        metrics=[_metric(definition) for definition in algorithm.get("MetricDefinitions", ())],
        groups=groups,
        output=_s3(document["OutputDataConfig"]["S3OutputPath"], "outputDataConfig.s3OutputPath"),
        compresses=document["OutputDataConfig"].get("CompressionType", "GZIP") == "GZIP",
        checkpoints=_s3(checkpoints["S3Uri"], "checkpointConfig.s3Uri") if checkpoints else None,
        checkpoint_path=checkpoints.get("LocalPath", CHECKPOINTS).rstrip("/"),
        max_runtime=max_runtime,
        max_wait=max_wait,
        keep_alive=keep_alive,
        attempts=document.get("RetryStrategy", {}).get("MaximumRetryAttempts", 0) + 1,
        is_spot=is_spot,
        pool_key=_pool_key(document, resources, groups),
    )


def _pool_key(
    document: Mapping[str, Any], resources: Mapping[str, Any], groups: Mapping[str, tuple[str, int]]
) -> PoolKey:
    return PoolKey(
        role=document["RoleArn"],
        machines=tuple(sorted(groups.values())),
        volume=resources.get("VolumeSizeInGB", 0),
        volume_key=resources.get("VolumeKmsKeyId", ""),
        vpc=repr(sorted((key, sorted(ids)) for key, ids in document.get("VpcConfig", {}).items())),
        is_encrypted=document.get("EnableInterContainerTrafficEncryption", False),
        is_isolated=document.get("EnableNetworkIsolation", False),
    )


def _required(document: Mapping[str, Any], name: str, path: str) -> Any:
    """Return what the model leaves open, as some jobs need none, and those emulated here do."""
    if not document.get(name):
        raise invalid(
            f"1 validation error detected: Value null at '{path}' failed to satisfy constraint: "
            "Member must not be null"
        )
    return document[name]


def _check_algorithm(algorithm: Mapping[str, Any]) -> None:
    if ("TrainingImage" in algorithm) == ("AlgorithmName" in algorithm):
        raise invalid(
            "Exactly one of TrainingImage and AlgorithmName must be specified in AlgorithmSpecification."
        )
    if "AlgorithmName" in algorithm:
        raise _not_emulated("AlgorithmName")


def _check_times(max_runtime: int, max_wait: int | None, *, is_spot: bool) -> None:
    if max_runtime > 28 * 86400:
        raise invalid(f"MaxRuntimeInSeconds {max_runtime} must be less than or equal to {28 * 86400}.")
    if not is_spot and max_wait is not None:
        raise invalid("MaxWaitTimeInSeconds can only be specified when EnableManagedSpotTraining is true.")
    if is_spot and max_wait is None:
        raise invalid("MaxWaitTimeInSeconds must be specified when EnableManagedSpotTraining is true.")
    if max_wait is not None and max_wait < max_runtime:
        raise invalid(
            f"Invalid MaxWaitTimeInSeconds {max_wait}. It must be present and be greater than or equal to "
            f"MaxRuntimeInSeconds {max_runtime}."
        )


def _groups(resources: Mapping[str, Any]) -> dict[str, tuple[str, int]]:
    if groups := resources.get("InstanceGroups"):
        if "InstanceType" in resources or "InstanceCount" in resources:
            raise invalid("InstanceGroups cannot be specified together with InstanceType and InstanceCount.")
        return {each["InstanceGroupName"]: (each["InstanceType"], each["InstanceCount"]) for each in groups}
    if "InstancePreferences" in resources:
        raise _not_emulated("InstancePreferences")
    kind = _required(resources, "InstanceType", "resourceConfig.instanceType")
    count = _required(resources, "InstanceCount", "resourceConfig.instanceCount")
    _required(resources, "VolumeSizeInGB", "resourceConfig.volumeSizeInGB")
    return {GROUP: (kind, count)}


def _channels(documents: Sequence[Mapping[str, Any]], default_mode: str) -> list[Channel]:
    channels: list[Channel] = []
    for number, document in enumerate(documents, start=1):
        mode = document.get("InputMode", default_mode)
        source = document["DataSource"].get("S3DataSource")
        if source is None:
            raise _not_emulated("A channel that is no S3DataSource")
        if source["S3DataType"] not in {"S3Prefix", "ManifestFile"}:
            raise _not_emulated(f"S3DataType {source['S3DataType']}")
        if mode == "Pipe":
            raise _not_emulated("TrainingInputMode Pipe")
        name = document["ChannelName"]
        if name in {channel.name for channel in channels}:
            raise invalid(f"Duplicate channel names are not allowed: {name}")
        distribution = source.get("S3DataDistributionType", "FullyReplicated")
        config = {
            "TrainingInputMode": mode,
            "S3DistributionType": distribution,
            "RecordWrapperType": document.get("RecordWrapperType", "None"),
        }
        if "ContentType" in document:
            config["ContentType"] = document["ContentType"]
        channels.append(
            Channel(
                name=name,
                address=_s3(
                    source["S3Uri"], f"inputDataConfig.{number}.member.dataSource.s3DataSource.s3Uri"
                ),
                is_manifest=source["S3DataType"] == "ManifestFile",
                is_sharded=distribution == "ShardedByS3Key",
                is_gzip=document.get("CompressionType", "None") == "Gzip",
                config=config,
            )
        )
    return channels


def _metric(document: Mapping[str, str]) -> MetricDefinition:
    try:
        return MetricDefinition(document["Name"], re.compile(document["Regex"]))
    except re.error as error:
        raise invalid(f"Invalid metric definition regex {document['Regex']}: {error}") from None


def _s3(text: str, path: str) -> Address:
    match = re.fullmatch(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?", text)
    if match is None:
        raise invalid(
            f"1 validation error detected: Value '{text}' at '{path}' failed to satisfy constraint: "
            "it must be s3://BUCKET/PREFIX"
        )
    return Address(match[1], match[2] or "")


def _not_emulated(what: str) -> Exception:
    return invalid(f"{what} is not emulated (hpo.testing.aws); SageMaker itself may take it.")
