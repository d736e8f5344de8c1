"""What AWS takes for an address, a key, a name: checked as a spec is read, before anything is asked of AWS.

Patterns and bounds are those of SageMaker's service model, CreateTrainingJob (botocore, service-2.json).
"""

from __future__ import annotations

import posixpath
import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from hpo.launchers import contract
from hpo.launchers.environment import Secrets, VariableName, VariableValue, text_of
from hpo.spec.section import Duration, mistake

LONGEST_VALUE = 512
"""Characters of a variable's name, and of its value."""

LONGEST_RUN = 28 * 86400
"""Seconds that a training job may run, or wait and run."""

OWN_TAGS = ("hpo:job", "hpo:trial", "hpo:run")
"""The tags that hpo itself puts on each training job."""

_SIZE = re.compile(r"(?P<number>[0-9]+)\s*(?P<unit>[gt]?)(?:i?b)?", re.IGNORECASE)
_VARIABLE = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,511}")
_TAG = re.compile(r"[\w\s.:/=+\-@]*")
_FROM_ENV = r"\$\{"
"""What a text has in it that comes from the environment; the spec's schema is for one as it is written."""

_TAKEN = frozenset({"/", "/opt/ml", *(f"/opt/ml/{folder}" for folder in contract.FOLDERS)})
"""Where a program finds what SageMaker itself puts there."""


def _matching(pattern: str, words: str, *, hint: str = "") -> tuple[AfterValidator, WithJsonSchema]:
    whole = re.compile(pattern)

    def check(text: str) -> str:
        if not whole.fullmatch(text):
            raise mistake(f"it must be {words}", hint=hint)
        return text

    return AfterValidator(check), WithJsonSchema(
        {"type": "string", "pattern": f"^(?:{pattern})$|{_FROM_ENV}"}
    )


_role, _role_schema = _matching(
    r"(?=.{1,2048}$)(arn:aws[a-z-]*:iam::[0-9]{12}:role/)?[a-zA-Z_0-9+=,.@/-]+",
    "a role's name or its ARN",
    hint="as in SageMakerTraining, or arn:aws:iam::123456789012:role/SageMakerTraining",
)
Role = Annotated[str, _role, _role_schema]

_algorithm, _algorithm_schema = _matching(
    r"(?=.{1,170}$)(arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:[a-z-]*/)?[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
    "an algorithm's name or its ARN",
    hint="the ARN for one of AWS Marketplace; an image goes under `image`",
)
Algorithm = Annotated[str, _algorithm, _algorithm_schema]

_machine, _machine_schema = _matching(
    r"ml\.[a-z0-9-]+\.[a-z0-9-]+", "a type of machine of SageMaker's", hint="as in ml.m5.xlarge"
)
MachineType = Annotated[str, _machine, _machine_schema]

_key, _key_schema = _matching(
    r"[a-zA-Z0-9:/_-]{1,2048}", "the id, alias or ARN of a KMS key", hint="as in alias/training"
)
Key = Annotated[str, _key, _key_schema]

_network, _network_schema = _matching(r"[-0-9a-zA-Z]{1,32}", "an id", hint="as in subnet-0a1b2c, sg-0a1b2c")
NetworkId = Annotated[str, _network, _network_schema]

_file_system, _file_system_schema = _matching(
    r"fs-[0-9a-f]{8,18}", "the id of a file system", hint="as in fs-0123456789abcdef0"
)
FileSystemId = Annotated[str, _file_system, _file_system_schema]

_experiment, _experiment_schema = _matching(
    r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,119}", "1 to 120 letters (a to z), digits and inner hyphens"
)
ExperimentName = Annotated[str, _experiment, _experiment_schema]

_plan, _plan_schema = _matching(
    r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:training-plan/.{1,2000}", "the ARN of a training plan"
)
TrainingPlan = Annotated[str, _plan, _plan_schema]

_mlflow, _mlflow_schema = _matching(
    r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:mlflow-[a-zA-Z-]*/.{1,1900}",
    "the ARN of an MLflow server or app of SageMaker's",
)
MlflowArn = Annotated[str, _mlflow, _mlflow_schema]

_group, _group_schema = _matching(
    r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]{9,16}:[0-9]{12}:model-package-group/\S{1,1900}",
    "the ARN of a model package group",
)
ModelPackageGroup = Annotated[str, _group, _group_schema]

_package, _package_schema = _matching(
    r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]{9,16}:[0-9]{12}:model-package/\S{1,1900}",
    "the ARN of a model package",
)
ModelPackage = Annotated[str, _package, _package_schema]

_dataset, _dataset_schema = _matching(
    r"(?=.{1,2048}$)arn:[a-z0-9.-]+:sagemaker:[a-z0-9-]+:([0-9]{12}|aws):hub-content/[^/\s]+/DataSet/\S+",
    "the ARN of a data set in a hub",
)
DataSet = Annotated[str, _dataset, _dataset_schema]

