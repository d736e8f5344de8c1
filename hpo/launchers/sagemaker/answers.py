"""What SageMaker and CloudWatch Logs answer, as frozen values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """A training job's TrainingJobStatus."""

    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    DELETING = "Deleting"

    @property
    def is_final(self) -> bool:
        """Whether the training job has ended; one that is stopping has not."""
        match self:
            case Status.COMPLETED | Status.FAILED | Status.STOPPED:
                return True
            case Status.IN_PROGRESS | Status.STOPPING | Status.DELETING:
                return False


class PoolStatus(StrEnum):
    """What became of the machines that a training job leaves ready."""

    AVAILABLE = "Available"
    IN_USE = "InUse"
    REUSED = "Reused"
    TERMINATED = "Terminated"


@dataclass(frozen=True, slots=True)
class Pool:
    """The machines that a training job leaves ready, and for how long they were billed."""

    status: PoolStatus
    idle_seconds: float = 0.0
    reused_by: str = ""

    @classmethod
    def of(cls, answer: Mapping[str, Any] | None) -> Pool | None:
        """Return what a WarmPoolStatus says."""
        if not answer:
            return None
        idle = float(answer.get("ResourceRetainedBillableTimeInSeconds") or 0.0)
        return cls(PoolStatus(answer["Status"]), idle, answer.get("ReusedByJob") or "")


@dataclass(frozen=True, slots=True)
class Summary:
    """A training job as a list has it."""

    name: str
    status: Status
    secondary: str  # "" where the list does not tell
    modified: float
    created: float = 0.0
    pool: Pool | None = None

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Summary:
        """Return what an entry of ListTrainingJobs says."""
        return cls(
            name=answer["TrainingJobName"],
            status=Status(answer["TrainingJobStatus"]),
            secondary=answer.get("SecondaryStatus") or "",
            modified=seconds(answer.get("LastModifiedTime")) or 0.0,
            created=seconds(answer.get("CreationTime")) or 0.0,
            pool=Pool.of(answer.get("WarmPoolStatus")),
        )


@dataclass(frozen=True, slots=True)
class Described:
    """A training job in full, as far as a launcher needs it; times are seconds since the epoch."""

    name: str
    status: Status
    secondary: str
    message: str  # of its latest transition
    failure: str
    created: float
    started: float | None  # its program
    ended: float | None
    training_seconds: float | None
    billable_seconds: float | None
    metrics: Mapping[str, float] = field(default_factory=dict)
    interruptions: int = 0
    machines: Mapping[str, int] = field(default_factory=dict)  # how many of each kind
    is_spot: bool = False
    pool: Pool | None = None
    arn: str = ""

    @property
    def machine(self) -> str:
        """The kind of its machines; several are joined by a plus sign."""
        return "+".join(self.machines)

    @property
    def count(self) -> int:
        """How many machines it has."""
        return sum(self.machines.values())

    @property
    def leaves_machines(self) -> bool:
        """Whether a warm pool outlives its end: the program's own failure and a stop leave it."""
        return self.started is not None and (
            self.status is not Status.FAILED or self.failure.startswith("AlgorithmError")
        )

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Described:
        """Return what DescribeTrainingJob says."""
        transitions = answer.get("SecondaryStatusTransitions") or ()
        resources = answer.get("ResourceConfig") or {}
        groups = resources.get("InstanceGroups") or ()
        machines: Counter[str] = Counter()
        for group in groups or (resources,):
            machines[group.get("InstanceType") or ""] += int(group.get("InstanceCount") or 1)
        return cls(
            name=answer["TrainingJobName"],
            status=Status(answer["TrainingJobStatus"]),
            secondary=answer.get("SecondaryStatus") or "",
            message=(transitions[-1].get("StatusMessage") or "") if transitions else "",
            failure=answer.get("FailureReason") or "",
            created=seconds(answer.get("CreationTime")) or 0.0,
            started=seconds(answer.get("TrainingStartTime")),
            ended=seconds(answer.get("TrainingEndTime")),
            training_seconds=answer.get("TrainingTimeInSeconds"),
            billable_seconds=answer.get("BillableTimeInSeconds"),
            metrics={
                metric["MetricName"]: float(metric["Value"])
                for metric in answer.get("FinalMetricDataList") or ()
            },
            interruptions=sum(transition["Status"] == "Interrupted" for transition in transitions),
            machines=machines,
            is_spot=bool(answer.get("EnableManagedSpotTraining")),
            pool=Pool.of(answer.get("WarmPoolStatus")),
            arn=answer.get("TrainingJobArn") or "",
        )


@dataclass(frozen=True, slots=True)
class LogEvent:
    """A line of a log, and when it was printed, in milliseconds since the epoch."""

    at: int
    message: str


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some events of a stream, and the token of the next; the same token again: these are all."""

    events: tuple[LogEvent, ...]
    token: str


def seconds(time: datetime | None) -> float | None:
    """Return a time of AWS's in seconds since the epoch."""
    return None if time is None else time.timestamp()
