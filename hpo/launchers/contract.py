"""What a program sees of SageMaker's contract: its arguments, its variables and the /opt/ml layout.

Names and values are those of SageMaker's training toolkit (aws/sagemaker-training-toolkit:
environment.py, mapping.py), so that a script-mode program runs unmodified on every launcher. One
thing differs: a one-letter parameter is given as `--x value` too, not as `-x value`.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from hpo.spec.space import Scalar, Values

FOLDERS = (
    "input",
    "input/config",
    "input/data",
    "model",
    "output",
    "output/data",
    "output/intermediate",
)
"""The folders below /opt/ml that are there when a program starts, parents first."""

_HOST = "algo-1"
_GROUP = "homogeneousCluster"
_CHANNEL_CONFIG = {
    "TrainingInputMode": "File",
    "S3DistributionType": "FullyReplicated",
    "RecordWrapperType": "None",
}
_SCRIPT_SUFFIXES = frozenset({".py", ".sh", ".bash", ".R", ".r", ".jl", ".pl", ".rb", ".js", ".lua"})
_compact = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def text_of(value: Scalar) -> str:
    """Return a parameter's value as the toolkit gives it to a program: True, 0.1, sqrt; nothing for null."""
    return "" if value is None else str(value)


def hyperparameters(params: Values) -> dict[str, str]:
    """Return each parameter as a string, as SageMaker has it: a number's or truth's JSON, or the text."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in params.items()}


def arguments(params: Values) -> list[str]:
    """Return `--name value` for every parameter, in their order."""
    return [part for name, value in params.items() for part in (f"--{name}", text_of(value))]


def command_line(command: Sequence[str], params: Values) -> list[str]:
    """Return the command with its parameters.

    `{name}` stands for that parameter's value, also inside an element; `{args}` for the arguments of
    all parameters, quoted for a shell where it is part of an element. Without `{args}` the
    parameters that the command does not name are appended. Other braces are left alone.
    """
    values = {f"{{{name}}}": text_of(value) for name, value in params.items()}
    placed: set[str] = set()
    given = arguments(params)

    def fill(match: re.Match[str]) -> str:
        placed.add(match[0])
        return shlex.join(given) if match[0] == "{args}" else values.get(match[0], match[0])

    argv: list[str] = []
    for element in command:
        if element == "{args}":
            placed.add(element)
            argv += given
        else:
            argv.append(re.sub(r"\{[^{}]+\}", fill, element) if "{" in element else element)
    if "{args}" not in placed:
        argv += arguments({name: value for name, value in params.items() if f"{{{name}}}" not in placed})
    return argv


def script_of(command: Sequence[str]) -> str | None:
    """Return the first element that looks like a script's file; None without one."""
    return next((part for part in command if PurePath(part).suffix in _SCRIPT_SUFFIXES), None)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is the same for every run of a job; paths as the program sees them."""

    module_dir: str  # where the program lies
    entry_point: str  # its script
    channels: Collection[str]
    cpus: int
    gpus: int
    network_interface: str = "eth0"


class Contract:
    """The files and variables of a job's runs; what they share is put together once."""

    def __init__(self, around: Surroundings) -> None:
        self._channels = sorted(around.channels)
        group = {"instance_group_name": _GROUP, "instance_type": "local", "hosts": [_HOST]}
        resource_config = {
            "current_group_name": _GROUP,
            "current_host": _HOST,
            "current_instance_type": "local",
            "hosts": [_HOST],
            "instance_groups": [group],
            "network_interface_name": around.network_interface,
        }
        input_data_config = dict.fromkeys(self._channels, _CHANNEL_CONFIG)
        self._constant: dict[str, object] = {
            "current_host": _HOST,
            "current_instance_group": _GROUP,
            "current_instance_group_hosts": [_HOST],
            "current_instance_type": "local",
            "distribution_instance_groups": [],
            "framework_module": None,
            "hosts": [_HOST],
            "input_data_config": input_data_config,
            "instance_groups": [_GROUP],
            "instance_groups_dict": {_GROUP: group},
            "is_hetero": False,
            "log_level": 20,
            "module_dir": around.module_dir,
            "module_name": around.entry_point.removesuffix(".py"),
            "network_interface_name": around.network_interface,
            "num_cpus": around.cpus,
            "num_gpus": around.gpus,
            "resource_config": resource_config,
            "user_entry_point": around.entry_point,
        }
        self._variables = _variables(
            self._constant | {"channels": self._channels, "framework_params": {}}  # no part of training_env
        )
        self._files = {
            "input/config/resourceconfig.json": json.dumps(resource_config),
            "input/config/inputdataconfig.json": json.dumps(input_data_config),
        }

    def files(self, params: Values) -> dict[str, str]:
        """Return the text of each configuration file by its path below /opt/ml."""
        return {"input/config/hyperparameters.json": json.dumps(hyperparameters(params)), **self._files}

    def variables(self, root: str, params: Values, *, name: str) -> dict[str, str]:
        """Return the SM_* variables, and TRAINING_JOB_NAME, of the run of this name.

        `root` is what /opt/ml is in the program's eyes.
        """
        channels = {channel: f"{root}/input/data/{channel}" for channel in self._channels}
        folders = {
            "input_config_dir": f"{root}/input/config",
            "input_dir": f"{root}/input",
            "model_dir": f"{root}/model",
            "output_data_dir": f"{root}/output/data",
            "output_dir": f"{root}/output",
            "output_intermediate_dir": f"{root}/output/intermediate",
        }
        training_env = (
            self._constant
            | folders
            | {
                "additional_framework_parameters": {},
                "channel_input_dirs": channels,
                "hyperparameters": params,
                "is_master": True,
                "job_name": name,
                "master_hostname": _HOST,
            }
        )
        own: dict[str, object] = {"hps": params, "training_env": training_env, "user_args": arguments(params)}
        own |= {f"channel_{channel}": path for channel, path in channels.items()}
        own |= {f"hp_{key}": value for key, value in params.items()}
        whole = self._variables | _variables(folders) | _variables(own)
        return whole | {"SAGEMAKER_BASE_DIR": root, "TRAINING_JOB_NAME": name}


def _variables(values: Mapping[str, object]) -> dict[str, str]:
    """Return the variables as the toolkit writes them: text as it is, nothing for null, else JSON."""
    variables: dict[str, str] = {}
    for name, value in values.items():
        match value:
            case None:
                text = ""
            case str():
                text = value
            case _:
                text = _compact(value)
        variables[f"SM_{name.upper()}"] = text
    return variables
