"""The options of a spec, as a container sees them from inside."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hpo.core.trial import Launch
from hpo.launchers.docker.launcher import DockerLauncher
from hpo.launchers.docker.options import DockerOptions
from hpo.launchers.launcher import JobContext
from tests.command_line import Hpo
from tests.docker.containers import (
    SHOWN,
    docker,
    job,
    outcome,
    python,
    ran,
    run_folder,
    shell,
    told,
    trials,
)
from tests.docker_engine import IMAGE

pytestmark = pytest.mark.docker

LOOK = f"""
import json, os, sys
def read(*paths):
    return next(open(path).read().strip() for path in paths if os.path.exists(path))
groups = [("cpu.max", "cpu/cpu.cfs_quota_us"), ("memory.max", "memory/memory.limit_in_bytes")]
limits = [read(*("/sys/fs/cgroup/" + path for path in paths)) for paths in groups]
shm = os.statvfs("/dev/shm")
print(json.dumps({{
    "argv": sys.argv[1:], "cwd": os.getcwd(), "env": dict(os.environ), "uid": os.getuid(), "gid": os.getgid(),
    "cpus": limits[0].split()[0], "memory": limits[1], "shm": shm.f_blocks * shm.f_frsize,
    "interfaces": sorted(os.listdir("/sys/class/net")), "mounts": read("/proc/self/mounts").splitlines(),
    "capabilities": int(read("/proc/self/status").split("CapBnd:")[1].split()[0], 16),
}}))
{SHOWN}
"""
"""Prints what it sees as JSON, and then the objective."""

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
SYS_PTRACE = 1 << 19


def test_what_is_given_reaches_the_container(hpo: Hpo) -> None:
    (hpo.folder / "data").mkdir()
    hpo.write("data/a", "from here")
    seen = told(
        hpo,
        command=[*python(LOOK), "{x}", "--tag={x}"],
        workdir="/some/where",
        env={"MODE": "fast lane", "FLAG": True, "RATE": 0.5},
        cpus=0.5,
        memory="256m",
        shm_size="8m",
        capabilities=["SYS_PTRACE"],
        platform="linux/amd64",
        mounts=["./data:/data:ro", {"source": str(hpo.folder), "target": "/whole", "read_only": False}],
    )
    x = str(trials(hpo)[0]["parameters"]["x"])
    assert seen["argv"] == [x, f"--tag={x}"]
    assert seen["cwd"] == "/some/where"
    env = seen["env"]
    assert (env["MODE"], env["FLAG"], env["RATE"]) == ("fast lane", "true", "0.5")
    assert (env["HPO_JOB"], env["HPO_TRIAL"], env["HPO_RUN"]) == ("job", "1", "1")
    assert [env[name] for name in THREADS] == ["1"] * 3  # half a processor is one thread
    assert (seen["cpus"], seen["memory"], seen["shm"]) == ("50000", str(2**28), 2**23)
    assert seen["interfaces"] == ["lo"]
    assert seen["capabilities"] & SYS_PTRACE
    modes = {line.split()[1]: line.split()[3].split(",")[0] for line in seen["mounts"]}
    assert (modes["/data"], modes["/whole"]) == ("ro", "rw")


def test_what_is_not_given_is_the_engine_s_and_the_image_s(hpo: Hpo) -> None:
    seen = told(hpo, command=python(LOOK))
    assert seen["argv"] == ["--x", str(trials(hpo)[0]["parameters"]["x"])]
    assert (seen["cwd"], seen["shm"]) == ("/", 2**26)
    assert not seen["capabilities"] & SYS_PTRACE
    assert "/docker.sock" not in " ".join(seen["mounts"])


@pytest.mark.parametrize(("threads", "expected"), [(3, "3"), ("off", None)])
def test_threads(hpo: Hpo, threads: object, expected: str | None) -> None:
    env = told(hpo, command=python(LOOK), threads=threads)["env"]
    assert [env.get(name) for name in THREADS] == [expected] * 3


def test_an_entry_point_is_given_the_command(hpo: Hpo) -> None:
    script = 'echo "$0" "$@"; echo loss=1'
    log = ran(hpo, entrypoint=["sh", "-c", script], command="name {args} last")
    x = trials(hpo)[0]["parameters"]["x"]
    assert log == f"name --x {x} last\nloss=1\n"


def test_an_entry_point_alone_is_given_the_parameters(hpo: Hpo) -> None:
    log = ran(hpo, entrypoint=["sh", "-c", 'echo "$@"; echo loss=1', "sh"])
    assert log == f"--x {trials(hpo)[0]['parameters']['x']}\nloss=1\n"


def test_a_volume_keeps_what_a_trial_has_written(hpo: Hpo) -> None:
    volume = f"hpo-test-{os.getpid()}-{hpo.folder.name}"
    script = "cat /kept/runs; echo $HPO_TRIAL >> /kept/runs; echo loss=1"
    try:
        job(hpo, command=shell(script), mounts=[f"{volume}:/kept"], limits={"max_jobs": 2})
        hpo("plan", "spec.yaml")
        listed = docker("volume", "ls", "--quiet", "--filter", f"name={volume}")
        assert listed == ""  # to look makes none
        hpo("run", "spec.yaml")
        assert hpo("logs", "job", "2").out.startswith("1\n")
    finally:
        docker("volume", "rm", "--force", volume)


def test_a_program_may_lie_in_what_is_mounted(hpo: Hpo) -> None:
    hpo.write("train", "#!/bin/sh\npwd; echo loss=1\n", mode=0o755)
    assert ran(hpo, command=["./train"], workdir="/code", mounts=["./:/code:ro"]) == "/code\nloss=1\n"


# -- who a program is

WHO = shell(
    "id -u; id -g; echo model > /opt/ml/model/m; echo at > /opt/ml/checkpoints/c; "
    "mkdir /opt/ml/output/data/deep && echo out > /opt/ml/output/data/deep/o; echo loss=1"
)
OTHER = 54321
"""A user who has no entry anywhere."""


@pytest.fixture
def anybody() -> Iterator[tuple[Hpo, int, list[str]]]:
    """The command line for a user who is not root: in which folder, who that is, and what runs it so."""
    if os.geteuid() != 0:
        pytest.skip("only root can run hpo as another user; the others are that user already")
    if not shutil.which("setpriv"):
        pytest.skip("there is no program setpriv")
    folder = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
    os.chown(folder, OTHER, OTHER)
    socket = Path("/var/run/docker.sock")
    hpo = Hpo(folder)
    groups = str(socket.stat().st_gid) if socket.exists() else str(OTHER)
    yield hpo, OTHER, ["setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", f"--groups={groups}"]
    hpo.kill()
    shutil.rmtree(folder)


def test_the_files_of_a_trial_belong_to_whoever_runs_hpo(anybody: tuple[Hpo, int, list[str]]) -> None:
    hpo, uid, under = anybody
    script = [*WHO[:2], f"{WHO[2]}; echo HOME=$HOME; touch $HOME/here", "sh"]
    job(hpo, command=script)
    for call in (["run", "spec.yaml"], ["logs", "job", "1"], ["delete", "job", "--yes"]):
        if call[0] == "delete":
            made = [path for path in run_folder(hpo).rglob("*") if path.is_file()]
            assert {path.name for path in made} >= {"m", "o", "log", "hyperparameters.json"}
            assert {path.stat().st_uid for path in hpo.home.rglob("*")} == {uid}
        called = subprocess.run(
            [*under, *hpo.command(*call)],
            cwd=hpo.folder,
            env={**hpo.environment, "HOME": str(hpo.folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert called.returncode == 0, called.stderr
        if call[0] == "logs":
            assert called.stdout == f"{uid}\n{uid}\nloss=1\nHOME=/tmp\n"
    assert not (hpo.home / "jobs" / "job").exists()


@pytest.mark.parametrize(
    ("user", "expected"), [("image", "0\n0\n"), ("nobody", "65534\n65534\n"), ("12:34", "12\n34\n")]
)
def test_a_user(hpo: Hpo, user: str, expected: str) -> None:
    log = ran(hpo, command=WHO, user=user)
    assert log == f"{expected}loss=1\n"
    assert (run_folder(hpo) / "ml/model/m").read_text() == "model\n"
    assert (run_folder(hpo).parent / "checkpoints/c").read_text() == "at\n"


def test_a_user_whom_the_image_does_not_know(hpo: Hpo) -> None:
    ran(hpo, command=WHO, user="nosuchuser", status=1)
    status, reason, detail = outcome(hpo)
    assert (status, reason) == ("failed", "could not start")
    assert "nosuchuser" in detail
    assert "a number needs no entry there" in detail


# -- images


@pytest.fixture
def tag() -> Iterator[str]:
    """Another name of the tests' image, at a registry where nobody answers."""
    name = f"localhost:1/hpo-test:{os.getpid()}"
    docker("tag", IMAGE, name)
    yield name
    docker("rmi", name)


