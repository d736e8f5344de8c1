"""A tuning job of AMT's as a parent of a job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hpo.amt.answer import Answer
from hpo.amt.ranges import Kind as RangeKind
from hpo.amt.ranges import ranges
from hpo.amt.service import TuningJobs
from hpo.amt.trials import ParentTrial, read_trials
from hpo.amt.values import algorithm_name
from hpo.core.prior import Kind, Parent, PastTrial
from hpo.core.settings import Goal
from hpo.errors import UsageError
from hpo.launchers.sagemaker.answers import Status

_KINDS = {
    RangeKind.CONTINUOUS: Kind.CONTINUOUS,
    RangeKind.INTEGER: Kind.INTEGER,
    RangeKind.CATEGORICAL: Kind.CATEGORICAL,
}
_ENDED = ("Completed", "Stopped", "Failed")


def read_parent(job: str, name: str, jobs: TuningJobs) -> dict[str | None, Parent]:
    """Read a tuning job by its algorithms, or under None where it has not several.

    What it was given without being tuned is not known, as its texts have no types. Raises JobNotFound,
    LauncherError, and UsageError where it has not ended.
    """
    answer = Answer(jobs.describe(job))
    status = answer.text("HyperParameterTuningJobStatus")
    if status not in _ENDED:
        raise UsageError(f"it is {status} still; a parent must have ended")
    config = answer.part("HyperParameterTuningJobConfig")
    definitions = answer.parts("TrainingJobDefinitions") or [answer.part("TrainingJobDefinition")]
    shared = _objective(config.part("HyperParameterTuningJobObjective"))
    common = list(ranges(config.part("ParameterRanges")))
    numbered = list(enumerate(read_trials(job, jobs), 1))
    objectives = [shared or _objective(each.part("TuningObjective")) for each in definitions]
    metrics = {metric for metric, _ in filter(None, objectives)}
    several = len(definitions) > 1
    parents: dict[str | None, Parent] = {}
    for definition, objective in zip(definitions, objectives, strict=True):
        whose = definition.text("DefinitionName")
        own = [(number, trial) for number, trial in numbered if not several or trial.definition == whose]
        tuned = [*common, *ranges(definition.part("HyperParameterRanges"))]
        parents[algorithm_name(whose) if several else None] = replace(
            _parent(job, name, own),
            metric=next(iter(metrics)) if len(metrics) == 1 else None,  # AMT compares those of other names
            goal=objective[1] if objective is not None else None,
            kinds={each.name: _KINDS[each.kind] for each in tuned},
        )
    return parents


def _objective(answer: Answer) -> tuple[str | None, Goal] | None:
    return (answer.text("MetricName") or None, Goal(answer.text("Type").lower())) if answer else None


def _parent(job: str, name: str, trials: Sequence[tuple[int, ParentTrial]]) -> Parent:
    """Return the trials of an algorithm, each with its number among all of the tuning job's."""
    past = [
        PastTrial(job, number, trial.parameters, trial.value)
        for number, trial in trials
        if trial.is_evidence and trial.value is not None
    ]
    failed = sum(trial.status is Status.FAILED for _, trial in trials)
    return Parent(
        name=name,
        trials=tuple(past),
        failed=failed,
        unfinished=len(trials) - len(past) - failed,
    )
