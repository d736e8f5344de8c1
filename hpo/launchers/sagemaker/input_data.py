"""The channels of a training job: from `inputs` and the options of each to InputDataConfig."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hpo.errors import CannotStart
from hpo.launchers import s3
from hpo.launchers.launcher import JobContext, Obstacle
from hpo.launchers.sagemaker.channel_options import ChannelOptions, FileSystem, InputMode
from hpo.launchers.sagemaker.limits import MOST_CHANNELS
from hpo.launchers.sagemaker.options import SageMakerOptions

Body = dict[str, object]

CODE = "code"
"""The channel that brings the program where a script has no network to fetch it."""

INPUT_MODES: Mapping[InputMode, str] = {"file": "File", "fast-file": "FastFile", "pipe": "Pipe"}
_TYPES = {"prefix": "S3Prefix", "manifest": "ManifestFile", "augmented-manifest": "AugmentedManifestFile"}
_DISTRIBUTIONS = {"replicated": "FullyReplicated", "sharded": "ShardedByS3Key"}
_FILE_SYSTEMS = {"efs": "EFS", "fsx": "FSxLustre"}


def channel_names(context: JobContext, options: SageMakerOptions) -> list[str]:
    """Return the channels that the program sees: those of `inputs`, then those with a source of their own."""
    return [*context.inputs, *(name for name, each in options.channels.items() if each.has_source)]


def input_data(options: SageMakerOptions, inputs: Mapping[str, str], source: str | None) -> list[Body]:
    """Return InputDataConfig; `inputs` are the channels' addresses in S3, `source` that of the program."""
    channels = [
        _channel(name, _s3_source(address, options.channels.get(name)), options.channels.get(name))
        for name, address in inputs.items()
    ]
    channels += [
        _channel(name, _own_source(each), each) for name, each in options.channels.items() if each.has_source
    ]
    if source is not None and options.isolated:
        channels.append(_channel(CODE, _s3_source(source, None), ChannelOptions(input_mode="file")))
    return channels


def _channel(name: str, source: Body, options: ChannelOptions | None) -> Body:
    body: Body = {"ChannelName": name, "DataSource": source}
    if options is None:
        return body
    if options.content_type is not None:
        body["ContentType"] = options.content_type
    if options.compression is not None:
        body["CompressionType"] = options.compression.capitalize()
    if options.record_wrapper is not None:
        body["RecordWrapperType"] = {"none": "None", "recordio": "RecordIO"}[options.record_wrapper]
    if options.input_mode is not None:
        body["InputMode"] = INPUT_MODES[options.input_mode]
    if options.shuffle_seed is not None:
        body["ShuffleConfig"] = {"Seed": options.shuffle_seed}
    return body


def _s3_source(address: str, options: ChannelOptions | None) -> Body:
    options = options or ChannelOptions()
    source: Body = {
        "S3DataType": _TYPES[options.s3_type],
        "S3Uri": address,
        "S3DataDistributionType": _DISTRIBUTIONS[options.distribution],
    }
    if options.attributes:
        source["AttributeNames"] = list(options.attributes)
    if options.instance_groups:
        source["InstanceGroupNames"] = list(options.instance_groups)
    if options.accept_eula is not None:
        source["ModelAccessConfig"] = {"AcceptEula": options.accept_eula}
    if options.hub_content is not None:
        source["HubAccessConfig"] = {"HubContentArn": options.hub_content}
    return {"S3DataSource": source}


def _own_source(options: ChannelOptions) -> Body:
    if options.dataset is not None:
        return {"DatasetSource": {"DatasetArn": options.dataset}}
    match options.file_system:
        case FileSystem(id=known, type=kind, path=path, access=access):
            source = {"FileSystemId": known, "FileSystemType": _FILE_SYSTEMS[kind]}
            return {"FileSystemDataSource": {**source, "DirectoryPath": path, "FileSystemAccessMode": access}}
        case None:
            raise AssertionError("a channel without a source of its own is one of `inputs`")


def channel_obstacles(context: JobContext, options: SageMakerOptions) -> Iterator[Obstacle]:
    """Yield what is wrong with the channels, as far as it shows without asking AWS."""
    for name, given in context.inputs.items():
        if problem := _problem(given, options.channels.get(name)):
            yield Obstacle(("inputs", name), problem)
    for name, each in options.channels.items():
        if not each.has_source and name not in context.inputs:
            text = "`inputs` has no such channel; name its data there, or give `file_system`"
            yield Obstacle(("launcher", "channels", name), text)
    names = channel_names(context, options)
    if options.is_script and options.isolated:
        if CODE in names:
            text = "an isolated program itself comes in a channel of this name; choose another one"
            yield Obstacle(
                ("inputs", CODE) if CODE in context.inputs else ("launcher", "channels", CODE), text
            )
        names = [*names, CODE]
    if len(names) > MOST_CHANNELS:
        text = f"SageMaker takes {MOST_CHANNELS} channels, and these are {len(names)}"
        yield Obstacle(("inputs",), f"{text}; put some into one folder")


def _problem(given: str, options: ChannelOptions | None) -> str:
    if options is not None and options.has_source:
        return "`launcher.channels` says that this channel's data lies elsewhere; keep one of the two"
    if given.startswith(s3.SCHEME):
        try:
            s3.Address.of(given)
        except CannotStart as error:
            return str(error)
        return ""
    if "://" in given:
        return f"SageMaker reads s3://BUCKET/PREFIX and what lies here, not {given}"
    if options is not None and options.s3_type != "prefix":
        return "a manifest lists objects in S3, and is read from there; give its s3:// address"
    return ""
