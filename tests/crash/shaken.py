"""Jobs that are shaken: what their trials do, and what became of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from hpo.core.prior import NO_PRIOR, Prior, Priors
from hpo.core.repeats import Repeats
from hpo.core.settings import Goal, Objective, Settings
from hpo.core.trial import Launch, Reason, RunReport, RunState, TrialStatus
from hpo.launchers.scripted import Step, UntilSeen, World
from hpo.scheduler.clock import Clock
from hpo.spec.space import Continuous, Integer, Space
from tests.crash.tuner import Hurried, Tuner

SPACE = Space((Continuous("x", 0.0, 1.0), Integer("n", 1, 50)))

at_steps = pytest.mark.parametrize(
    "every", [7, pytest.param(1, marks=pytest.mark.slow)], ids=["every seventh step", "every step"]
)
"""Where it crashes: a seventh of the steps finds most of what all of them do."""


def losses(launch: Launch) -> list[Step]:
    """Return a script that goes on by a line with every look that is taken at it."""
    x = launch.params["x"]
    assert isinstance(x, float)
    if launch.trial % 4 == 0:
        return [UntilSeen(), b"no metric here\n"]
    if launch.trial % 7 == 0:
        failed = RunReport(RunState.FAILED, Reason.EXIT_STATUS, "exit status 1")
        return [UntilSeen(), b"loss=1\n", UntilSeen(), failed]
    lines = [f"step {step} loss={(x - 0.3) ** 2 + 0.1 / step!r}\n" for step in range(1, 5)]
    return [step for line in lines for step in (UntilSeen(), line.encode())]


def tuner(
    place: Path,
    *,
    strategy: str = "random",
    parallel: int = 1,
    max_jobs: int = 5,
    script: Callable[[Launch], Sequence[Step]] = losses,
    clock: Callable[[], Clock] = Hurried,
    repeats: int = 0,
    space: Space = SPACE,
    prior: Prior = NO_PRIOR,
) -> Tuner:
    place.mkdir()
    settings = Settings(
        "j",
        Objective("loss", Goal.MINIMIZE),
        max_jobs=max_jobs,
        max_parallel_jobs=parallel,
        attempts=2,
        repeats=Repeats("seed", tuple(range(1, repeats + 1))),
    )
    name, _, rule = strategy.partition(" with ")
    options = {"min_resource": 1, "max_resource": 4, "reduction_factor": 2} if name == "hyperband" else {}
    median = {"min_trials": 1, "min_steps": 2} if "median" in rule else None
    algorithms = ("one", "other") if "algorithms" in rule else ()
    priors: Priors = {None: prior} if not algorithms else {"one": prior} if prior.trials else {}
    made = Tuner(place, settings, space, World(script), name, options, clock, median, priors, algorithms)
    made.create()
    return made


def outcomes(made: Tuner) -> list[tuple[object, ...]]:
    """Return what became of each trial; how far a pruned one got until it was stopped is chance."""
    return [
        (
            trial.number,
            dict(trial.params),
            trial.status,
            None if trial.status is TrialStatus.PRUNED else trial.value,
            trial.detail,
            trial.verdict,
            trial.algorithm,
        )
        for trial in made.trials()
    ]
