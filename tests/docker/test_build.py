"""Images that are built for a job."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterator

import pytest

from tests.command_line import Hpo
from tests.docker.containers import docker, job, place, ran, refused, shell, trials
from tests.docker_engine import IMAGE

pytestmark = pytest.mark.docker

Folder = Callable[..., None]


@pytest.fixture
def folder(hpo: Hpo) -> Iterator[Folder]:
    """Write `code`, a folder to build an image of with this Dockerfile; the images are deleted in the end."""
    mark = f"hpo.test={secrets.token_hex(4)}"

    def write(dockerfile: str, name: str = "code/Dockerfile", stage: str = "") -> None:
        (hpo.folder / "code").mkdir(exist_ok=True)
        hpo.write(name, f"FROM {IMAGE}{stage}\nLABEL {mark}\n{dockerfile}")

    yield write
    if images := docker("images", "--quiet", "--filter", f"label={mark}").split():
        docker("rmi", "--force", *images)


def builds(said: str) -> list[str]:
    """Return the images that hpo has said to build."""
    return re.findall(r"building the image (hpo-build:[0-9a-f]{16}) from ", said)


def test_an_image_is_built_once_for_what_is_in_its_folder(hpo: Hpo, folder: Folder) -> None:
    folder("COPY . /code\nWORKDIR /code\n")
    hpo.write("code/.dockerignore", "# what is not wanted\n*.tmp\n.dockerignore\nDockerfile\n")
    hpo.write("code/train.sh", "ls -A; echo loss=1\n")
    hpo.write("code/a.tmp", "1")
    command = ["sh", "train.sh"]
    job(hpo, build="./code", command=command, limits={"max_jobs": 3, "max_parallel_jobs": 3})
    first = builds(hpo("run", "spec.yaml").err)
    assert len(first) == 1
    assert [trial["status"] for trial in trials(hpo)] == ["completed"] * 3
    assert hpo("logs", "job", "1").out == "train.sh\nloss=1\n"

    hpo.write("code/a.tmp", "2")  # is not seen
    assert builds(hpo("try", "spec.yaml").err) == []
    hpo.write("code/train.sh", "echo loss=2\n")
    second = builds(hpo("try", "spec.yaml").err)
    assert len(second) == 1
    assert second != first


def test_all_that_a_build_can_be_given(hpo: Hpo, folder: Folder) -> None:
    folder("")
    hpo.write("code/.dockerignore", "not-this\n")
    hpo.write("code/not-this", "")
    stages = (
        "ARG WHAT\nENV WHAT=$WHAT\nCOPY . /code\n"
        "FROM first AS second\nENV STAGE=second\nFROM first\nENV STAGE=last\n"
    )
    folder(stages, name="Recipe", stage=" AS first")
    log = ran(
        hpo,
        build={"folder": "code", "dockerfile": "Recipe", "args": {"WHAT": True}, "target": "second"},
        command=shell("echo $WHAT $STAGE; ls -A /code; echo loss=1"),
    )
    assert log == "true second\nDockerfile\nloss=1\n"


def test_an_image_s_entry_point_is_given_train(hpo: Hpo, folder: Folder) -> None:
    """As `docker run IMAGE train` does, and SageMaker: the parameters come in a file alone."""
    script = "echo $0 $@; cat /opt/ml/input/config/hyperparameters.json; echo; echo loss=1"
    folder(f"ENTRYPOINT {json.dumps(['sh', '-c', script])}\n")
    log = ran(hpo, build="code")
    x = trials(hpo)[0]["parameters"]["x"]
    assert log == f'train\n{{"x": "{x}"}}\nloss=1\n'


def test_an_image_s_entry_point_is_given_the_command(hpo: Hpo, folder: Folder) -> None:
    folder('ENTRYPOINT ["echo", "loss=1"]\nCMD ["unused"]\n')
    log = ran(hpo, build="code", command=["its own"])
    assert log == f"loss=1 its own --x {trials(hpo)[0]['parameters']['x']}\n"


def test_the_image_s_own_user_and_folder(hpo: Hpo, folder: Folder) -> None:
    folder("USER 12:34\nWORKDIR /its/own\n")
    script = "pwd; id -u; echo model > $SM_MODEL_DIR/m; echo loss=1"
    assert ran(hpo, build="code", user="image", command=shell(script)) == "/its/own\n12\nloss=1\n"


def test_a_build_that_fails_shows_its_output(hpo: Hpo, folder: Folder) -> None:
    folder("ENV MODE=fast\nCOPY nowhere /there\n")
    job(hpo, build="code", command=shell("echo loss=1"))
    said = refused(hpo)
    words = f"`launcher.build`: the image of {hpo.folder}/code cannot be built: "
    assert place(hpo, "build") + words in said
    assert "ENV MODE=fast" in said
    assert "COPY nowhere /there" in said
    assert "nowhere" in said.partition(words)[2].splitlines()[0]


def test_a_build_without_a_dockerfile(hpo: Hpo) -> None:
    job(hpo, build="./code", command=shell("echo loss=1"))
    assert f"`launcher.build`: there is no {hpo.folder}/code/Dockerfile" in refused(hpo)


def test_a_program_in_the_image_s_own_opt_ml_code_is_there(hpo: Hpo, folder: Folder) -> None:
    folder("COPY train.sh /opt/ml/code/train.sh\nWORKDIR /opt/ml/code\n")
    hpo.write("code/train.sh", "ls -A /opt/ml; echo loss=1\n")
    job(hpo, build="./code", command=["sh", "train.sh"], limits={"max_jobs": 1})
    hpo("run", "spec.yaml")
    parts = ["checkpoints", "code", "input", "model", "output"]
    assert hpo("logs", "job", "1").out.split() == [*parts, "loss=1"]
