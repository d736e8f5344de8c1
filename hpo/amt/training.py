"""The training jobs that a tuning job of AMT's launches, as a spec's inputs and launcher."""

from __future__ import annotations

from collections.abc import Mapping

from hpo.amt.answer import Answer
from hpo.amt.draft import Draft, Mapped, duration, given
from hpo.amt.values import unquoted
from hpo.spec.nodes import Plain

_INPUT_MODES = {"File": "file", "FastFile": "fast-file", "Pipe": "pipe"}
_S3_TYPES = {"ManifestFile": "manifest", "AugmentedManifestFile": "augmented-manifest"}
_FILE_SYSTEMS = {"EFS": "efs", "FSxLustre": "fsx"}
_CHECKPOINTS = "/opt/ml/checkpoints"
_CHANNELS = "/opt/ml/input/data/"


def put_training(
    draft: Draft, definition: Answer, *, script: Mapping[str, str], tags: Mapping[str, str], region: str
) -> None:
    """Put what a definition says of its training jobs.

    `script` is what SageMaker's SDK has put among the hyperparameters, for its script mode.
    """
    channels = _put_channels(draft, definition)
    program = _script(draft, channels, script)
    algorithm = definition.part("AlgorithmSpecification")
    output = definition.part("OutputDataConfig")
    vpc = definition.part("VpcConfig")
    launcher = given(
        kind="sagemaker",
        image=algorithm.text("TrainingImage"),
        algorithm=algorithm.text("AlgorithmName"),
        **program,
        env={**definition.mapping("Environment")},
        **_machines(draft, definition),
        **_times(draft, definition),
        retry_attempts=definition.part("RetryStrategy").integer("MaximumRetryAttempts"),
        output=output.text("S3OutputPath").rstrip("/"),
        output_key=output.text("KmsKeyId"),
        output_compression="none" if output.text("CompressionType") == "NONE" else None,
        input_mode=_input_mode(algorithm.text("TrainingInputMode")),
        channels=channels,
        checkpoints=_checkpoints(definition.part("CheckpointConfig")),
        role=definition.text("RoleArn"),
        vpc=given(subnets=[*vpc.texts("Subnets")], security_groups=[*vpc.texts("SecurityGroupIds")]),
        isolated=definition.flag("EnableNetworkIsolation"),
        encrypt_traffic=definition.flag("EnableInterContainerTrafficEncryption"),
        tags={**tags},
        region=region,
    )
    draft.put("launcher", launcher)


def _script(draft: Draft, channels: Mapped, given_by_sdk: Mapping[str, str]) -> Mapped:
    """Return the options of the script mode of SageMaker's framework images.

    The channel that brings the program of an isolated job is taken out: hpo adds one of its own.
    """
    texts = {name: unquoted(text) or text for name, text in given_by_sdk.items()}
    program, packed = texts.pop("sagemaker_program", ""), texts.pop("sagemaker_submit_directory", "")
    if texts:
        names = ", ".join(sorted(texts))
        draft.remark("fixed", f"left out, as SageMaker's SDK sets them for its own use: {names}")
    channel, address = _brought(draft.mapping("inputs"), packed)
    if program and address:
        draft.drop("inputs", channel)
        channels.pop(channel, None)
        packed = address
    if program and packed.startswith("s3://"):
        return {"source_dir": packed, "entry_point": program}
    for name, text in (("sagemaker_program", program), ("sagemaker_submit_directory", packed)):
        if text:
            draft.lost("launcher", f"{name}: {text}; the program has to be in the image, or in source_dir")
    return {}


def _brought(inputs: Mapped, path: str) -> tuple[str, str]:
    """Return the channel that brings a container's file, and its address in S3; "" and "" if none does."""
    channel, _, file = path.removeprefix(_CHANNELS).partition("/")
    address = inputs.get(channel)
    if not path.startswith(_CHANNELS) or not file or not isinstance(address, str):
        return "", ""
    if address.endswith("/"):
        return channel, address + file
    return (channel, address) if address.endswith(f"/{file}") else ("", "")


