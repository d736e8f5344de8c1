"""An engine that does not see this machine's files: they are copied in, and what a run has made, out."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import docker_engine
from tests.command_line import Hpo
from tests.docker import own_engine
from tests.docker.containers import ONE, job, launcher, outcome, run_folder, shell
from tests.docker.own_engine import OwnEngine

pytestmark = pytest.mark.docker


@dataclass(frozen=True)
class Remote:
    """An engine elsewhere, and the folder here that it does not see."""

    engine: OwnEngine
    hidden: Path


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    if why := docker_engine.missing() or own_engine.missing():
        pytest.skip(why)
    hidden = tmp_path_factory.mktemp("here")
    engine = OwnEngine(tmp_path_factory.mktemp("elsewhere") / "engine", hidden=hidden)
    yield Remote(engine, hidden)
    engine.close()


@pytest.fixture
def hpo(remote: Remote, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hpo]:
    """The command line in a folder that the engine does not see."""
    monkeypatch.setenv("DOCKER_HOST", remote.engine.address)
    hpo = Hpo(remote.hidden / request.node.name[:40])
    hpo.folder.mkdir()
    yield hpo
    hpo.kill()
    if left := remote.engine("ps", "--all", "--quiet").split():
        remote.engine("rm", "--force", *left)


SCRIPT = """
cd /opt/ml
cat input/config/hyperparameters.json input/data/*/deep/a input/data/*/one.csv checkpoints/* 2>/dev/null
printf %s "$TOKEN" | base64 -w 0; echo
echo $HPO_RUN > checkpoints/$HPO_RUN
mkdir -p model/sub output/data/deep
echo model > model/sub/m; ln -s m model/sub/same; ln -s /opt/ml/checkpoints/1 model/sub/elsewhere
echo out > output/data/deep/o
[ $HPO_RUN = 2 ] || { echo no luck > output/failure; exit 3; }
echo loss=1
"""


def test_all_of_a_run_is_copied_in_and_out(hpo: Hpo, remote: Remote) -> None:
    (hpo.folder / "real/deep").mkdir(parents=True)
    hpo.write("real/deep/a", "from a")
    hpo.write("one.csv", "1,2")
    (hpo.folder / "data").symlink_to("real")
    inputs = {"train": "data", "test": "one.csv"}
    section = launcher(command=shell(SCRIPT), env_from=["TOKEN"], user="nobody")
    hpo.job("", launcher=section, limits=ONE, inputs=inputs)
    hpo("run", "spec.yaml", status=1, env={"TOKEN": "hu'sh"})
    assert outcome(hpo) == ("failed", "exit status", "exit status 3: no luck")
    hpo("retry", "job", env={"TOKEN": "hu'sh"})
    assert outcome(hpo)[:2] == ("completed", None)
    x = hpo("trials", "job", "--json").json[0]["parameters"]["x"]
    token = base64.b64encode(b"hu'sh").decode()
    given = json.dumps({"x": str(x)}) + "from a1,2"
    assert hpo.text("state/jobs/job/trials/0001/run-1/log") == f"{given}{token}\n"
    assert hpo("logs", "job", "1").out == f"{given}1\n{token}\nloss=1\n"
    ml = run_folder(hpo, run=2) / "ml"
    assert (ml / "model/sub/m").read_text() == (ml / "model/sub/same").read_text() == "model\n"
    assert not (ml / "model/sub/elsewhere").is_symlink()  # it would lead to anywhere here
    assert (ml / "output/data/deep/o").read_text() == "out\n"
    checkpoints = run_folder(hpo).parent / "checkpoints"
    assert sorted(path.name for path in checkpoints.iterdir()) == ["1", "2"]
    assert {path.lstat().st_uid for path in ml.rglob("*")} == {os.getuid()}
    assert remote.engine("ps", "--all", "--quiet") == ""
    for path in (path for path in hpo.home.rglob("*") if path.is_file()):
        assert b"hu'sh" not in path.read_bytes()


def test_checkpoints_of_each_repeat_are_copied_in_and_out(hpo: Hpo) -> None:
    script = "cd /opt/ml/checkpoints; ls; echo $HPO_RUN > $HPO_RUN; [ $HPO_RUN != 2 ] || exit 3; echo loss=1"
    hpo.job("", launcher=launcher(command=shell(script)), limits=ONE, repeats=2)
    hpo("run", "spec.yaml", status=1)
    hpo("retry", "job")
    logs = [hpo("logs", "job", "1", "--run", run).out for run in ("1", "2", "3")]
    assert logs == ["loss=1\n", "", "2\nloss=1\n"]
    trial = run_folder(hpo).parent
    assert [path.name for path in (trial / "checkpoints").iterdir()] == ["1"]
    assert sorted(path.name for path in (trial / "repeat-2/checkpoints").iterdir()) == ["2", "3"]


def test_what_is_mounted_must_be_at_the_engine(hpo: Hpo, remote: Remote) -> None:
    (hpo.folder / "data").mkdir()
    job(hpo, command=shell("echo loss=1"), mounts=["./data:/data"])
    said = hpo("run", "spec.yaml", status=2).err
    assert f"`launcher.mounts.0`: the engine's machine has no {hpo.folder}/data" in said
    assert remote.engine("ps", "--all", "--quiet") == ""
