"""A tuner that dies between the runs of one trial, or is stopped there."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from hpo.core.trial import Launch, Reason, RunReport, RunState, TrialStatus
from hpo.launchers.scripted import Step, UntilSeen
from tests.crash.shaken import at_steps, outcomes, tuner
from tests.crash.tuner import Tuner


def repeated(launch: Launch) -> list[Step]:
    """Return a script whose losses are other ones with each seed; two of its runs don't end well."""
    x, seed = launch.params["x"], launch.params["seed"]
    assert isinstance(x, float)
    assert isinstance(seed, int)
    lines = [
        f"loss={(x - 0.3) ** 2 + seed / 7 + 0.1 / step!r}\n".encode() for step in range(1, 4 // seed + 1)
    ]
    script: list[Step] = [step for line in lines for step in (UntilSeen(), line)]
    if (launch.trial, launch.run) == (1, 2):
        return [*script, RunReport(RunState.LOST)]
    if (launch.trial, seed) == (3, 2):
        return [*script, RunReport(RunState.FAILED, Reason.EXIT_STATUS, "exit status 1")]
    return script


@pytest.mark.parametrize(
    "strategy", ["random", "bayesian", "hyperband", "random with median", "random with algorithms"]
)
@at_steps
def test_a_crash_at_any_step_neither_loses_nor_doubles_a_repeat(
    strategy: str, every: int, folder: Path
) -> None:
    max_jobs = 6 if strategy in {"hyperband", "random with median"} else 3

    def shaken(place: Path) -> Tuner:
        return tuner(place, strategy=strategy, max_jobs=max_jobs, script=repeated, repeats=2)

    def runs(made: Tuner) -> list[list[tuple[object, ...]]]:
        return [[(run.repeat, run.value) for run in trial.runs] for trial in made.trials()]

    quiet = shaken(folder / "quiet")
    assert quiet.run() is not None
    first, _, third = quiet.trials()[:3]
    assert first.value == pytest.approx(sum(first.repeat_values) / 2)
    assert [(run.repeat, run.value is not None) for run in first.runs] == [(1, True), (2, False), (2, True)]
    assert (third.status, third.detail) == (TrialStatus.FAILED, "repeat 2 of 2: exit status 1")
    pruned = [trial for trial in quiet.trials() if trial.status is TrialStatus.PRUNED]
    assert bool(pruned) is (max_jobs == 6)
    assert all(len(trial.runs) == 1 for trial in pruned)
    for step in count(1, every):
        made = shaken(folder / f"crash-{step}")
        if made.run(crash_at=step) is not None:
            break  # the job has no more steps
        assert made.run() is not None
        assert outcomes(made) == outcomes(quiet), f"after a crash at step {step}"
        assert runs(made) == runs(quiet), f"after a crash at step {step}"
        assert set(made.world.starts.values()) == {1}
    assert step > 40


def test_a_job_that_is_stopped_between_repeats_goes_on_with_the_next_one(folder: Path) -> None:
    """Wherever it is stopped, and with a crash on top of that."""
    for step in range(6, 60, 3):
        made = tuner(folder / str(step), parallel=2, max_jobs=2, script=repeated, repeats=3)
        made.run(crash_at=step, meddle=lambda s: s.request_stop(Reason.INTERRUPTED, "^C"))
        made.run(crash_at=step + 20, reopen={TrialStatus.CANCELLED})
        assert made.run(reopen={TrialStatus.CANCELLED}) is not None
        for trial in made.trials():
            counting = [run.repeat for run in trial.runs if run.value is not None]
            assert (trial.status, counting) == (TrialStatus.COMPLETED, [1, 2, 3])
        ran = {f"j-{trial.number:04d}-{run.number}" for trial in made.trials() for run in trial.runs}
        assert made.world.starts == dict.fromkeys(ran, 1)
