"""What the state machine must know of a spec."""

from __future__ import annotations

from hpo.core.feasibility import required
from hpo.core.repeats import ONE_RUN, Repeats, Score
from hpo.core.settings import Goal, Objective, Running, Settings, Take
from hpo.launchers import registry as launchers
from hpo.spec.models import Spec
from hpo.spec.objectives import OneOfSeveral
from hpo.spec.repeats import repeats_options
from hpo.spec.stopping import stopping_rule


def settings_of(spec: Spec, job: str, *, worst_cost: float | None) -> Settings:
    """Return a job's settings; `worst_cost` is what one run can cost at the most, where that is known."""
    limits, stop = spec.limits, spec.stop_when
    return Settings(
        job=job,
        objective=_objective(spec.objective, step=spec.objective.step),
        max_jobs=limits.max_jobs,
        max_parallel_jobs=limits.max_parallel_jobs,
        max_runtime=limits.max_runtime,
        max_job_runtime=limits.max_job_runtime,
        launcher_ends_runs=launchers.ends_runs(spec.launcher.kind),
        max_failures=limits.max_failures,
        target=stop.target,
        not_improving_for=stop.not_improving_for,
        converged=stop.converged,
        running=Running(stop.running),
        stops_early=spec.strategy.name == "hyperband" or stopping_rule(spec.early_stopping) is not None,
        attempts=spec.retry.attempts,
        max_cost=limits.max_cost,
        worst_cost=worst_cost,
        repeats=repeats_of(spec),
        others=tuple(map(_objective, spec.objectives[1:])),
        require=tuple(required(text, spec.all_metrics) for text in spec.require),
        algorithms=tuple(spec.algorithms),
    )


def repeats_of(spec: Spec) -> Repeats:
    """Return what each trial is made of: one run, or one for each of the seeds from 1 on."""
    if spec.repeats is None:
        return ONE_RUN
    given = repeats_options(spec.repeats)
    return Repeats(given.seed_name, tuple(range(1, given.count + 1)), Score(given.score))


def _objective(objective: OneOfSeveral, *, step: str | None = None) -> Objective:
    return Objective(objective.metric, Goal(objective.goal), Take(objective.take), step)
