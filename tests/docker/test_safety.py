"""What nobody is to see of a trial, and what a trial is not to have."""

from __future__ import annotations

import base64
import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.command_line import PATIENCE, Hpo
from tests.docker.containers import (
    containers,
    docker,
    inspected,
    job,
    launcher,
    outcome,
    python,
    ran,
    shell,
)

pytestmark = pytest.mark.docker

Eventually = Callable[[Callable[[], object]], None]

HUSH = "hush-$HOME-'quoted'\"-`ls`\\-\nand more"
TOKEN = {"TOKEN": HUSH}
PRINTED = 'printf %s "$TOKEN" | base64 -w 0; echo; echo loss=1'
WAITING = f"{PRINTED}; until [ -e /shared/go ]; do sleep 0.05; done"


def secret_files(hpo: Hpo) -> list[Path]:
    """Return where the secrets of this folder's job lie at the moment."""
    job_id = hpo.home / "jobs/job/docker.id"
    places = [Path(f"/dev/shm/hpo-{os.getuid()}"), hpo.home / "jobs/job/secrets"]
    return [path for place in places for path in place.glob(f"{job_id.read_text()}-*")]


def assert_nowhere(hpo: Hpo) -> None:
    """Assert that the secret is in no file of hpo's, and in no process's arguments."""
    for path in (path for path in hpo.folder.rglob("*") if path.is_file()):
        assert b"hush-" not in path.read_bytes(), path
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(FileNotFoundError, ProcessLookupError):
            assert b"hush-" not in path.read_bytes()


@pytest.fixture
def begun(hpo: Hpo, eventually: Eventually, monkeypatch: pytest.MonkeyPatch) -> subprocess.Popen[str]:
    """A job that has started a trial with a secret, which waits for the file `go`."""
    monkeypatch.setenv("TOKEN", HUSH)
    job(hpo, command=shell(WAITING), env_from=["TOKEN"], mounts=[".:/shared"], stop_grace="1s")
    process = hpo.start("run", "spec.yaml")
    eventually(lambda: "loss=1" in hpo.text("state/jobs/job/trials/0001/run-1/log"))
    return process


def test_a_secret_reaches_the_program_and_nothing_else(hpo: Hpo, begun: subprocess.Popen[str]) -> None:
    (container,) = containers(hpo.folder)
    assert "hush-" not in docker("inspect", container)
    assert "hush-" not in docker("top", container, "-eo", "pid,args")
    assert_nowhere(hpo)
    (file,) = secret_files(hpo)
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    hpo.write("go", "")
    assert begun.wait(PATIENCE) == 0
    log = hpo("logs", "job", "1").out.splitlines()
    assert base64.b64decode(log[0]).decode() == HUSH
    assert secret_files(hpo) == []
    assert_nowhere(hpo)


def test_a_stop_leaves_no_secret(hpo: Hpo, begun: subprocess.Popen[str]) -> None:
    hpo("stop", "job")
    assert begun.wait(PATIENCE) == 1
    assert secret_files(hpo) == []
    assert containers(hpo.folder) == []


@pytest.mark.parametrize("meanwhile", ["it_runs", "it_has_ended", "it_was_removed"])
def test_a_crash_leaves_no_secret_once_the_job_was_resumed(
    hpo: Hpo, begun: subprocess.Popen[str], eventually: Eventually, meanwhile: str
) -> None:
    begun.kill()
    begun.wait()
    (container,) = containers(hpo.folder)
    if meanwhile != "it_runs":
        hpo.write("go", "")
        eventually(lambda: inspected(container)["State"]["Status"] == "exited")
    if meanwhile == "it_was_removed":
        docker("rm", container)
    assert secret_files(hpo)
    hpo.write("go", "")
    hpo("resume", "job")
    assert outcome(hpo)[:2] == ("completed", None)
    assert secret_files(hpo) == []
    assert containers(hpo.folder) == []


