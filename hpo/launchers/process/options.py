"""What a spec may say of the process launcher."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from hpo.launchers.environment import Secrets, Threads, VariableName, VariableValue, Words
from hpo.spec.section import Duration, PathText, Section


class ProcessOptions(Section):
    """Trials run as programs on this machine."""

    command: Words = Field(
        description="the program and its arguments, as a list or as one text that is split into words; no "
        "shell runs it. {name} stands for a parameter's value and {args} for all arguments `--name value`; "
        "parameters that the command does not name are appended to it"
    )
    workdir: PathText | None = Field(
        default=None, description="the folder the program runs in; by default the spec's"
    )
    env: Mapping[VariableName, VariableValue] = Field(
        default_factory=dict, description="variables, besides those of hpo's own environment"
    )
    env_from: Secrets = Field(
        default=(),
        description="secrets by reference: names of variables that must be set, or NAME: {file: path} and "
        "NAME: {env: OTHER}; read when a trial starts, stored nowhere",
    )
    threads: Threads = Field(
        default="auto",
        description="how many threads numeric libraries use in a trial (OMP_NUM_THREADS and its kin): auto "
        "is the trial's share of the CPUs; off sets nothing",
    )
    gpus: int = Field(
        default=0,
        ge=0,
        description="how many GPUs a trial needs, each for itself; they are chosen from "
        "CUDA_VISIBLE_DEVICES if that is set, else from all of the machine",
    )
    stop_grace: Duration = Field(
        default=30.0, description="between SIGTERM and SIGKILL when a trial is stopped"
    )
