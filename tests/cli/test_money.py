"""Jobs whose machines are charged for: what they may cost, what they did cost, and how that is told.

They run on a launcher of another package: processes of which each is charged as a machine would be.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.command_line import Called, Hpo

RENTED = """
import re
from dataclasses import replace
from hpo.core.trial import Reason, RunReport, RunState
from hpo.core.usage import Usage
from hpo.errors import LauncherError
from hpo.launchers.process.launcher import ProcessLauncher
from hpo.launchers.process.options import ProcessOptions
from hpo.launchers.registry import Kind

class Options(ProcessOptions):
    prices: dict[str, float] = {}
    hours: float = 1.0
    silent: bool = False
    scarce: int = 0  # how many runs of trial 1 get no machine

class Rented(ProcessLauncher):
    def __init__(self, context, options):
        super().__init__(context, options)
        self.context, self.options = context, options
    def worst_cost(self):
        price = self.options.prices.get("big")
        if price is not None and price < 0:
            raise LauncherError("the price list does not answer")
        runtime = self.context.max_job_runtime
        return None if price is None else price * (4.0 if runtime is None else runtime / 3600)
    async def poll(self, handles):
        reports = await super().poll(handles)
        return {handle: self.charged(handle, report) for handle, report in reports.items()}
    def charged(self, handle, report):
        if not report.state.is_final or self.options.silent:
            return report
        trial, run = re.search(r"trials/(\\d+)/run-(\\d+)", handle.id).groups()
        number, run = int(trial), int(run)
        if number == 1 and run <= self.options.scarce:
            return RunReport(RunState.LOST, Reason.NO_CAPACITY, "no big machine is free")
        seconds = self.options.hours * 3600
        return replace(report, usage=Usage(
            "big", start_seconds=10.0 if number == 2 else 100.0, training_seconds=seconds,
            billable_seconds=seconds / 2 if number == 1 else seconds, price=self.options.prices.get("big"),
            is_spot=number == 1, interruptions=number - 1, is_warm=number == 2,
        ))