@pytest.mark.usefixtures("only_doctor")
def test_a_crash_leaves_no_secret_of_a_deleted_job(hpo: Hpo, begun: subprocess.Popen[str]) -> None:
    begun.kill()
    begun.wait()
    (file,) = secret_files(hpo)
    shutil.rmtree(hpo.home / "jobs/job")
    hpo("doctor", "--clean")
    assert containers(hpo.folder) == []
    assert not file.exists()


def test_a_missing_secret_is_told_before_anything_starts(hpo: Hpo) -> None:
    job(hpo, command=shell(PRINTED), env_from=["HPO_TEST_MISSING"])
    assert "the variable HPO_TEST_MISSING is not set" in hpo("run", "spec.yaml", status=2).err


def test_another_user_of_the_container_reads_the_secrets_whatever_the_umask(hpo: Hpo) -> None:
    job(hpo, command=shell(PRINTED), env_from=["TOKEN"], user="nobody")
    before = os.umask(0o077)
    try:
        hpo("run", "spec.yaml", env=TOKEN)
    finally:
        os.umask(before)
    assert base64.b64decode(hpo("logs", "job", "1").out.splitlines()[0]).decode() == HUSH


# -- an image without a shell

PROGRAM = r"""
#include <stdio.h>
#include <stdlib.h>
int main(void) {
    const char *token = getenv("TOKEN");
    printf("%s\nloss=1\n", token ? token : "none");
    return 0;
}
"""


@pytest.fixture
def without_shell(hpo: Hpo) -> Iterator[str]:
    """An image with nothing but a program, which prints its TOKEN."""
    folder = hpo.folder / "scratch"
    folder.mkdir()
    (folder / "main.c").write_text(PROGRAM)
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY main /main\n")
    compiler = shutil.which("gcc") or shutil.which("cc")
    link = [compiler or "cc", "-static", "-o", str(folder / "main"), str(folder / "main.c")]
    if not compiler or subprocess.run(link, capture_output=True, check=False).returncode:
        pytest.skip("no compiler here makes a program that needs no library")
    tag = f"hpo-test-scratch:{os.getpid()}"
    docker("build", "--tag", tag, str(folder))
    yield tag
    docker("rmi", tag)


def test_an_image_without_a_shell_gets_its_secrets_as_variables(hpo: Hpo, without_shell: str) -> None:
    hpo.job(
        "",
        launcher=launcher(image=without_shell, command=["/main"], env_from=["TOKEN"]),
        limits={"max_jobs": 2},
    )
    hpo("run", "spec.yaml", env={"TOKEN": "a plain one"})
    for trial in "12":
        assert hpo("logs", "job", trial).out == "a plain one\nloss=1\n"
    assert secret_files(hpo) == []
    assert containers(hpo.folder) == []


# -- what a trial is not to have

STATUS = """
import os
fields = dict(line.split(":", 1) for line in open("/proc/self/status"))
for name in ("NoNewPrivs", "Seccomp", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
    print(name, int(fields[name], 16))
print("sockets", [path for path in ("/var/run/docker.sock", "/run/docker.sock") if os.path.exists(path)])
print("loss=1")
"""

FEW = sum(1 << number for number in (0, 1, 3, 5, 6, 7))
"""CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID and SETUID."""


@pytest.mark.parametrize(("user", "has"), [("0:0", FEW), ("12:34", 0)])
def test_a_trial_has_few_privileges_and_gets_no_more(hpo: Hpo, user: str, has: int) -> None:
    seen = dict(line.split(" ", 1) for line in ran(hpo, command=python(STATUS), user=user).splitlines()[:-1])
    assert (seen["NoNewPrivs"], seen["CapEff"], seen["CapPrm"]) == ("1", str(has), str(has))
    assert int(seen["CapBnd"]) == FEW
    assert (seen["CapInh"], seen["CapAmb"], seen["sockets"]) == ("0", "0", "[]")
