"""How a run in a container ends, and what is said of it."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from tests.command_line import PATIENCE, Hpo
from tests.docker.containers import containers, docker, job, outcome, python, ran, shell

pytestmark = pytest.mark.docker

Eventually = Callable[[Callable[[], object]], None]


@pytest.mark.parametrize(
    ("script", "reason", "detail"),
    [
        ("echo oh no; exit 3", "exit status", "exit status 3; its last lines:\noh no"),
        ("exit 255", "exit status", "exit status 255; it printed nothing"),
        ("echo x; exit 127", "exit status", "exit status 127; its last lines:\nx"),
        ("kill -SEGV $$", "signal", "killed by SIGSEGV; it printed nothing"),
        ("kill -TERM $$", "signal", "killed by SIGTERM; it printed nothing"),
        ("true", "no metric", "the log is empty"),
    ],
)
def test_an_end(hpo: Hpo, script: str, reason: str, detail: str) -> None:
    ran(hpo, command=shell(script), status=1)
    status, why, words = outcome(hpo)
    assert (status, why) == ("failed", reason)
    assert detail in words
    assert containers(hpo.folder) == []


@pytest.mark.parametrize("secret", [False, True], ids=["plain", "with_secrets"])
@pytest.mark.parametrize(
    ("file", "words"),
    [(None, "No such file or directory|not found"), ("echo loss=1", "Permission denied")],
    ids=["missing", "not_executable"],
)
def test_a_program_that_cannot_be_started(hpo: Hpo, file: str | None, words: str, secret: bool) -> None:
    """Of a program that the spec does not name until its parameters are filled in nothing is known before."""
    if file:
        hpo.write("0.5", file)
    job(hpo, command=["/code/{x}"], mounts=[".:/code"], env_from=["TOKEN"] if secret else [])
    hpo.write(
        "spec.yaml", hpo.text("spec.yaml").replace("type: continuous", "type: categorical\n    values: [0.5]")
    )
    hpo.write("spec.yaml", hpo.text("spec.yaml").replace("    min: 0.0\n    max: 1.0\n", ""))
    hpo("run", "spec.yaml", status=1, env={"TOKEN": "s3cret"})
    status, reason, detail = outcome(hpo)
    assert (status, reason) == ("failed", "could not start")
    assert detail.startswith("/code/0.5 cannot be started in the image: ")
    assert any(word in detail for word in words.split("|"))


def test_a_folder_that_is_no_place_to_run_in(hpo: Hpo) -> None:
    ran(hpo, command=shell("echo loss=1"), workdir="/etc/passwd", status=1)
    status, reason, detail = outcome(hpo)
    assert (status, reason) == ("failed", "could not start")
    assert detail.startswith("the engine cannot ")
    assert containers(hpo.folder) == []


def test_a_program_that_wants_too_much_memory(hpo: Hpo) -> None:
    ran(hpo, command=python("print('hungry', flush=True); x = b'x' * 2**30"), memory="32m", status=1)
    status, reason, detail = outcome(hpo)
    assert (status, reason) == ("failed", "out of memory")
    assert detail == "the kernel killed it for want of memory; its limit is 32 MiB; its last lines:\nhungry"


DEAF = "trap '' TERM; echo loss=1; while :; do sleep 0.1; done"


def test_a_program_that_never_ends_is_stopped_even_if_it_does_not_listen(hpo: Hpo) -> None:
    limits = {"max_job_runtime": "1s"}
    ran(hpo, command=shell(DEAF), stop_grace="1s", limits=limits, status=1)
    status, reason, detail = outcome(hpo)
    assert (status, reason) == ("failed", "timeout")
    assert "limits.max_job_runtime, 1 second" in detail
    assert containers(hpo.folder) == []


def test_a_program_may_use_its_grace_period(hpo: Hpo, eventually: Eventually) -> None:
    script = (
        "trap 'echo saved > /opt/ml/checkpoints/c; exit 0' TERM; echo loss=1; while :; do sleep 0.05; done"
    )
    job(hpo, command=shell(script))
    process = hpo.start("run", "spec.yaml")
    eventually(lambda: "loss = 1" in hpo.text("err") or "loss=1" in log(hpo))
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    assert outcome(hpo)[:2] == ("cancelled", "interrupted")
    assert (hpo.home / "jobs/job/trials/0001/checkpoints/c").read_text() == "saved\n"
    assert containers(hpo.folder) == []


def test_a_container_that_is_killed_from_outside(hpo: Hpo, eventually: Eventually) -> None:
    job(hpo, command=shell("echo loss=1; exec sleep 1000"))
    process = hpo.start("run", "spec.yaml")
    eventually(lambda: "loss=1" in log(hpo))
    docker("kill", "--signal", "KILL", *containers(hpo.folder))
    assert process.wait(PATIENCE) == 1
    status, reason, detail = outcome(hpo)
    assert (status, reason) == ("failed", "signal")
    assert detail == "killed by SIGKILL; its last lines:\nloss=1"


@pytest.mark.parametrize(("attempts", "ends"), [(1, ("failed", "lost")), (2, ("completed", None))])
def test_a_container_that_is_removed_from_outside(
    hpo: Hpo, eventually: Eventually, attempts: int, ends: tuple[str, str | None]
) -> None:
    script = "echo run $HPO_RUN; [ $HPO_RUN = 1 ] && exec sleep 1000; echo loss=1"
    job(hpo, command=shell(script))
    process = hpo.start("run", "spec.yaml", "--set", f"retry.attempts={attempts}")
    eventually(lambda: "run 1" in log(hpo))
    docker("rm", "--force", *containers(hpo.folder))
    assert process.wait(PATIENCE) == (1 if attempts == 1 else 0)
    assert outcome(hpo)[:2] == ends
    counts = hpo("status", "job", "--json").json["counts"]
    assert counts == {
        "completed": attempts - 1,
        "running": 0,
        "failed": 2 - attempts,
        "pruned": 0,
        "cancelled": 0,
    }
    assert hpo("trials", "job", "--json").json[0]["attempts"] == attempts


def log(hpo: Hpo) -> str:
    return hpo.text("state/jobs/job/trials/0001/run-1/log")
