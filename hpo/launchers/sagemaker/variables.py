"""The variables of a training job's program."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from hpo.core.trial import Launch
from hpo.launchers import contract
from hpo.launchers.environment import text_of
from hpo.launchers.sagemaker.fields import LONGEST_VALUE
from hpo.launchers.sagemaker.limits import MOST_VARIABLES
from hpo.launchers.sagemaker.options import SageMakerOptions
from hpo.spec.space import Values

ML = "/opt/ml"

_SAME_EVERYWHERE = (
    "SM_MODEL_DIR",
    "SM_OUTPUT_DATA_DIR",
    "SM_OUTPUT_DIR",
    "SM_OUTPUT_INTERMEDIATE_DIR",
    "SM_INPUT_DIR",
    "SM_INPUT_CONFIG_DIR",
    "SM_CHANNELS",
    "SM_HPS",
    "SM_USER_ARGS",
    "SM_USER_ENTRY_POINT",
    "SM_MODULE_DIR",
    "SM_MODULE_NAME",
    "SM_LOG_LEVEL",
)
"""What is known before there is a machine; of hosts, CPUs and GPUs only the program itself can tell."""

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,511}")


def certain_variables(
    launch: Launch, options: SageMakerOptions, secrets: Mapping[str, str]
) -> dict[str, str]:
    """Return the variables that a program must get: hpo's, the user's, those by reference."""
    given = {name: text_of(value) for name, value in options.env.items()}
    return {
        "PYTHONUNBUFFERED": "1",
        "HPO_JOB": launch.job,
        "HPO_TRIAL": str(launch.trial),
        "HPO_RUN": str(launch.run),
        **given,
        **secrets,
    }


class ToolkitVariables:
    """Stands in for SageMaker's training toolkit, which an image need not have where a command is given."""

    def __init__(self, command: Sequence[str], channels: Sequence[str]) -> None:
        entry_point = contract.script_of(command) or command[0]
        around = contract.Surroundings(f"{ML}/code", entry_point, channels, cpus=0, gpus=0)
        self._contract = contract.Contract(around)

    def fitting(self, params: Values, taken: Mapping[str, str], *, name: str) -> dict[str, str]:
        """Return the SM_* variables that SageMaker takes besides others, which they don't replace.

        Left out is what is too long, has a name that SageMaker refuses, or is one too many.
        """
        every = self._contract.variables(ML, params, name=name)
        wanted = [*_SAME_EVERYWHERE, *(key for key in every if key.startswith(("SM_CHANNEL_", "SM_HP_")))]
        fit = [
            key
            for key in wanted
            if key not in taken and _NAME.fullmatch(key) and len(every[key]) <= LONGEST_VALUE
        ]
        return {key: every[key] for key in fit[: max(0, MOST_VARIABLES - len(taken))]}
