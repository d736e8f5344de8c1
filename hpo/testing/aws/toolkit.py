"""SageMaker's training toolkit, played: what it makes of script mode's hyperparameters."""

from __future__ import annotations

import io
import json
import os
import shlex
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hpo.launchers.contract import Contract, Surroundings, arguments
from hpo.spec.space import Scalar
from hpo.testing.aws.errors import JobFailure
from hpo.testing.aws.objects import Address, Objects
from hpo.testing.aws.programs import OPT_ML
from hpo.testing.aws.request import JobRequest

_CODE = f"{OPT_ML}/code"


@dataclass(frozen=True, slots=True)
class Script:
    """What the toolkit runs, where and with which variables."""

    command: list[str]
    environment: Mapping[str, str]
    folder: str


def is_script(request: JobRequest) -> bool:
    """Return whether a job is in script mode, and leaves it to its image to know how to run that."""
    wanted = {"sagemaker_program", "sagemaker_submit_directory"}
    return wanted <= request.hyperparameters.keys() and not request.entrypoint


def unpack(objects: Objects, root: Path, request: JobRequest) -> None:
    """Have the sources of a job in its code folder. Raises JobFailure."""
    place = str(_loaded(request.hyperparameters["sagemaker_submit_directory"]))
    if place.startswith("s3://"):
        bucket, _, key = place.removeprefix("s3://").partition("/")
        packed = objects.read(Address(bucket, key))
    else:  # in a channel, as where there is no network
        packed = _brought(root, place)
    try:
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(root / "code", filter="data")
    except tarfile.TarError as error:
        raise JobFailure(f"AlgorithmError: {place} cannot be unpacked: {error}, exit code: 1") from None


def script(request: JobRequest, host: str, *, python: str) -> Script:
    """Return what is to be run on a host."""
    loaded = {name: _loaded(text) for name, text in request.hyperparameters.items()}
    program = str(loaded["sagemaker_program"])
    params = {name: value for name, value in loaded.items() if not name.startswith("sagemaker_")}
    contract = Contract(
        Surroundings(
            module_dir=str(loaded["sagemaker_submit_directory"]),
            entry_point=program,
            channels=[channel.name for channel in request.channels],
            cpus=os.cpu_count() or 1,
            gpus=0,
        )
    )
    variables = contract.variables(OPT_ML, params, name=request.name)
    hosts = [name for name, _ in request.hosts]
    group = dict(request.hosts)[host]
    environment = {
        **variables,
        "SM_HOSTS": json.dumps(hosts),
        "SM_CURRENT_HOST": host,
        "SM_CURRENT_INSTANCE_TYPE": request.groups[group][0],
        "SM_CURRENT_INSTANCE_GROUP": group,
        "PYTHONUNBUFFERED": "1",
    }
    # The entries that describe the cluster also stand in the one variable that holds them all.
    whole = json.loads(variables["SM_TRAINING_ENV"])
    whole |= {"hosts": hosts, "current_host": host, "is_master": host == hosts[0]}
    whole |= {"current_instance_type": request.groups[group][0], "current_instance_group": group}
    environment["SM_TRAINING_ENV"] = json.dumps(whole)
    given = arguments(params)
    if program.endswith(".py"):
        command = [python, program, *given]
    else:
        command = ["/bin/sh", "-c", shlex.join([f"./{program}", *given])]
    return Script(command, environment, _CODE)


def _brought(root: Path, place: str) -> bytes:
    """Return what a channel has brought to a place of the container. Raises JobFailure."""
    try:
        return (root / place.removeprefix(f"{OPT_ML}/")).read_bytes()
    except OSError as error:
        raise JobFailure(f"AlgorithmError: {place}: {error.strerror}, exit code: 1") from None


def _loaded(text: str) -> Scalar:
    """Return a hyperparameter's value: the JSON that it is, else its text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if value is None or isinstance(value, str | int | float | bool) else text