@pytest.mark.parametrize("pull", ["never", "missing"])
def test_an_image_that_is_there_is_not_pulled(hpo: Hpo, tag: str, pull: str) -> None:
    assert ran(hpo, image=tag, pull=pull, command=shell("echo loss=1")) == "loss=1\n"


# -- engines


def test_an_engine_by_its_context(hpo: Hpo) -> None:
    config = {"DOCKER_CONFIG": str(hpo.folder / "config")}
    if os.environ.get("DOCKER_HOST", "unix://").partition("://")[0] != "unix":
        pytest.skip("a context of the tests' own would need the engine's keys")
    address = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    create = ["docker", "context", "create", "here", "--docker", f"host={address}"]
    environment = {name: value for name, value in os.environ.items() if name != "DOCKER_HOST"}
    subprocess.run(create, env={**environment, **config}, check=True, capture_output=True)
    nowhere = {**config, "DOCKER_HOST": "unix:///nowhere.sock"}
    assert ran(hpo, having=nowhere, context="here", command=shell("echo loss=1")) == "loss=1\n"


def test_a_plan_shows_the_docker_run_that_does_the_same(hpo: Hpo) -> None:
    job(hpo, command=["python3", "train.py"], env={"MODE": "fast lane"}, env_from=["TOKEN"])
    shown = hpo("plan", "spec.yaml", env={"TOKEN": "s3cret"}).out
    assert "docker run --init --name hpo-job-0001-1-ID --network none" in shown
    assert "--env 'MODE=fast lane'" in shown
    assert "--env 'TOKEN=(from env_from)'" in shown
    assert f"{IMAGE} python3 train.py --x" in shown
    assert "s3cret" not in shown


def test_gpus_are_numbered_anew_in_the_container(tmp_path: Path) -> None:
    options = DockerOptions(image=IMAGE, gpus=1, env={"CUDA_VISIBLE_DEVICES": "3"})
    context = JobContext("job", tmp_path / "job", tmp_path, tmp_path)
    shown = DockerLauncher(context, options).request(Launch("job", 1, 1, {}))
    assert "--gpus '\"device=3\"'" in shown
    assert "CUDA_VISIBLE_DEVICES" not in shown
