"""Hyperparameter tuning jobs of SageMaker's own, as they can be read; nothing of them is run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hpo.testing.aws.account import arn
from hpo.testing.aws.errors import invalid
from hpo.testing.aws.listing import listed, matches_times
from hpo.testing.aws.shapes import model, wire

_DESCRIBED = "DescribeHyperParameterTuningJobResponse"
_TRIAL = "HyperParameterTrainingJobSummary"
_SUMMARY = (
    "HyperParameterTuningJobName",
    "HyperParameterTuningJobArn",
    "HyperParameterTuningJobStatus",
    "CreationTime",
    "HyperParameterTuningEndTime",
    "LastModifiedTime",
    "TrainingJobStatusCounters",
    "ObjectiveStatusCounters",
)
_NO_VALUE = float("-inf")


class TuningApi:
    """The tuning jobs that were added."""

    def __init__(self) -> None:
        self._jobs: dict[str, dict[str, Any]] = {}
        self._trials: dict[str, list[dict[str, Any]]] = {}
        self.operations = {
            "DescribeHyperParameterTuningJob": self._describe,
            "ListHyperParameterTuningJobs": self._list,
            "ListTrainingJobsForHyperParameterTuningJob": self._list_trials,
        }

    def add(self, describe: Mapping[str, Any], trials: Iterable[Mapping[str, Any]]) -> str:
        """Have a tuning job as these answers have it, and return its ARN.

        Raises ValueError where the API could not answer so.
        """
        shapes = model("sagemaker")
        name = str(describe.get("HyperParameterTuningJobName", ""))
        whole = {"HyperParameterTuningJobArn": arn("hyper-parameter-tuning-job", name), **describe}
        answer: dict[str, Any] = wire(shapes.shape_for(_DESCRIBED), whole)
        shape = shapes.shape_for(_TRIAL)
        self._trials[name] = [
            wire(shape, {"TrainingJobArn": arn("training-job", str(trial.get("TrainingJobName"))), **trial})
            for trial in trials
        ]
        self._jobs[name] = answer
        return str(answer["HyperParameterTuningJobArn"])

    def trial(self, name: str) -> dict[str, Any] | None:
        """Return DescribeTrainingJob's answer for a trial, made from its tuning job; None without one."""
        for job, trials in self._trials.items():
            for trial in trials:
                if trial["TrainingJobName"] == name:
                    return _described(self._jobs[job], trial)
        return None

    def _describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return self._jobs[self._name(request)]

    def _list(self, request: Mapping[str, Any]) -> dict[str, Any]:
        wanted = request.get("StatusEquals")
        rows = [
            {name: job[name] for name in _SUMMARY if name in job} | {"Strategy": _strategy(job)}
            for job in self._jobs.values()
            if request.get("NameContains", "") in job["HyperParameterTuningJobName"]
            and wanted in {None, job["HyperParameterTuningJobStatus"]}
            and matches_times(request, "CreationTime", job["CreationTime"])
        ]
        keys = {"Name": "HyperParameterTuningJobName", "Status": "HyperParameterTuningJobStatus"}
        key = keys.get(request.get("SortBy", "Name"), "CreationTime")
        page = listed(
            rows, request, lambda row: (row[key], row["HyperParameterTuningJobName"]), default_size=10
        )
        return {"HyperParameterTuningJobSummaries": page.rows} | page.next

    def _list_trials(self, request: Mapping[str, Any]) -> dict[str, Any]:
        trials = self._trials[self._name(request)]
        wanted = request.get("StatusEquals")
        rows = [trial for trial in trials if wanted in {None, trial["TrainingJobStatus"]}]
        order = _ORDERS[request.get("SortBy", "Name")]
        page = listed(rows, request, lambda row: (*order(row), row["TrainingJobName"]), default_size=10)
        return {"TrainingJobSummaries": page.rows} | page.next

    def _name(self, request: Mapping[str, Any]) -> str:
        name = str(request["HyperParameterTuningJobName"])
        if name not in self._jobs:
            raise invalid(f"Could not find hyperparameter tuning job: {name}")
        return name


_ORDERS: Mapping[str, Callable[[Mapping[str, Any]], tuple[Any, ...]]] = {
    "Name": lambda _: (),
    "CreationTime": lambda trial: (trial["CreationTime"],),
    "Status": lambda trial: (trial["TrainingJobStatus"],),
    "FinalObjectiveMetricValue": lambda trial: (
        trial.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value", _NO_VALUE),
    ),
}


def _strategy(job: Mapping[str, Any]) -> str:
    return str(job["HyperParameterTuningJobConfig"]["Strategy"])


def _described(job: Mapping[str, Any], trial: Mapping[str, Any]) -> dict[str, Any]:
    definitions = job.get("TrainingJobDefinitions") or [job.get("TrainingJobDefinition", {})]
    wanted = trial.get("TrainingJobDefinitionName")
    definition = next((each for each in definitions if each.get("DefinitionName") == wanted), definitions[0])
    shown = model("sagemaker").shape_for("DescribeTrainingJobResponse").members
    answer = {name: value for name, value in definition.items() if name in shown}
    answer |= {name: value for name, value in trial.items() if name in shown}
    tuned = trial.get("TunedHyperParameters", {})
    answer["HyperParameters"] = {**definition.get("StaticHyperParameters", {}), **tuned}
    answer["TuningJobArn"] = job["HyperParameterTuningJobArn"]
    answer["SecondaryStatus"] = trial["TrainingJobStatus"]
    if metric := trial.get("FinalHyperParameterTuningJobObjectiveMetric"):
        answer["FinalMetricDataList"] = [
            {"MetricName": metric["MetricName"], "Value": metric["Value"], "Timestamp": trial["CreationTime"]}
        ]
    return answer
