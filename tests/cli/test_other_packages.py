"""Strategies of other packages, installed beside hpo: named in a spec as hpo's own are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.command_line import Called, Hpo

COUNTDOWN = """
from hpo.errors import UsageError
from hpo.search.strategy import Proposal

class Countdown:
    def __init__(self, context, *, start, steps=(1,)):
        if start < 1:
            raise UsageError(f"countdown: start must be 1 or more, not {start}")
        self.start, self.step = start, sum(steps)
    def prepare(self): pass
    def propose(self, history, number):
        return Proposal({"n": self.start - (number - 1) * self.step}, f"countdown from {self.start}")
    needs_results = True
    def should_stop(self, history, number): return ""
"""

ALLOWED = "it must be bayesian, random, grid, hyperband or countdown"

N = {"n": {"type": "integer", "min": 1, "max": 9}}


class Installed:
    """The command line where the package `countdown` is installed."""

    def __init__(self, hpo: Hpo, site: Path) -> None:
        self.hpo = hpo
        self.environment = {"PYTHONPATH": str(site)}

    def job(self, strategy: object) -> None:
        self.hpo.job('echo "loss=$2"', strategy=strategy, parameters=N)

    def __call__(self, *args: str, status: int = 0) -> Called:
        return self.hpo(*args, status=status, env=self.environment)


@pytest.fixture
def installed(hpo: Hpo) -> Installed:
    site = hpo.folder / "site"
    info = site / "countdown-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "countdown.py").write_text(COUNTDOWN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: countdown\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[hpo.strategies]\ncountdown = countdown:Countdown\n")
    return Installed(hpo, site)


@pytest.mark.parametrize(
    ("options", "tried"), [({"start": 9}, [9, 8, 7]), ({"start": 7, "steps": [1, 2]}, [7, 4, 1])]
)
def test_a_strategy_of_another_package_runs_with_its_options(
    installed: Installed, options: Mapping[str, object], tried: list[int]
) -> None:
    installed.job({"name": "countdown", **options})
    installed("run", "spec.yaml")
    trials = installed("trials", "job", "--json").json
    assert [trial["parameters"]["n"] for trial in trials] == tried
    status = installed("status", "job", "--json").json
    assert (status["strategy"], status["chosen_by"]) == ("countdown", {"countdown": 3})


def test_a_job_with_a_strategy_of_another_package_goes_on(installed: Installed) -> None:
    installed.job({"name": "countdown", "start": 9})
    installed("run", "spec.yaml", "--set", "limits.max_jobs=2")
    installed("resume", "job", "--set", "limits.max_jobs=4")
    trials = installed("trials", "job", "--json").json
    assert [trial["parameters"]["n"] for trial in trials] == [9, 8, 7, 6]


@pytest.mark.parametrize(
    ("strategy", "place", "message"),
    [
        (
            "cuntdown",
            "2:11",
            f"`strategy` is `cuntdown`; {ALLOWED}; did you mean `countdown`?",
        ),
        (
            {"name": "randon", "start": 3},
            "3:9",
            f"`strategy.name` is `randon`; {ALLOWED}; did you mean `random`?",
        ),
        (
            {"name": "countdown", "start": 9, "step": [2]},
            "5:3",
            "the strategy countdown has no option `step`; did you mean `steps`?",
        ),
        ("countdown", "2:11", "the strategy countdown needs start"),
        ({"name": "countdown", "start": 0}, "3:3", "countdown: start must be 1 or more, not 0"),
    ],
    ids=["unknown", "unknown_in_a_mapping", "unknown_option", "missing_option", "refused_option"],
)
def test_a_mistake_is_told_with_its_place(
    installed: Installed, strategy: object, place: str, message: str
) -> None:
    installed.job(strategy)
    said = installed("run", "spec.yaml", status=2).err
    assert "the spec has 1 mistake; nothing was started" in said
    assert f"spec.yaml:{place}: {message}" in said
    assert not installed.hpo.home.exists() or not any((installed.hpo.home / "jobs").iterdir())


def test_without_the_package_the_strategy_is_unknown(installed: Installed) -> None:
    installed.job({"name": "countdown", "start": 9})
    said = installed.hpo("run", "spec.yaml", status=2).err
    assert "`strategy.name` is `countdown`; it must be bayesian, random, grid or hyperband" in said


@pytest.mark.parametrize("kind", ["strategies", "launchers"])
@pytest.mark.parametrize(
    ("module", "why"),
    [("import nowhere_to_be_found", "ModuleNotFoundError: No module named"), ("1 / 0", "ZeroDivisionError")],
)
def test_a_package_that_cannot_be_imported_is_named(
    installed: Installed, kind: str, module: str, why: str
) -> None:
    site = installed.hpo.folder / "site"
    (site / "countdown.py").write_text(module)
    entry = f"[hpo.{kind}]\ncountdown = countdown:Countdown\n"
    (site / "countdown-1.0.dist-info" / "entry_points.txt").write_text(entry)
    installed.job("random" if kind == "launchers" else "countdown")
    which = ["--set", "launcher.kind=countdown"] if kind == "launchers" else []
    said = installed("run", "spec.yaml", *which, status=1).err
    what = {"strategies": "strategy", "launchers": "launcher"}[kind]
    assert said.startswith(f"hpo: the {what} `countdown` of the package countdown cannot be imported")
    assert why in said


def test_a_job_in_the_background_that_fails_at_once_is_told_of(installed: Installed) -> None:
    installed.job({"name": "countdown", "start": 9})
    installed("run", "spec.yaml")
    (installed.hpo.folder / "site" / "countdown.py").write_text("import nowhere_to_be_found")
    said = installed("resume", "job", "--detach", status=1).err
    assert said.startswith("hpo: the strategy `countdown` of the package countdown cannot be imported")
    assert "job has ended already" in said
    assert "runs in the background" not in said


def test_the_schema_lists_hpo_s_own(installed: Installed) -> None:
    schema = installed("schema").json
    assert schema == installed.hpo("schema").json
    names, _ = schema["properties"]["strategy"]["anyOf"]
    assert names == {"enum": ["bayesian", "random", "grid", "hyperband"]}
