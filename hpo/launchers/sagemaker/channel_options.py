"""What a spec may say of a channel beyond its address under `inputs`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, model_validator

from hpo.launchers.sagemaker.fields import DataSet, FileSystemId
from hpo.spec.section import Section, Text, mistake

InputMode = Literal["file", "fast-file", "pipe"]
"""How a channel's data gets to the program: copied first, streamed as files, or through a pipe."""

_OF_S3 = ("distribution", "s3_type", "attributes", "accept_eula", "hub_content", "instance_groups")


class FileSystem(Section):
    """A channel's data in a file system."""

    id: FileSystemId = Field(description="its id: fs-…")
    type: Literal["efs", "fsx"] = Field(description="efs, or fsx for FSx for Lustre")
    path: Annotated[str, Field(pattern="^/", max_length=4096)] = Field(
        description="the folder in it; for FSx it begins with the mount name"
    )
    access: Literal["ro", "rw"] = Field(default="ro", description="ro: only read; rw")


class ChannelOptions(Section):
    """How a channel is given to the program."""

    content_type: Annotated[Text, Field(max_length=256)] | None = Field(
        default=None, description="the MIME type, for algorithms that want one: text/csv, …"
    )
    compression: Literal["none", "gzip"] | None = Field(
        default=None, description="gzip: the data is decompressed on its way; in pipe mode alone"
    )
    input_mode: InputMode | None = Field(
        default=None, description="in place of the launcher's: file, fast-file or pipe"
    )
    distribution: Literal["replicated", "sharded"] = Field(
        default="replicated",
        description="with several machines: replicated gives each all objects, sharded its share",
    )
    s3_type: Literal["prefix", "manifest", "augmented-manifest"] = Field(
        default="prefix", description="what the address in S3 names: how keys begin, or a manifest"
    )
    attributes: Annotated[Sequence[Annotated[Text, Field(max_length=256)]], Field(max_length=16)] = Field(
        default=(), description="of an augmented manifest's lines, those to give"
    )
    shuffle_seed: int | None = Field(
        default=None, ge=-(2**63), lt=2**63, description="shuffles the objects, in pipe mode alone"
    )
    record_wrapper: Literal["none", "recordio"] | None = Field(
        default=None, description="recordio: wraps each object in the format RecordIO, in pipe mode alone"
    )
    file_system: FileSystem | None = Field(
        default=None,
        description="in place of an address under `inputs`: {id, type, path, access}; needs `vpc`",
    )
    dataset: DataSet | None = Field(
        default=None, description="in place of an address under `inputs`: the ARN of a data set in a hub"
    )
    instance_groups: Annotated[Sequence[Text], Field(max_length=5)] = Field(
        default=(), description="the groups that get this channel; by default all"
    )
    accept_eula: bool | None = Field(
        default=None, description="accepts the licence of a model that the channel gives, where it has one"
    )
    hub_content: Annotated[Text, Field(max_length=255)] | None = Field(
        default=None, description="the ARN of the private hub's model that the channel gives"
    )

    @property
    def has_source(self) -> bool:
        """Whether the data is named here, and not under `inputs`."""
        return self.file_system is not None or self.dataset is not None

    @model_validator(mode="after")
    def _one_source(self) -> ChannelOptions:
        if self.file_system is not None and self.dataset is not None:
            raise mistake("it has both `file_system` and `dataset`", hint="keep one of the two")
        if self.has_source and (alien := [name for name in _OF_S3 if name in self.model_fields_set]):
            raise mistake(f"{alien[0]} is for data in S3", hint="leave it out")
        if self.attributes and self.s3_type != "augmented-manifest":
            raise mistake(
                "`attributes` are those of an augmented manifest", hint="s3_type: augmented-manifest"
            )
        if self.s3_type == "augmented-manifest" and not self.attributes:
            raise mistake("an augmented manifest needs `attributes`", hint="as in [source-ref, class]")
        return self