def _machines(draft: Draft, definition: Answer) -> Mapped:
    preferred = definition.part("HyperParameterTuningResourceConfig")
    plain = definition.part("ResourceConfig")
    plain.skip("SelectedInstanceType", "SelectedInstanceCount")
    preferred.skip("AllocationStrategy")  # there is one
    resources = preferred or plain
    groups: list[Plain] = [
        {
            "name": group.text("InstanceGroupName"),
            "type": group.text("InstanceType"),
            "count": group.integer("InstanceCount"),
        }
        for group in plain.parts("InstanceGroups")
    ]
    choices = resources.parts("InstanceConfigs") or resources.parts("InstancePreferences")
    types, counts, volumes = [], [], []
    for choice in choices:
        types.append(choice.text("InstanceType"))
        counts.append(choice.integer("InstanceCount"))
        volumes.append(choice.integer("VolumeSizeInGB"))
    for what, sizes in (("InstanceCount", counts), ("VolumeSizeInGB", volumes)):
        if len(set(sizes)) > 1:
            said = ", ".join(f"{size} of {kind}" for kind, size in zip(types, sizes, strict=True))
            draft.lost("launcher", f"another {what} for each type of machine ({said}): it is the first one's")
    count = resources.integer("InstanceCount") or (counts[0] if counts else None)
    return given(
        instance_type=resources.text("InstanceType"),
        instance_groups=groups,
        instance_types=[*types],
        instance_count=None if groups else count,
        volume=resources.integer("VolumeSizeInGB") or (volumes[0] if volumes else None),
        volume_key=resources.text("VolumeKmsKeyId"),
        keep_alive=duration(plain.integer("KeepAlivePeriodInSeconds") or None),
        training_plan=plain.text("TrainingPlanArn"),
    )


def _times(draft: Draft, definition: Answer) -> Mapped:
    """Return how long a job may run and wait, and whether on spot machines."""
    stopping = definition.part("StoppingCondition")
    times = given(
        spot=definition.flag("EnableManagedSpotTraining"),
        max_run=duration(stopping.integer("MaxRuntimeInSeconds")),
        max_wait=duration(stopping.integer("MaxWaitTimeInSeconds")),
        max_pending=duration(stopping.integer("MaxPendingTimeInSeconds")),
    )
    if "spot" not in times and times.pop("max_wait", None):
        draft.lost("launcher", "MaxWaitTimeInSeconds, which is for spot machines only")
    return times


def _input_mode(mode: str) -> Plain:
    """Return how data gets to the program; null for the default."""
    return None if mode in {"", "File"} else _INPUT_MODES.get(mode, mode)


def _checkpoints(config: Answer) -> Mapped:
    path = config.text("LocalPath")
    return given(s3=config.text("S3Uri").rstrip("/"), path="" if path == _CHECKPOINTS else path)


def _put_channels(draft: Draft, definition: Answer) -> Mapped:
    """Put the addresses of the data, and return what else there is to say of each channel."""
    inputs: Mapped = {}
    channels: Mapped = {}
    for channel in definition.parts("InputDataConfig"):
        name, source = channel.text("ChannelName"), channel.part("DataSource")
        stored = source.part("S3DataSource")
        if address := stored.text("S3Uri"):
            inputs[name] = address
        options = given(
            content_type=channel.text("ContentType"),
            compression="gzip" if channel.text("CompressionType") == "Gzip" else None,
            input_mode=_INPUT_MODES.get(channel.text("InputMode")),
            record_wrapper="recordio" if channel.text("RecordWrapperType") == "RecordIO" else None,
            **_in_s3(draft, name, stored),
            file_system=_file_system(source.part("FileSystemDataSource")),
            dataset=source.part("DatasetSource").text("DatasetArn"),
        )
        seed = channel.part("ShuffleConfig").integer("Seed")
        if seed is not None:  # which may be 0
            options["shuffle_seed"] = seed
        if options:
            channels[name] = options
    draft.put("inputs", inputs)
    return channels


def _in_s3(draft: Draft, name: str, stored: Answer) -> Mapped:
    kind = stored.text("S3DataType")
    if kind not in {"", "S3Prefix", *_S3_TYPES}:
        draft.lost("inputs", f"that the address of {name} is of the type {kind}")
    return given(
        s3_type=_S3_TYPES.get(kind),
        distribution="sharded" if stored.text("S3DataDistributionType") == "ShardedByS3Key" else None,
        attributes=[*stored.texts("AttributeNames")],
        instance_groups=[*stored.texts("InstanceGroupNames")],
        accept_eula=stored.part("ModelAccessConfig").flag("AcceptEula"),
        hub_content=stored.part("HubAccessConfig").text("HubContentArn"),
    )


def _file_system(system: Answer) -> Mapped:
    kind = system.text("FileSystemType")
    return given(
        id=system.text("FileSystemId"),
        type=_FILE_SYSTEMS.get(kind, kind.lower()),
        path=system.text("DirectoryPath"),
        access="rw" if system.text("FileSystemAccessMode") == "rw" else None,
    )
