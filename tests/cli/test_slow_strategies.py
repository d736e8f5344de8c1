"""A strategy of another package that thinks for long: what goes on meanwhile, and what ends it."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from hpo.store.sqlite import Store
from tests.command_line import PATIENCE, Hpo

Eventually = Callable[[Callable[[], object]], None]

PENSIVE = """
import time
from pathlib import Path
from hpo.search.strategy import Proposal

class Pensive:
    needs_results = True
    def __init__(self, context):
        self.most = context.space.parameters[0].high
    def prepare(self): pass
    def should_stop(self, history, number): return None
    def propose(self, history, number):
        with Path("asked").open("a") as asked:
            asked.write(f"{number} ")
        while not Path(f"answer{number}").exists() and not Path("answer").exists():
            time.sleep(0.01)
        ended = sum(trial.status.is_final for trial in history.trials.values())
        return Proposal({"n": self.most - 10 * number - ended}, f"after {ended} trials")
"""
"""Answers for trial N once the file answerN, or answer, is there; a value tells how many trials had ended."""

GATED = """
echo "loss=$HPO_TRIAL"
until [ -e "end$HPO_TRIAL" ] || [ -e end ]; do sleep 0.02; done
"""
"""A trial ends once the file endN, or end, is there."""


class Pensive:
    """The command line where the package `pensive` is installed, with a job of its strategy."""

    def __init__(self, hpo: Hpo) -> None:
        self.hpo = hpo
        self.site = hpo.folder / "site"
        info = self.site / "pensive-1.0.dist-info"
        info.mkdir(parents=True)
        (self.site / "pensive.py").write_text(PENSIVE)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pensive\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[hpo.strategies]\npensive = pensive:Pensive\n")

    def __call__(self, *args: str) -> Any:
        return self.hpo(*args, env={"PYTHONPATH": str(self.site)})

    def start(self, *args: str) -> subprocess.Popen[str]:
        return self.hpo.start(*args, under=["env", f"PYTHONPATH={self.site}"])

    def begin(self, eventually: Eventually, *options: str, parallel: int) -> subprocess.Popen[str]:
        """Have the job run until its strategy thinks about trial 2."""
        limits = {"max_jobs": 3, "max_parallel_jobs": parallel}
        n = {"n": {"type": "integer", "min": 1, "max": 99}}
        self.hpo.job(GATED, strategy="pensive", parameters=n, limits=limits)
        self.give("answer1")
        process = self.start("run", "spec.yaml", *options)
        eventually(lambda: self.asked == ["1", "2"])
        return process

    def give(self, *names: str) -> None:
        for name in names:
            self.hpo.write(name, "")

    @property
    def asked(self) -> list[str]:
        return self.hpo.text("asked").split()

    @property
    def values(self) -> list[int]:
        return [trial["parameters"]["n"] for trial in self("trials", "job", "--json").json]

    @property
    def status(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self("status", "job", "--json").json
        return found

    def durable(self) -> list[float]:
        """Return the losses that are written down."""
        store = Store.look(self.hpo.home / "jobs/job/job.db")
        try:
            return [point.value for point in store.points(metric="loss")]
        finally:
            store.close()


@pytest.fixture
def pensive(hpo: Hpo) -> Pensive:
    return Pensive(hpo)


def test_what_runs_is_followed_while_the_strategy_thinks(pensive: Pensive, eventually: Eventually) -> None:
    process = pensive.begin(eventually, parallel=2)
    eventually(lambda: pensive.durable() == [1])
    pensive.give("end1")
    eventually(lambda: pensive.status["counts"]["completed"] == 1)
    assert pensive.asked == ["1", "2"]
    pensive.give("answer2")  # that trial 1 has ended it cannot know
    eventually(lambda: pensive.asked == ["1", "2", "3"])
    eventually(lambda: pensive.durable() == [1, 2])  # it was launched before there was an answer for trial 3
    pensive.give("answer", "end")
    assert process.wait(PATIENCE) == 0
    assert pensive.values == [89, 79, 68]
    evidence = [pensive("why", "job", number, "--json").json["evidence"] for number in ("2", "3")]
    assert [(known["completed"], known["pending"]) for known in evidence] == [(0, 1), (1, 1)]


@pytest.mark.parametrize("how", ["stop", "signal", "leave"])
def test_who_stops_it_does_not_wait_for_the_answer(
    pensive: Pensive, eventually: Eventually, how: str
) -> None:
    options = ["--leave-running"] if how == "leave" else []
    process = pensive.begin(eventually, *options, parallel=2)
    if how == "stop":
        assert "job is stopped" in pensive("stop", "job").err
    else:
        process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == (1 if how == "stop" else 130)
    assert (how == "leave") is any("train.sh" in line for line in pensive.hpo.processes())
    assert pensive.values == [89]
    pensive.give("answer", "end")
    pensive("resume", "job")
    assert pensive.status["counts"]["completed"] == 3


def test_ctrl_c_ends_a_job_of_which_nothing_runs_but_the_strategy(
    pensive: Pensive, eventually: Eventually
) -> None:
    pensive.give("end")
    process = pensive.begin(eventually, parallel=1)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    pensive.give("answer")
    pensive("resume", "job")
    assert pensive.values == [89, 78, 67]


def test_a_crash_while_the_strategy_thinks_changes_nothing(pensive: Pensive, eventually: Eventually) -> None:
    pensive.give("end")
    process = pensive.begin(eventually, parallel=1)
    process.kill()
    process.wait()
    pensive.give("answer")
    pensive("resume", "job")
    pensive("run", "spec.yaml", "--name", "quiet")
    quiet = [trial["parameters"]["n"] for trial in pensive("trials", "quiet", "--json").json]
    assert pensive.values == quiet == [89, 78, 67]


def test_an_answer_that_an_edit_has_overtaken_is_dropped(pensive: Pensive, eventually: Eventually) -> None:
    process = pensive.begin(eventually, parallel=2)
    edited = pensive("edit", "job", "--set", "parameters.n.max=50", "--set", "limits.max_jobs=2")
    assert "parameters.n" in edited.err
    assert pensive.asked == ["1", "2"]
    pensive.give("answer", "end")
    assert process.wait(PATIENCE) == 0
    assert pensive.asked == ["1", "2", "2"]
    assert pensive.values[0] == 89
    assert pensive.values[1] <= 30
