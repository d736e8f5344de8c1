"""What is asked of an engine, to the letter."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from hpo.launchers.docker.request import Bind, ContainerRequest

EVERYTHING = ContainerRequest(
    name="hpo-job-1-1-id",
    image="team/train:1",
    entrypoint=["python", "-u"],
    command=["train.py", "--x", "0.5"],
    env={"MODE": "fast lane", "EMPTY": ""},
    labels={"io.hpo.job": "job"},
    binds=[Bind("/here/ml", "/opt/ml"), Bind("/a,b", "/data", read_only=True), Bind("cache", "/cache")],
    user="1000:1000",
    workdir="/code",
    network="none",
    cpus=1.5,
    memory=2**31,
    shm_size=2**30,
    gpus=["0", "GPU-1"],
    capabilities=["SYS_PTRACE"],
    platform="linux/amd64",
)

CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID", "SYS_PTRACE")


def test_the_body_with_everything_set() -> None:
    golden = Path(__file__).with_name("create.json")
    assert EVERYTHING.body() == json.loads(golden.read_text(encoding="utf-8"))


def test_what_is_not_given_is_left_to_the_engine_and_the_image() -> None:
    body = ContainerRequest("", "image").body()
    assert body.keys() == {"Image", "Env", "Labels", "HostConfig"}
    assert isinstance(host := body["HostConfig"], dict)
    assert not host.keys() & {"NanoCpus", "Memory", "MemorySwap", "ShmSize", "DeviceRequests"}


def test_the_command_line_with_everything_set() -> None:
    assert EVERYTHING.command_line() == shlex.join(
        [
            *("docker", "run", "--init", "--name", "hpo-job-1-1-id", "--network", "none"),
            *("--mount", "type=bind,src=/here/ml,dst=/opt/ml"),
            *("--mount", 'type=bind,"src=/a,b",dst=/data,readonly'),
            *("--mount", "type=volume,src=cache,dst=/cache"),
            *("--cap-drop", "ALL"),
            *(part for name in CAPABILITIES for part in ("--cap-add", name)),
            *("--security-opt", "no-new-privileges:true"),
            *("--platform", "linux/amd64", "--cpus", "1.5", "--memory", "2147483648"),
            *("--shm-size", "1073741824", "--user", "1000:1000", "--workdir", "/code"),
            *("--gpus", '"device=0,GPU-1"', "--env", "MODE=fast lane", "--env", "EMPTY="),
            *("--entrypoint", "python", "team/train:1", "-u", "train.py", "--x", "0.5"),
        ]
    )


def test_the_command_line_with_nothing_set_leaves_all_to_the_image() -> None:
    words = shlex.split(ContainerRequest("name", "image").command_line())
    assert words[-1] == "image"
    assert not {"--user", "--workdir", "--entrypoint", "--gpus", "--memory"} & set(words)
