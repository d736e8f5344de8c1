"""Nothing of a job is left at the engine, however the job ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command_line import PATIENCE, Hpo
from tests.docker.containers import containers, docker, inspected, job, shell
from tests.docker_engine import IMAGE

pytestmark = pytest.mark.docker

Eventually = Callable[[Callable[[], object]], None]
Begin = Callable[..., subprocess.Popen[str]]

WAITING = "echo loss=1; echo $HPO_TRIAL >> /shared/started; until [ -e /shared/go ]; do sleep 0.05; done"
STUBBORN = f"trap 'echo asked >> /shared/asked' TERM; {WAITING}"


@pytest.fixture
def begun(hpo: Hpo, eventually: Eventually) -> Begin:
    """Start a job of two trials at once, and return its process once both run."""

    def begin(script: str = WAITING, *args: str, grace: str = "1s") -> subprocess.Popen[str]:
        limits = {"max_jobs": 2, "max_parallel_jobs": 2}
        job(hpo, command=shell(script), mounts=[".:/shared"], stop_grace=grace, limits=limits)
        process = hpo.start("run", "spec.yaml", *args)
        eventually(lambda: len(hpo.text("started").splitlines()) == 2)
        assert len(containers(hpo.folder)) == 2
        return process

    return begin


def test_after_completion_and_failure(hpo: Hpo) -> None:
    limits = {"max_jobs": 4, "max_parallel_jobs": 2}
    job(hpo, command=shell("echo loss=1; exit $((HPO_TRIAL % 2))"), limits=limits)
    hpo("run", "spec.yaml")
    counts = hpo("status", "job", "--json").json["counts"]
    assert (counts["completed"], counts["failed"]) == (2, 2)
    assert containers(hpo.folder) == []


def test_after_a_try(hpo: Hpo) -> None:
    job(hpo, command=shell("echo loss=1"))
    hpo("try", "spec.yaml", env={"TMPDIR": str(hpo.folder)})
    assert containers(hpo.folder) == []
    assert not list(hpo.folder.glob("hpo-try-*"))


def test_after_a_stop(hpo: Hpo, begun: Begin) -> None:
    process = begun()
    hpo("stop", "job")
    assert process.wait(PATIENCE) == 1
    assert containers(hpo.folder) == []


def test_after_ctrl_c(hpo: Hpo, begun: Begin) -> None:
    process = begun()
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    assert containers(hpo.folder) == []


def test_after_ctrl_c_twice(hpo: Hpo, begun: Begin, eventually: Eventually) -> None:
    process = begun(STUBBORN, grace="1h")
    process.send_signal(signal.SIGINT)
    eventually(lambda: len(hpo.text("asked").splitlines()) == 2)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    assert containers(hpo.folder) == []


def test_trials_left_running_are_taken_up_again(hpo: Hpo, begun: Begin) -> None:
    process = begun(WAITING, "--leave-running")
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    assert len(containers(hpo.folder, all_of_them=False)) == 2
    hpo.write("go", "")
    hpo("resume", "job")
    assert hpo.text("started").splitlines() in (["1", "2"], ["2", "1"])
    assert containers(hpo.folder) == []


def test_after_a_killed_tuner_a_stop_and_a_delete(hpo: Hpo, begun: Begin) -> None:
    process = begun()
    process.kill()
    process.wait()
    assert "stop them first with `hpo stop job`" in hpo("delete", "job", "--yes", status=1).err
    assert len(containers(hpo.folder, all_of_them=False)) == 2
    hpo("stop", "job")
    assert containers(hpo.folder) == []
    hpo("delete", "job", "--yes")
    assert not (hpo.home / "jobs/job").exists()


def test_a_delete_removes_what_a_tuner_had_no_time_to_remove(hpo: Hpo, begun: Begin) -> None:
    process = begun()
    run, *_ = containers(hpo.folder)
    labels = inspected(run)["Config"]["Labels"]
    hpo.write("go", "")
    assert process.wait(PATIENCE) == 0
    options = [part for name, value in labels.items() for part in ("--label", f"{name}={value}")]
    docker("create", *options, IMAGE, "true")
    assert len(containers(hpo.folder)) == 1
    hpo("delete", "job", "--yes")
    assert containers(hpo.folder) == []


@pytest.mark.usefixtures("only_doctor")
def test_the_doctor_removes_what_a_removed_folder_has_left(hpo: Hpo, begun: Begin) -> None:
    process = begun()
    process.kill()
    process.wait()
    names = [inspected(container)["Name"].lstrip("/") for container in containers(hpo.folder)]
    assert "container" not in hpo("doctor", "--clean").err.replace("containers", "")  # they are needed
    assert len(containers(hpo.folder)) == 2
    shutil.rmtree(hpo.home / "jobs/job")
    said = hpo("doctor", "--clean").err
    for name in names:
        assert f"removed container {name}: its job, {hpo.home}/jobs/job, was deleted" in said
    assert containers(hpo.folder) == []


def test_the_doctor_leaves_alone_what_it_may_not_look_at(hpo: Hpo, begun: Begin) -> None:
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only root can run hpo as another user")
    process = begun()
    (hpo.home / "jobs").chmod(0o700)
    hpo.folder.chmod(0o700)
    socket = Path("/var/run/docker.sock").stat().st_gid
    other = ["setpriv", "--reuid=54321", "--regid=54321", f"--groups={socket}"]
    home = {**hpo.environment, "HPO_HOME": "/nowhere", "HOME": "/nowhere"}
    doctor = [*other, *hpo.command("doctor", "--clean")]
    called = subprocess.run(doctor, cwd="/", env=home, capture_output=True, text=True, check=False)
    assert "Traceback" not in called.stderr
    assert len(containers(hpo.folder, all_of_them=False)) == 2
    hpo.write("go", "")
    assert process.wait(PATIENCE) == 0


CHECK = f"""
import os, pathlib, signal, sys
from hpo.launchers.docker import check, engine, options
from hpo.launchers.launcher import JobContext
folder = pathlib.Path(sys.argv[1])
context = JobContext("job", folder / "jobs/job", folder, folder)
probe = check.probe_of("{IMAGE}", options.DockerOptions(image="{IMAGE}"), context)
engine.Engine(None, connections=1).create(probe)
sys.stdout.write("made\\n")
sys.stdout.flush()
sys.stdin.read()
"""
"""Makes the container that a check looks into, and waits."""


@pytest.mark.usefixtures("only_doctor")
def test_the_doctor_removes_what_a_killed_check_has_left(hpo: Hpo) -> None:
    checking = [sys.executable, "-c", CHECK, str(hpo.home)]
    with subprocess.Popen(checking, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as check:
        assert check.stdout is not None
        assert check.stdout.readline() == b"made\n"
        hpo("doctor", "--clean")
        (left,) = containers(hpo.folder)  # it is looked into
        check.kill()
    name = inspected(left)["Name"].lstrip("/")
    assert f"removed container {name}: a check left it" in hpo("doctor", "--clean").err
    assert containers(hpo.folder) == []