KIND = Kind(Options, lambda context, options: Rented(context, options))
"""


class Rented:
    """The command line where a launcher of kind `rented` is installed."""

    def __init__(self, hpo: Hpo) -> None:
        self.hpo = hpo
        site = hpo.folder / "site"
        info = site / "rented-1.0.dist-info"
        info.mkdir(parents=True)
        (site / "rented.py").write_text(RENTED)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rented\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[hpo.launchers]\nrented = rented:KIND\n")

    def job(self, limits: dict[str, object], **options: object) -> None:
        launcher = {"kind": "rented", "command": ["sh", "train.sh"], "prices": {"big": 2.0}, **options}
        self.hpo.job("touch started; echo loss=0.5", limits=limits, launcher=launcher)

    def __call__(self, *args: str | Path, status: int = 0) -> Called:
        return self.hpo(*args, status=status, env={"PYTHONPATH": str(self.hpo.folder / "site")})

    def refused(self, *args: str | Path) -> str:
        said = self(*args, status=2).err
        assert not (self.hpo.folder / "started").exists()
        assert not self.hpo.home.exists() or not any((self.hpo.home / "jobs").iterdir())
        return said


@pytest.fixture
def rented(hpo: Hpo) -> Rented:
    return Rented(hpo)


def test_a_job_ends_when_no_other_trial_can_be_paid(rented: Rented) -> None:
    rented.job({"max_jobs": 9, "max_job_runtime": "90m", "max_cost": 7.0})  # 3 at most, 2 or 1 in fact
    said = rented("run", "spec.yaml").err
    status = rented("status", "job", "--json").json
    assert (status["status"], status["counts"]["completed"]) == ("completed", 3)
    assert status["cost"]["spent"] == 5.0
    assert "limits.max_cost, 7, does not pay another run: 5.00 was spent, and a run can cost 3.00" in said
    assert said.count("limits.max_cost, 7, does not pay") == 1
    over = rented("resume", "job")
    assert "nothing is run again: limits.max_cost, 7, does not pay" in over.err
    assert "hpo resume job --set limits.max_cost=VALUE" in over.err
    more = rented("resume", "job", "--set", "limits.max_cost=10")
    assert "limits.max_cost, 10, does not pay" in more.err
    assert rented("status", "job", "--json").json["counts"]["completed"] == 5


def test_a_run_that_can_take_less_time_can_cost_less(rented: Rented) -> None:
    rented.job({"max_jobs": 9, "max_job_runtime": "2h", "max_cost": 4.0}, hours=0.5)
    rented("run", "spec.yaml")  # 0.5 and nothing more, as the next one can cost 4
    assert rented("status", "job", "--json").json["counts"]["completed"] == 1
    rented("resume", "job", "--set", "limits.max_job_runtime=1h")
    assert rented("status", "job", "--json").json["counts"]["completed"] == 3


def test_what_is_not_told_counts_as_the_most_it_can_be(rented: Rented) -> None:
    rented.job({"max_jobs": 9, "max_job_runtime": "1h", "max_cost": 5.0}, silent=True)
    rented("run", "spec.yaml")
    status = rented("status", "job", "--json").json
    assert (status["counts"]["completed"], status["cost"], status["warm_pools"]) == (2, None, None)


def test_a_trial_without_a_machine_waits_for_one_and_is_charged_once(rented: Rented) -> None:
    rented.job({"max_jobs": 1, "max_job_runtime": "1h", "max_cost": 2.0}, scarce=2)
    said = rented("run", "spec.yaml").err
    assert said.count("trial 1 waits: no big machine is free") == 2
    assert "is launched again" not in said
    (trial,) = rented("trials", "job", "--json").json
    assert (trial["status"], trial["attempts"], trial["cost"]) == ("completed", 1, 1.0)
    assert "run-3" in trial["launcher_id"]


@pytest.mark.parametrize(
    ("limits", "options", "words"),
    [
        (
            {"max_cost": 5.0},
            {"prices": {}},
            "what a run costs is not known to the rented launcher: give the price of its machines an hour",
        ),
        (
            {"max_cost": 5.0},
            {},
            "one run can cost 8.00: raise it, or let runs take less time with `limits.max_job_runtime`",
        ),
        (
            {"max_cost": 5.0, "max_job_runtime": "3h"},
            {},
            "6.00: raise it, or let runs take less time with `limits.max_job_runtime`, which is 10800 sec",
        ),
        ({"max_cost": 5.0}, {"prices": {"big": -1.0}}, "the price list does not answer"),
    ],
    ids=["no_price", "too_little", "too_long", "no_answer"],
)
def test_a_limit_that_cannot_be_kept_to_is_refused_before_anything_starts(
    rented: Rented, limits: dict[str, object], options: dict[str, object], words: str
) -> None:
    rented.job({"max_jobs": 3, **limits}, **options)
    said = rented.refused("run", "spec.yaml")
    assert "the spec has 1 mistake; nothing was started" in said
    assert "spec.yaml:" in said
    assert "`limits.max_cost`: " in said
    assert words in said


@pytest.mark.parametrize("kind", ["process"])
def test_a_launcher_that_charges_nothing_has_no_limit_of_it(hpo: Hpo, kind: str) -> None:
    hpo.job("touch started", limits={"max_jobs": 3, "max_cost": 5})
    said = hpo.refused("run", "spec.yaml")
    assert f"is not known to the {kind} launcher: leave max_cost out" in said


def test_a_limit_that_cannot_be_kept_to_is_refused_for_a_job_that_has_begun(rented: Rented) -> None:
    rented.job({"max_jobs": 1, "max_job_runtime": "1h"})
    rented("run", "spec.yaml")
    before = rented("status", "job", "--json").json
    said = rented("resume", "job", "--set", "limits.max_cost=1.5", status=2).err
    assert "`limits.max_cost`: it is 1.5, but one run can cost 2.00" in said
    assert rented("status", "job", "--json").json == before
    assert "max_cost" not in (rented.hpo.home / "jobs/job/spec.yaml").read_text()


def test_a_plan_tells_what_the_job_can_cost(rented: Rented) -> None:
    rented.job({"max_jobs": 4, "max_job_runtime": "30m"})
    assert rented("plan", "spec.yaml", "--json").json["cost"] == {
        "worst": 4.0,
        "currency": "USD",
        "per_trial": 1.0,
        "trials": 4,
        "runs": 4,
        "max_job_runtime": 1800.0,
        "max_cost": None,
    }
    assert (
        "cost      at most $4.00: 4 trials, each at most $1.00 for 30m 00s\n"
        in rented("plan", "spec.yaml").out
    )
    limited = ("plan", "spec.yaml", "--set", "limits.max_cost=2.5")
    assert rented(*limited, "--json").json["cost"]["worst"] == 2.5
    assert (
        "cost      at most $2.50: 4 trials, each at most $1.00 for 30m 00s; max_cost $2.50\n"
        in rented(*limited).out
    )


def test_money_is_counted_for_all_repeats(rented: Rented) -> None:
    limits = {"max_jobs": 4, "max_job_runtime": "1h", "max_cost": 13.0}
    rented.job(limits, hours=0.5)
    repeats = ("--set", "repeats=3")
    plan = rented("plan", "spec.yaml", *repeats, "--json").json
    assert (plan["cost"]["worst"], plan["cost"]["per_trial"], plan["cost"]["runs"]) == (13.0, 6.0, 12)
    assert "12 runs, each at most $2.00 for 1h 00m" in rented("plan", "spec.yaml", *repeats).out
    said = rented("plan", "spec.yaml", *repeats, "--set", "limits.max_cost=5", status=2).err
    assert "it is 5, but the 3 runs of one trial can cost 6.00" in said
    rented("run", "spec.yaml", *repeats)
    status = rented("status", "job", "--json").json
    assert (status["counts"]["completed"], status["repeats"]["completed"]) == (3, 9)
    assert "does not pay the runs that another trial takes" in status["reason"]
    assert status["cost"]["spent"] == 3 * 0.5 + 6 * 1.0


def test_a_plan_without_a_price_says_so(rented: Rented) -> None:
    rented.job({"max_jobs": 4}, prices={})
    assert "cost      none is known to the rented launcher\n" in rented("plan", "spec.yaml").out
    assert rented("plan", "spec.yaml", "--json").json["cost"] is None
    rented.job({"max_jobs": 4}, prices={"big": -1.0})
    planned = rented("plan", "spec.yaml", "--json")
    assert planned.json["cost"] is None
    assert "warning: what the job can cost is not known: the price list does not answer" in planned.err


def test_what_a_job_cost_is_shown_wherever_it_is_looked_at(rented: Rented) -> None:
    rented.job({"max_jobs": 3})
    said = rented("run", "spec.yaml").err
    status = rented("status", "job", "--json").json
    assert status["cost"] == {
        "spent": 5.0,
        "currency": "USD",
        "saved_by_spot": 1.0,
        "saved_by_early_stopping": 0.0,
    }
    assert status["warm_pools"] == {"reused": 1, "runs": 3, "saved_seconds": 90.0}
    assert status["interruptions"] == 3
    shown = rented("status", "job").out
    of_best = rented("best", "job").out
    for line in (
        "cost      $5.00, saved $1.00 by spot machines",
        "machines  1 of 3 runs on one kept ready, 1m 30s saved; 3 interruptions",
    ):
        assert line in shown
        assert line in said
        assert line in of_best
    told = ("trial", "cost", "machine", "billable_seconds", "interruptions")
    assert [[trial[key] for key in told] for trial in rented("trials", "job", "--json").json] == [
        [1, 1.0, "big", 1800.0, 0],
        [2, 2.0, "big", 3600.0, 1],
        [3, 2.0, "big", 3600.0, 2],
    ]
    header, first, *_ = rented("trials", "job").out.splitlines()
    assert header.split()[:5] == ["trial", "status", "loss", "seconds", "cost"]
    assert first.split()[4] == "$1.00"
    rows = list(csv.DictReader(io.StringIO(rented("trials", "job", "--format", "csv").out)))
    assert [row["cost"] for row in rows] == ["1.0", "2.0", "2.0"]
    best = rented("best", "job", "--json").json
    assert (best["trial"], best["cost"]) == (1, 1.0)
    assert ", $1.00)" in of_best


def test_nothing_of_it_is_shown_where_nothing_is_charged(hpo: Hpo) -> None:
    hpo.job("echo loss=0.5")
    outs = [hpo("run", "spec.yaml").err, *(hpo(each, "job").out for each in ("status", "trials", "best"))]
    assert not any("cost" in out or "$" in out or "machine" in out for out in outs)
