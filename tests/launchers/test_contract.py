"""SageMaker's contract, against values worked out by hand from the training toolkit's source."""

from __future__ import annotations

import json

import pytest

from hpo.launchers.contract import Contract, Surroundings, arguments, command_line, script_of
from hpo.spec.space import Values

PARAMS: Values = {
    "learning-rate": 0.0001,
    "epochs": 3,
    "opt_name": "sgd",
    "nesterov": True,
    "x": None,
    "tag": "a b",
}
AROUND = Surroundings(
    module_dir="/code", entry_point="train.py", channels=["validation", "train"], cpus=2, gpus=1
)

RESOURCE_CONFIG = (
    '{"current_group_name":"homogeneousCluster","current_host":"algo-1","current_instance_type":"local",'
    '"hosts":["algo-1"],"instance_groups":[{"hosts":["algo-1"],"instance_group_name":"homogeneousCluster",'
    '"instance_type":"local"}],"network_interface_name":"eth0"}'
)
CHANNEL = '{"RecordWrapperType":"None","S3DistributionType":"FullyReplicated","TrainingInputMode":"File"}'
HPS = '{"epochs":3,"learning-rate":0.0001,"nesterov":true,"opt_name":"sgd","tag":"a b","x":null}'
GOLDEN = {
    "SAGEMAKER_BASE_DIR": "/opt/ml",
    "SM_CHANNELS": '["train","validation"]',
    "SM_CHANNEL_TRAIN": "/opt/ml/input/data/train",
    "SM_CHANNEL_VALIDATION": "/opt/ml/input/data/validation",
    "SM_CURRENT_HOST": "algo-1",
    "SM_CURRENT_INSTANCE_GROUP": "homogeneousCluster",
    "SM_CURRENT_INSTANCE_GROUP_HOSTS": '["algo-1"]',
    "SM_CURRENT_INSTANCE_TYPE": "local",
    "SM_DISTRIBUTION_INSTANCE_GROUPS": "[]",
    "SM_FRAMEWORK_MODULE": "",
    "SM_FRAMEWORK_PARAMS": "{}",
    "SM_HOSTS": '["algo-1"]',
    "SM_HPS": HPS,
    "SM_HP_EPOCHS": "3",
    "SM_HP_LEARNING-RATE": "0.0001",
    "SM_HP_NESTEROV": "true",
    "SM_HP_OPT_NAME": "sgd",
    "SM_HP_TAG": "a b",
    "SM_HP_X": "",
    "SM_INPUT_CONFIG_DIR": "/opt/ml/input/config",
    "SM_INPUT_DATA_CONFIG": f'{{"train":{CHANNEL},"validation":{CHANNEL}}}',
    "SM_INPUT_DIR": "/opt/ml/input",
    "SM_INSTANCE_GROUPS": '["homogeneousCluster"]',
    "SM_INSTANCE_GROUPS_DICT": (
        '{"homogeneousCluster":{"hosts":["algo-1"],"instance_group_name":"homogeneousCluster",'
        '"instance_type":"local"}}'
    ),
    "SM_IS_HETERO": "false",
    "SM_LOG_LEVEL": "20",
    "SM_MODEL_DIR": "/opt/ml/model",
    "SM_MODULE_DIR": "/code",
    "SM_MODULE_NAME": "train",
    "SM_NETWORK_INTERFACE_NAME": "eth0",
    "SM_NUM_CPUS": "2",
    "SM_NUM_GPUS": "1",
    "SM_OUTPUT_DATA_DIR": "/opt/ml/output/data",
    "SM_OUTPUT_DIR": "/opt/ml/output",
    "SM_OUTPUT_INTERMEDIATE_DIR": "/opt/ml/output/intermediate",
    "SM_RESOURCE_CONFIG": RESOURCE_CONFIG,
    "SM_USER_ARGS": (
        '["--learning-rate","0.0001","--epochs","3","--opt_name","sgd","--nesterov","True","--x","",'
        '"--tag","a b"]'
    ),
    "SM_USER_ENTRY_POINT": "train.py",
    "TRAINING_JOB_NAME": "job-0001-1",
}


def test_the_variables_are_the_toolkit_s() -> None:
    variables = Contract(AROUND).variables("/opt/ml", PARAMS, name="job-0001-1")
    training_env = json.loads(variables.pop("SM_TRAINING_ENV"))
    assert variables == GOLDEN
    assert training_env["hyperparameters"] == PARAMS
    assert training_env["channel_input_dirs"] == {
        "train": "/opt/ml/input/data/train",
        "validation": "/opt/ml/input/data/validation",
    }
    assert training_env["job_name"] == "job-0001-1"
    assert training_env["num_gpus"] == 1
    assert training_env["resource_config"] == json.loads(RESOURCE_CONFIG)


def test_every_hyperparameter_in_the_file_is_a_string() -> None:
    files = Contract(AROUND).files(PARAMS)
    assert {path: json.loads(text) for path, text in files.items()} == {
        "input/config/hyperparameters.json": {
            "learning-rate": "0.0001",
            "epochs": "3",
            "opt_name": "sgd",
            "nesterov": "true",
            "x": "null",
            "tag": "a b",
        },
        "input/config/resourceconfig.json": json.loads(RESOURCE_CONFIG),
        "input/config/inputdataconfig.json": {
            "train": json.loads(CHANNEL),
            "validation": json.loads(CHANNEL),
        },
    }


def test_arguments_have_two_hyphens_however_short_the_name() -> None:
    assert arguments({"x": 1, "flag": False, "none": None}) == [
        "--x", "1", "--flag", "False", "--none", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["train"], ["train", "--lr", "0.5", "--tag", "a b"]),
        (["train", "{args}", "--last"], ["train", "--lr", "0.5", "--tag", "a b", "--last"]),
        (["train", "{lr}"], ["train", "0.5", "--tag", "a b"]),
        (["train", "--rate={lr}", "{tag}-{lr}"], ["train", "--rate=0.5", "a b-0.5"]),
        (["train", "{lr}", "{args}"], ["train", "0.5", "--lr", "0.5", "--tag", "a b"]),
        (["sh", "-c", "train {args} | tee log"], ["sh", "-c", "train --lr 0.5 --tag 'a b' | tee log"]),
        (["awk", "{print}", "{}", "{{lr}}"], ["awk", "{print}", "{}", "{0.5}", "--tag", "a b"]),
    ],
)
def test_parameters_stand_where_the_command_wants_them(command: list[str], expected: list[str]) -> None:
    assert command_line(command, {"lr": 0.5, "tag": "a b"}) == expected


def test_a_value_with_braces_is_not_filled_in_again() -> None:
    assert command_line(["train", "{a}"], {"a": "{b}", "b": "{a}"}) == ["train", "{b}", "--b", "{a}"]


def test_the_script_is_what_looks_like_one() -> None:
    assert script_of(["python", "-u", "src/train.py", "x.sh"]) == "src/train.py"
    assert script_of(["./train"]) is None
