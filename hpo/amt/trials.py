"""The trials of an AMT tuning job: what each was given, with types, and what came of it."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from hpo.amt.answer import Answer
from hpo.amt.ranges import Range, ranges
from hpo.amt.service import TuningJobs
from hpo.amt.values import value_of
from hpo.launchers.sagemaker.answers import Status, seconds
from hpo.spec.space import Scalar, Values


class ObjectiveStatus(StrEnum):
    """What AMT says of a trial's objective."""

    SUCCEEDED = "Succeeded"
    PENDING = "Pending"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class ParentTrial:
    """A training job of a tuning job of AMT's; times are seconds since the epoch."""

    training_job: str
    definition: str  # of the tuning job's algorithms; "" where it has one alone
    parameters: Values  # the tuned ones, typed by their ranges
    status: Status
    objective: ObjectiveStatus | None
    value: float | None  # the final one; None where there is none, or none that is finite
    reason: str  # why it failed; "" where AWS says nothing
    created: float
    started: float | None = None
    ended: float | None = None

    @property
    def seconds(self) -> float | None:
        """How long it trained."""
        return None if self.started is None or self.ended is None else self.ended - self.started

    @property
    def is_evidence(self) -> bool:
        """Whether it tells what its parameters are worth."""
        return self.status is Status.COMPLETED and self.value is not None


def read_trials(name: str, jobs: TuningJobs) -> list[ParentTrial]:
    """Return a tuning job's trials, the first created first, those that failed included.

    Raises JobNotFound and LauncherError.
    """
    description = jobs.describe(name)
    tuned = _ranges_by_definition(description)
    return [_trial(entry, tuned) for entry in jobs.trials(name)]


def _ranges_by_definition(description: Mapping[str, Any]) -> dict[str, Mapping[str, Range]]:
    """Return the ranges of each of a tuning job's algorithms."""
    answer = Answer(description)
    common = list(ranges(answer.part("HyperParameterTuningJobConfig").part("ParameterRanges")))
    definitions = answer.parts("TrainingJobDefinitions") or [answer.part("TrainingJobDefinition")]
    return {
        each.text("DefinitionName"): {
            tuned.name: tuned for tuned in (*common, *ranges(each.part("HyperParameterRanges")))
        }
        for each in definitions
    }


def _trial(entry: Mapping[str, Any], tuned: Mapping[str, Mapping[str, Range]]) -> ParentTrial:
    name = entry["TrainingJobName"]
    definition = entry.get("TrainingJobDefinitionName") or ""
    known = tuned.get(definition) or (next(iter(tuned.values())) if len(tuned) == 1 else {})
    final = (entry.get("FinalHyperParameterTuningJobObjectiveMetric") or {}).get("Value")
    said = entry.get("ObjectiveStatus")
    return ParentTrial(
        training_job=name,
        definition=definition,
        parameters={
            parameter: known[parameter].value(text, f"{parameter} of {name}")
            if parameter in known
            else value_of(text)
            for parameter, text in (entry.get("TunedHyperParameters") or {}).items()
        },
        status=Status(entry["TrainingJobStatus"]),
        objective=ObjectiveStatus(said) if said else None,
        value=float(final) if final is not None and math.isfinite(float(final)) else None,
        reason=entry.get("FailureReason") or "",
        created=seconds(entry.get("CreationTime")) or 0.0,
        started=seconds(entry.get("TrainingStartTime")),
        ended=seconds(entry.get("TrainingEndTime")),
    )


Row = Mapping[str, Scalar]
"""A line of the table; a missing value is null."""


def rows(trials: Sequence[ParentTrial]) -> list[Row]:
    """Return the table that the Python SDK's tuner analytics make: the tuned parameters, then the outcome."""
    parameters = list(dict.fromkeys(name for trial in trials for name in trial.parameters))
    are_of_several = len({trial.definition for trial in trials}) > 1
    return [
        {
            **{name: trial.parameters.get(name) for name in parameters},
            **({"TrainingJobDefinitionName": trial.definition} if are_of_several else {}),
            "TrainingJobName": trial.training_job,
            "TrainingJobStatus": trial.status.value,
            "FinalObjectiveValue": trial.value,
            "TrainingStartTime": _moment(trial.started),
            "TrainingEndTime": _moment(trial.ended),
            "TrainingElapsedTimeSeconds": trial.seconds,
            "FailureReason": trial.reason or None,
        }
        for trial in trials
    ]


def as_csv(table: Sequence[Row]) -> str:
    """Return the table as CSV, with an empty cell for what is missing."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(table[0]) if table else ["TrainingJobName"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue().rstrip("\n")


def as_json(table: Sequence[Row]) -> str:
    """Return the table as a JSON list of objects; numbers keep their type."""
    return json.dumps(list(table), indent=2, ensure_ascii=False, allow_nan=False)


def _moment(at: float | None) -> str | None:
    """Return a time in ISO 8601, UTC."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
