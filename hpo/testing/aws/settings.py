"""What can be set of the emulated AWS: times, limits, faults."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal


class Fault(enum.Enum):
    """What befalls one call."""

    THROTTLED = "throttled"  # refused: Rate exceeded
    SERVER_ERROR = "server-error"  # answered 500, and not performed
    ANSWER_LOST = "answer-lost"  # performed, and answered 500


@dataclass
class AwsSettings:
    """How the emulated AWS behaves; all but `port` may be changed while it runs.

    Times are seconds. Fractions are of calls or jobs, between 0 and 1; what they hit depends on `seed`
    and on the order of the calls.
    """

    port: int = 0
    """Where it listens on 127.0.0.1; 0: a port that is free."""
    seed: int = 0
    runner: Literal["auto", "docker", "process"] = "auto"
    """What runs programs; auto: containers where a Docker engine answers, else processes."""
    mounts: dict[str, str] = field(default_factory=dict)
    """Folders of this machine that containers see besides /opt/ml, by their path there: none is on AWS."""
    toolkit: bool = True
    """Whether script mode is played: sagemaker_program is run as the training toolkit in an image would."""

    start_delay: float = 0.2
    """How long a job is Starting on machines that are new to it."""
    warm_start_delay: float = 0.0
    """The same on the machines of a warm pool."""
    pending_delay: float = 0.0
    """How long it is Pending, as if it waited for capacity."""
    download_delay: float = 0.0
    upload_delay: float = 0.0
    stop_grace: float = 5.0
    """Between SIGTERM and SIGKILL; SageMaker's own is 120."""
    log_delay: float = 0.0
    """Between a line's being printed and CloudWatch Logs having it."""
    log_shuffle: float = 0.0
    """The fraction of lines that come later than the ones after them, with their own, earlier time."""
    log_shuffle_delay: float = 0.5
    """How much later these are."""
    time_scale: float = 1.0
    """How many seconds of the service one second here stands for: in the training, billable and retained
    seconds that are reported, and in MaxRuntimeInSeconds, MaxWaitTimeInSeconds and
    KeepAlivePeriodInSeconds."""
    spot_share: float = 0.3
    """Which part of its training time a managed spot job is billed for."""

    quotas: dict[str, int] = field(default_factory=dict)
    """Instances by "ml.m5.large", or by the quota's whole name: "ml.m5.large for spot training job usage";
    no limit where nothing is said."""
    capacity: dict[str, int] | Callable[[str], bool] = field(default_factory=dict)
    """How many of the next jobs on an instance type fail with CapacityError, or whether there is capacity."""
    internal_errors: float = 0.0
    """The fraction of attempts that fail with InternalServerError, half of them with the program running."""
    spot_interruptions: float | Mapping[str, Sequence[float]] = 0.0
    """The fraction of a spot job's attempts that are interrupted, or by a job's name after how many seconds
    of training each of its attempts is."""
    spot_interruption_delay: float = 0.5
    """Within how many seconds of training the ones that chance interrupts are."""

    throttling: float = 0.0
    """The fraction of calls, but those to S3, that are answered ThrottlingException."""
    rates: dict[str, float] = field(default_factory=dict)
    """Calls a second by operation, beyond which they are throttled."""
    server_errors: float = 0.0
    """The fraction of calls, but those to S3, that are answered 500; half of those of CreateTrainingJob and
    StopTrainingJob are performed all the same."""
    s3_errors: float = 0.0
    """The fraction of calls to S3 that are answered 503 SlowDown."""
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    """What befalls the next calls of an operation, the first one first."""
    expired: bool = False
    """Whether the credentials have expired: every call is refused."""
    denied: set[str] = field(default_factory=set)
    """Permissions that are missing: "CreateTrainingJob", "s3:GetObject", "iam:PassRole"."""