_lambda, _lambda_schema = _matching(
    r"(?=.{1,2048}$)arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:[0-9]{12}:function:.*",
    "the ARN of a Lambda function",
)
Function = Annotated[str, _lambda, _lambda_schema]


def _s3_prefix(address: str) -> str:
    if len(address) > 1024 or not re.fullmatch(r"s3://[A-Za-z0-9._-]{3,255}(/[^\n]*)?", address):
        raise mistake("it must be s3://BUCKET/PREFIX, of at most 1,024 characters")
    return address.rstrip("/")


S3Prefix = Annotated[
    str,
    AfterValidator(_s3_prefix),
    WithJsonSchema({"type": "string", "pattern": f"^s3://[^/]{{3,}}|{_FROM_ENV}"}),
]
"""An address in S3, without a slash at its end."""


def _gigabytes(value: object) -> int:
    match value:
        case int() if not isinstance(value, bool):
            size = value
        case str() if written := _SIZE.fullmatch(value):
            size = int(written["number"]) * (1024 if written["unit"].lower() == "t" else 1)
        case _:
            size = 0
    if not 1 <= size <= 16384:
        raise mistake("it must be a size from 1 to 16384 GB: 30, 30g, 1t", hint="without a unit: GB")
    return size


Gigabytes = Annotated[
    int,
    BeforeValidator(_gigabytes),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 16384},
                {"type": "string", "pattern": "^[0-9]+\\s*[gtGT]?(i?[bB])?$"},
            ]
        }
    ),
]
"""A number of GB; written as a number, or as a text with one of the units g and t."""


def _run_time(seconds: float) -> float:
    if seconds > LONGEST_RUN:
        raise mistake("a training job waits and runs for at most 28d")
    return seconds


def _pending_time(seconds: float) -> float:
    if not 1800 <= seconds <= LONGEST_RUN:
        raise mistake("it must be from 30m to 28d")
    return seconds


def _kept_ready(seconds: float) -> float:
    if seconds > 3600:
        raise mistake("SageMaker keeps machines ready for at most 1h")
    return seconds


RunTime = Annotated[Duration, AfterValidator(_run_time)]
PendingTime = Annotated[Duration, AfterValidator(_pending_time)]
KeptReady = Annotated[Duration, AfterValidator(_kept_ready)]


def _place(path: str) -> str:
    if posixpath.normpath(f"/{path.lstrip('/')}") in _TAKEN:
        raise mistake(
            "SageMaker itself uses that folder", hint="any other place: /opt/ml/checkpoints, /tmp/tensorboard"
        )
    return path


Place = Annotated[str, Field(pattern="^/", max_length=4096), AfterValidator(_place)]
"""A folder in the container that is none of SageMaker's own."""


def _variable_name(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise mistake(
            "SageMaker takes letters (a to z), digits and _ in a variable's name, no digit at its beginning, "
            f"and {LONGEST_VALUE} characters at the most"
        )
    return name


def _variable_value(value: VariableValue) -> VariableValue:
    if (size := len(text_of(value))) > LONGEST_VALUE:
        raise mistake(
            f"SageMaker takes {LONGEST_VALUE} characters for a variable, and these are {size:,}",
            hint="give it as a channel of `inputs`, or in the image",
        )
    return value


PlainName = Annotated[VariableName, AfterValidator(_variable_name)]
ShortValue = Annotated[VariableValue, AfterValidator(_variable_value)]


def _secrets(secrets: Secrets) -> Secrets:
    for name in secrets:
        if not _VARIABLE.fullmatch(name):
            raise mistake(f"SageMaker takes letters (a to z), digits and _ in a name, not `{name}`")
    return secrets


PlainSecrets = Annotated[Secrets, AfterValidator(_secrets)]
"""Variables by reference whose names SageMaker takes."""


def _tag_key(key: str) -> str:
    if key in OWN_TAGS:
        raise mistake("hpo itself sets this tag")
    if key.lower().startswith("aws:"):
        raise mistake("tags that begin with aws: are AWS's own")
    if not 1 <= len(key) <= 128 or not _TAG.fullmatch(key):
        raise mistake("a tag's key is 1 to 128 letters, digits, spaces and characters of _.:/=+-@")
    return key


def _tag_value(value: VariableValue) -> VariableValue:
    if len(text := text_of(value)) > 256 or not _TAG.fullmatch(text):
        raise mistake("a tag's value is at most 256 letters, digits, spaces and characters of _.:/=+-@")
    return value


TagKey = Annotated[str, AfterValidator(_tag_key)]
TagValue = Annotated[VariableValue, AfterValidator(_tag_value)]
