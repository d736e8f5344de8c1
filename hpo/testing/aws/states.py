"""The states of a training job and of its warm pool, as the API names them."""

from __future__ import annotations

import enum


class Status(enum.StrEnum):
    """TrainingJobStatus."""

    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPING = "Stopping"
    STOPPED = "Stopped"


class Secondary(enum.StrEnum):
    """SecondaryStatus."""

    STARTING = "Starting"
    PENDING = "Pending"
    DOWNLOADING = "Downloading"
    TRAINING = "Training"
    UPLOADING = "Uploading"
    INTERRUPTED = "Interrupted"
    RESTARTING = "Restarting"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    MAX_RUNTIME_EXCEEDED = "MaxRuntimeExceeded"
    MAX_WAIT_TIME_EXCEEDED = "MaxWaitTimeExceeded"
    COMPLETED = "Completed"
    FAILED = "Failed"


class PoolStatus(enum.StrEnum):
    """WarmPoolStatus.Status."""

    IN_USE = "InUse"
    AVAILABLE = "Available"
    REUSED = "Reused"
    TERMINATED = "Terminated"


class Cause(enum.IntEnum):
    """Why a job is told to end its program; a greater one overrides a smaller."""

    INTERRUPTION = 1
    INTERNAL_ERROR = 2
    MAX_RUNTIME = 3
    MAX_WAIT = 4
    STOP = 5
    DISCARD = 6  # the emulator itself ends


MESSAGES = {
    Secondary.STARTING: "Starting the training job",
    Secondary.PENDING: "Waiting for capacity",
    Secondary.DOWNLOADING: "Downloading input data",
    Secondary.TRAINING: "Training image download completed. Training in progress.",
    Secondary.UPLOADING: "Uploading generated training model",
    Secondary.INTERRUPTED: "Training job interrupted due to insufficient capacity",
    Secondary.RESTARTING: "Restarting the training job",
    Secondary.STOPPING: "Stopping the training job",
    Secondary.STOPPED: "Training job stopped",
    Secondary.MAX_RUNTIME_EXCEEDED: "Training job runtime exceeded MaxRuntimeInSeconds provided",
    Secondary.MAX_WAIT_TIME_EXCEEDED: "Training job wait time exceeded MaxWaitTimeInSeconds provided",
    Secondary.COMPLETED: "Training job completed",
    Secondary.FAILED: "Training job failed",
}
"""What StatusMessage says where nothing more is known."""
