"""Signals: what stops, what goes on, and what is left to be resumed."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Sequence

import pytest

from tests.command_line import PATIENCE, Hpo

Eventually = Callable[[Callable[[], object]], None]
Begin = Callable[..., subprocess.Popen[str]]

PROGRAM = """
echo "$HPO_TRIAL $HPO_RUN" >> started
echo "loss=$HPO_TRIAL"
until [ -e go ]; do sleep 0.05; done
"""
"""Notes that it was started, and waits until it may go."""

STUBBORN = f"trap 'echo asked >> asked' TERM\n{PROGRAM}"
"""Does not end when it is asked to."""


@pytest.fixture
def begun(hpo: Hpo, eventually: Eventually) -> Begin:
    """Start a job of two trials, and return its process once the first one runs."""

    def begin(
        *args: str, program: str = PROGRAM, under: Sequence[str] = (), grace: str = "20s"
    ) -> subprocess.Popen[str]:
        launcher = {"command": ["sh", "train.sh"], "stop_grace": grace}
        hpo.job(program, limits={"max_jobs": 2}, launcher=launcher)
        process = hpo.start("run", "spec.yaml", *args, under=under)
        eventually(lambda: hpo.text("started"))
        return process

    return begin


def resumed(hpo: Hpo) -> dict[str, int]:
    """Let every trial go, resume the job to its end, and return its counts."""
    hpo.write("go", "")
    hpo("resume", "job")
    counts: dict[str, int] = hpo("status", "job", "--json").json["counts"]
    return counts


TWO = {"completed": 2, "running": 0, "failed": 0, "pruned": 0, "cancelled": 0}


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_stops_what_runs_and_resume_goes_on(
    hpo: Hpo, begun: Begin, number: signal.Signals, status: int
) -> None:
    process = begun()
    process.send_signal(number)
    assert process.wait(PATIENCE) == status
    assert hpo.left_behind() == []
    assert "go on with: hpo resume job" in hpo.text("err")
    stopped = hpo("status", "job", "--json").json
    assert (stopped["status"], stopped["counts"]["cancelled"]) == ("interrupted", 1)
    assert resumed(hpo) == TWO
    assert hpo.text("started").split("\n") == ["1 1", "1 2", "2 1", ""]


def test_a_second_ctrl_c_stops_at_once(hpo: Hpo, begun: Begin, eventually: Eventually) -> None:
    process = begun(program=STUBBORN, grace="1h")
    process.send_signal(signal.SIGINT)
    eventually(lambda: hpo.text("asked"))
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    assert hpo.left_behind() == []


def test_a_job_under_nohup_outlives_its_terminal(hpo: Hpo, begun: Begin) -> None:
    process = begun(under=["nohup"])
    process.send_signal(signal.SIGHUP)
    hpo.write("go", "")
    assert process.wait(PATIENCE) == 0
    assert hpo("status", "job", "--json").json["counts"] == TWO


def test_trials_left_running_are_taken_up_again(hpo: Hpo, begun: Begin) -> None:
    process = begun("--leave-running")
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    assert any("train.sh" in line for line in hpo.processes())
    assert hpo("status", "job", "--json").json["status"] == "interrupted"
    assert resumed(hpo) == TWO
    assert hpo.text("started") == "1 1\n2 1\n"


def test_stop_ends_a_job_that_runs_elsewhere(hpo: Hpo, begun: Begin) -> None:
    process = begun()
    stopping = hpo("stop", "job")
    assert "job is stopped; go on with `hpo resume job`" in stopping.err
    assert hpo("status", "job", "--json").json["status"] == "stopped"
    assert process.wait(PATIENCE) == 1
    assert hpo.left_behind() == []
    assert "stopped already" in hpo("stop", "job", status=1).err
    assert resumed(hpo) == TWO


def test_ctrl_c_after_a_stop_stops_at_once(hpo: Hpo, begun: Begin, eventually: Eventually) -> None:
    process = begun(program=STUBBORN, grace="1h")
    stopping = hpo.start("stop", "job", out="stopping")
    eventually(lambda: hpo.text("asked"))
    process.send_signal(signal.SIGINT)
    assert (process.wait(PATIENCE), stopping.wait(PATIENCE)) == (1, 0)
    assert hpo.left_behind() == []
    assert hpo.text("err").count("waiting for 1 trial; Ctrl-C stops them at once") == 1


@pytest.mark.parametrize("how", ["signal", "stop"])
def test_a_job_whose_space_is_exhausted_can_still_be_stopped(
    hpo: Hpo, eventually: Eventually, how: str
) -> None:
    hpo.job(
        "echo loss=1; [ $HPO_TRIAL != 3 ] || until [ -e go ]; do sleep 0.05; done",
        parameters={"x": {"type": "categorical", "values": [1, 2, 3]}},
        limits={"max_jobs": 50, "max_parallel_jobs": 2},
    )
    process = hpo.start("run", "spec.yaml")
    eventually((hpo.home / "jobs/job/job.db").exists)
    eventually(lambda: hpo("status", "job", "--json").json["counts"]["completed"] == 2)
    if how == "signal":
        process.send_signal(signal.SIGINT)
    else:
        hpo("stop", "job")
    assert process.wait(PATIENCE) == (130 if how == "signal" else 1)
    status = hpo("status", "job", "--json").json
    assert status["status"] == ("interrupted" if how == "signal" else "stopped")
    assert status["counts"]["cancelled"] == 1
    hpo.write("go", "")
    assert "every configuration of the space was tried" in hpo("resume", "job").err
    assert hpo("status", "job", "--json").json["counts"]["completed"] == 3


def test_stop_now_gives_no_grace(hpo: Hpo, begun: Begin) -> None:
    process = begun(program=STUBBORN, grace="1h")
    hpo("stop", "job", "--now")
    assert process.wait(PATIENCE) == 1
    assert hpo.left_behind() == []


def test_stop_ends_what_a_killed_process_left(hpo: Hpo, begun: Begin) -> None:
    process = begun()
    process.kill()
    process.wait()
    assert hpo("status", "job", "--json").json["status"] == "interrupted"
    assert "stop them first with `hpo stop job`" in hpo("delete", "job", "--yes", status=1).err
    hpo("stop", "job")
    assert hpo.left_behind() == []
    assert hpo("status", "job", "--json").json["counts"]["cancelled"] == 1
    assert resumed(hpo) == TWO


def test_stop_takes_over_from_a_process_that_dies_while_it_stops(
    hpo: Hpo, begun: Begin, eventually: Eventually
) -> None:
    process = begun(program=STUBBORN, grace="1h")
    stopping = hpo.start("stop", "job")
    eventually(lambda: hpo.text("asked"))
    process.kill()
    process.wait()
    eventually(lambda: (hpo.home / "jobs/job/lease").read_text() == f"{stopping.pid}\n")
    assert stopping.poll() is None
    hpo.write("go", "")
    assert stopping.wait(PATIENCE) == 0
    assert "job is stopped; go on with `hpo resume job`" in hpo.text("err")
    assert hpo("status", "job", "--json").json["counts"]["running"] == 0
    assert hpo.left_behind() == []


def test_a_signal_before_the_first_trial_leaves_a_job_to_resume(hpo: Hpo, eventually: Eventually) -> None:
    hpo.job(PROGRAM, limits={"max_jobs": 2})
    process = hpo.start("run", "spec.yaml")
    eventually((hpo.home / "jobs/job").exists)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) in {143, -signal.SIGTERM}  # before it listens, it just dies
    assert resumed(hpo) == TWO
    assert hpo.left_behind() == []
