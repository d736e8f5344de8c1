"""What is wrong with a spec of containers: told before anything is started, each at its key."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hpo.launchers.docker.options import DockerOptions
from tests.command_line import Hpo
from tests.docker.containers import docker, job, place, refused, shell
from tests.docker_engine import IMAGE

pytestmark = pytest.mark.docker

NOBODY = "localhost:1/hpo-test-nothing:1"
"""An image that nobody has, at a registry where nobody answers."""


def test_an_image_that_may_not_be_pulled(hpo: Hpo) -> None:
    job(hpo, image=NOBODY)
    said = refused(hpo)
    words = f"`launcher.image`: the engine has no image {NOBODY}, and `pull: never` forbids to pull it"
    assert place(hpo, "image") + words in said


def test_an_image_that_cannot_be_pulled(hpo: Hpo) -> None:
    job(hpo, image=NOBODY, pull="missing")
    said = refused(hpo)
    assert f"{place(hpo, 'image')}`launcher.image`: the image {NOBODY} cannot be pulled: " in said
    assert "localhost:1" in said.partition("cannot be pulled: ")[2]  # the registry's refusal
    assert f"pulling {NOBODY}" in said


def test_pull_always_does_not_go_on_with_what_is_there(hpo: Hpo) -> None:
    name = f"localhost:1/hpo-test-always:{os.getpid()}"
    docker("tag", IMAGE, name)
    try:
        job(hpo, image=name, pull="always", command=shell("echo loss=1"))
        assert f"{name} cannot be pulled: " in refused(hpo)
    finally:
        docker("rmi", name)


def test_a_platform_that_the_image_is_not_for(hpo: Hpo) -> None:
    job(hpo, platform="linux/s390x", command=shell("echo loss=1"))
    assert f"{place(hpo, 'platform')}`launcher.platform`: " in (said := refused(hpo))
    assert IMAGE in said


@pytest.mark.parametrize(
    ("options", "key", "words"),
    [
        ({"command": ["pyhton", "-V"]}, "command", f"the image {IMAGE} has no program pyhton ("),
        ({"command": ["./train"], "workdir": "/code"}, "command", "has no program ./train (/code/./train)"),
        ({"command": ["x"], "env": {"PATH": "/no:/where"}}, "command", "has no program x (/no/x, /where/x)"),
        ({"command": ["true"], "entrypoint": ["start"]}, "entrypoint", "has no program start"),
        ({}, "image", "give `command`, or an image whose entry point takes `train`"),
    ],
)  # fmt: skip
def test_a_program_that_the_image_lacks(hpo: Hpo, options: dict[str, Any], key: str, words: str) -> None:
    job(hpo, **options)
    said = refused(hpo)
    assert f"`launcher.{key}`: the image" in said
    assert words in said
    if key == "image":
        assert place(hpo, key) in said


def test_all_that_is_too_much_or_missing_is_told_at_once(hpo: Hpo) -> None:
    job(
        hpo,
        command=shell("echo loss=1"),
        memory="1t",
        cpus=600,
        network="hpo-test-nowhere",
        env_from=["HPO_TEST_MISSING"],
        gpus=1,
        limits={"max_parallel_jobs": 2},
    )
    hpo.write("spec.yaml", f"{hpo.text('spec.yaml')}inputs:\n  train: ./nowhere\n")
    said = refused(hpo, having={"CUDA_VISIBLE_DEVICES": ""})
    for key, words in (
        ("memory", "2 trials at once need 2.05e+03 GiB, and the engine's machine has"),
        ("cpus", "2 trials at once need 1200, and the engine's machine has"),
        ("network", "the engine has no network hpo-test-nowhere; `docker network ls` shows them"),
        ("gpus", "a trial needs 1, and none can be found here"),
    ):
        assert f"{place(hpo, key)}`launcher.{key}`: {words}" in said
    assert "`launcher.env_from.0`: the variable HPO_TEST_MISSING is not set" in said
    line = len(hpo.text("spec.yaml").splitlines())
    assert f"spec.yaml:{line}:10: `inputs.train`: there is no {hpo.folder}/nowhere" in said
    assert "the spec has 6 mistakes; nothing was started" in said


def test_gpus_of_an_engine_that_has_none(hpo: Hpo) -> None:
    if "nvidia" in docker("info"):
        pytest.skip("this engine can give GPUs")
    job(hpo, command=shell("touch /shared/started"), gpus=1, mounts=[".:/shared"])
    said = refused(hpo, having={"CUDA_VISIBLE_DEVICES": "0"})
    assert f"{place(hpo, 'gpus')}`launcher.gpus`: the engine cannot start its container: " in said
    assert "could not select device driver" in said
    assert "install the NVIDIA Container Toolkit there" in said
    assert not (hpo.folder / "started").exists()


SOCKET = "it gives the trial the Docker engine, and with it the machine"
MOUNTS = {
    "/var/run/docker.sock:/var/run/docker.sock": SOCKET,
    "~/.docker/run/docker.sock:/sock:ro": SOCKET,
    "./data:/opt/ml": "it hides /opt/ml, which hpo itself gives to the trial",
    "./data:/opt//ml/./model/": "it hides /opt//ml/./model/, which hpo",
    "./data:/opt/ml/checkpoints": "it hides /opt/ml/checkpoints",
    "./data:/": "it hides /,",
    "./data:/a:/b": "it must be SOURCE:TARGET or SOURCE:TARGET:ro",
    "./data": "it must be SOURCE:TARGET or SOURCE:TARGET:ro",
}
"""Each of what is refused, and why."""


def test_mounts_that_may_not_be(hpo: Hpo) -> None:
    job(hpo, command=shell("echo loss=1"), mounts=list(MOUNTS))
    said = refused(hpo).splitlines()
    lines = hpo.text("spec.yaml").splitlines()
    for mount, words in MOUNTS.items():
        line = lines.index(f"  - {mount}") + 1
        assert any(told.startswith(f"spec.yaml:{line}:5: ") and words in told for told in said), (mount, said)


def test_a_mount_of_what_the_engine_does_not_see(hpo: Hpo) -> None:
    (hpo.folder / "data").mkdir()
    job(hpo, command=["/data/train"], mounts=["./data:/data", "./nowhere:/more"])
    line = hpo.text("spec.yaml").splitlines().index("  - ./nowhere:/more") + 1
    words = f"`launcher.mounts.1`: the engine's machine has no {hpo.folder}/nowhere"
    assert f"spec.yaml:{line}:5: {words}" in refused(hpo)


def test_a_mount_around_the_engine_s_socket(hpo: Hpo) -> None:
    address = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if not address.startswith("unix://"):
        pytest.skip("the engine has no socket here")
    folder = Path(address.removeprefix("unix://")).parent
    (hpo.folder / "link").symlink_to(folder)
    job(hpo, command=shell("echo loss=1"), mounts=[f"{folder}:/a", "./link:/b:ro", "/:/c"])
    said = refused(hpo)
    for index, source in enumerate((folder, f"{hpo.folder}/link", "/")):
        assert f"`launcher.mounts.{index}`: {source} holds the Docker engine's socket" in said


@pytest.mark.parametrize("address", ["unix:///nowhere/docker.sock", "tcp://127.0.0.1:1"])
def test_an_engine_that_is_not_there(hpo: Hpo, address: str) -> None:
    job(hpo, command=shell("echo loss=1"))
    said = refused(hpo, having={"DOCKER_HOST": address})
    assert f"{place(hpo, 'kind')}`launcher.kind`: the Docker engine at {address} does not answer: " in said
    assert "is it running? `docker info` tells" in said


def test_a_context_that_is_not_there(hpo: Hpo) -> None:
    meta = hpo.folder / "config/contexts/meta/some"
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text('{"Name": "other", "Endpoints": {}}')
    job(hpo, command=shell("echo loss=1"), context="othre")
    said = refused(hpo, having={"DOCKER_CONFIG": str(hpo.folder / "config")})
    words = "there is no Docker context `othre`; there are default, other"
    assert f"{place(hpo, 'context')}`launcher.context`: {words}" in said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"image": None}, "it must have either `image` or `build`"),
        ({"build": "."}, "it must have either `image` or `build`"),
        ({"memory": "1m"}, "greater than or equal to"),
        ({"memory": "much"}, "it must be a size above 0: 512m, 2g, 1.5g"),
        ({"cpus": 0}, "greater than 0"),
        ({"pull": "sometimes"}, "'missing', 'always' or 'never'"),
        ({"command": []}, "at least 1"),
        ({"mounts": [{"source": "a", "target": "b"}]}, "pattern"),
    ],
)
def test_options_that_are_wrong(options: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        DockerOptions.model_validate({"image": IMAGE, "command": "true", **options})


@pytest.mark.parametrize(
    ("written", "size"), [("512m", 2**29), ("2 GiB", 2**31), ("1.5g", 3 * 2**29), (2**23, 2**23)]
)
def test_a_size(written: object, size: int) -> None:
    assert DockerOptions.model_validate({"image": IMAGE, "memory": written}).memory == size
