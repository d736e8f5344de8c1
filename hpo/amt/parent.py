"""A tuning job of AMT's as a parent of a job."""

from __future__ import annotations

from hpo.amt.answer import Answer
from hpo.amt.ranges import Kind as RangeKind
from hpo.amt.ranges import Range, ranges
from hpo.amt.service import TuningJobs
from hpo.amt.trials import read_trials
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


def read_parent(job: str, name: str, jobs: TuningJobs) -> Parent:
    """Read a tuning job; what it was given without being tuned is not known, as its texts have no types.

    Raises JobNotFound, LauncherError, and UsageError where it has not ended.
    """
    answer = Answer(jobs.describe(job))
    status = answer.text("HyperParameterTuningJobStatus")
    if status not in _ENDED:
        raise UsageError(f"it is {status} still; a parent must have ended")
    config = answer.part("HyperParameterTuningJobConfig")
    definitions = answer.parts("TrainingJobDefinitions") or [answer.part("TrainingJobDefinition")]
    objective = config.part("HyperParameterTuningJobObjective") or definitions[0].part("TuningObjective")
    tuned: list[Range] = list(ranges(config.part("ParameterRanges")))
    for definition in definitions:
        tuned += ranges(definition.part("HyperParameterRanges"))
    trials = read_trials(job, jobs)
    past = [
        PastTrial(job, number, trial.parameters, trial.value)
        for number, trial in enumerate(trials, 1)
        if trial.is_evidence and trial.value is not None
    ]
    failed = sum(trial.status is Status.FAILED for trial in trials)
    return Parent(
        name=name,
        trials=tuple(past),
        failed=failed,
        unfinished=len(trials) - len(past) - failed,
        metric=objective.text("MetricName") or None,
        goal=Goal(objective.text("Type").lower()),
        kinds={each.name: _KINDS[each.kind] for each in tuned},
    )
