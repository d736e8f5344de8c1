"""The runs that trials with repeats are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypedDict

from hpo.core.conclude import values_of
from hpo.core.repeats import Repeats
from hpo.core.settings import Settings
from hpo.core.trial import Run, Trial


class RepeatData(TypedDict):
    """One of a trial's runs that count: `run` is its last launch, `value` null until it counts.

    `values` are those of several objectives, by metric; null for one objective, or until it counts.
    """

    repeat: int
    seed: int | None
    run: int
    state: str
    value: float | None
    values: dict[str, float | None] | None
    metrics: dict[str, float | None]
    seconds: float | None


class RepeatsData(TypedDict):
    """What each trial of a job is made of, and how many of all `runs` have given a value (`completed`)."""

    count: int
    score: str
    seed_name: str
    seeds: list[int]
    completed: int
    runs: int


def repeats_data(settings: Settings, trials: Sequence[Trial]) -> RepeatsData | None:
    """Return what each trial of a job is made of; None where that is a single run."""
    repeats = settings.repeats
    if not repeats.seeds:
        return None
    return RepeatsData(
        count=repeats.count,
        score=repeats.score.value,
        seed_name=repeats.seed_name,
        seeds=list(repeats.seeds),
        completed=sum(len(trial.repeat_values) for trial in trials),
        runs=settings.max_jobs * repeats.count,
    )


def repeats_text(repeats: RepeatsData) -> str:
    """Return what each trial is made of, for people."""
    first, last = repeats["seeds"][0], repeats["seeds"][-1]
    seeds = f"{repeats['seed_name']} {first} to {last}" if last > first else f"{repeats['seed_name']} {first}"
    score = f"; their {repeats['score']} counts" if last > first else ""
    return f"{repeats['count']} of each trial, with {seeds}{score}"


def idle_repeats(settings: Settings, trials: Sequence[Trial]) -> str:
    """Return that the seeds made no difference to any trial; else "", as where it is not known yet."""
    spreads = [trial.spread for trial in trials if trial.spread is not None]
    if not spreads or any(spreads):
        return ""
    return (
        f"every seed gave the same value: does the program read `--{settings.repeats.seed_name}`? "
        "Else leave `repeats` out, or name the parameter that it reads in `repeats.seed_name`"
    )


def repeats_of(settings: Settings, trial: Trial) -> list[RepeatData]:
    """Return a trial's repeats so far, in their order; none where it is a single run."""
    repeats = settings.repeats
    if not repeats.seeds:
        return []
    return [
        RepeatData(
            repeat=run.repeat,
            seed=repeats.seed(run.repeat),
            run=run.number,
            state=run.state.value,
            value=run.value,
            values=_values(settings, run),
            metrics=_metrics([run], repeats),
            seconds=span(run),
        )
        for run in trial.repeats
    ]


def metrics_of(settings: Settings, trial: Trial) -> dict[str, float | None]:
    """Return the last value of each metric, of repeats their score; None where that is not finite."""
    runs = [run for run in trial.repeats if run.value is not None] or [trial.run]
    return _metrics(runs, settings.repeats)


def span(run: Run) -> float | None:
    """Return for how many seconds a run ran; None while it has not ended, or never started."""
    if run.started is None or run.ended is None:
        return None
    return round(max(0.0, run.ended - run.started), 3)


def seconds(trial: Trial) -> float | None:
    """Return how long the trial's last run, or its repeats, took; None while it has not ended, or started."""
    if trial.run.ended is None:
        return None
    spans = [taken for run in trial.repeats if (taken := span(run)) is not None]
    return round(sum(spans), 3) if spans else None


def _values(settings: Settings, run: Run) -> dict[str, float | None] | None:
    if not settings.others or run.value is None:
        return None
    return dict(zip(settings.metrics, values_of(settings, run), strict=True))


def _metrics(runs: Sequence[Run], repeats: Repeats) -> dict[str, float | None]:
    names = dict.fromkeys(name for run in runs for name in run.progress.latest)
    return {
        name: _score([run.progress.latest[name] for run in runs if name in run.progress.latest], repeats)
        for name in names
    }


def _score(values: Sequence[float], repeats: Repeats) -> float | None:
    return repeats.score.of(values) if all(map(math.isfinite, values)) else None
