"""Names of training jobs: `<job>-<id>-<trial>-<run>`, as a name is never free again in an account."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from hpo.core.trial import Launch, run_place
from hpo.launchers.end_record import made_up_id
from hpo.launchers.launcher import JobContext

ID = "sagemaker.id"
"""The file in a job's folder that tells its training jobs from those of other jobs of its name."""

_RUN = re.compile(r"-(?P<trial>\d{4,})-(?P<run>\d+)")


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one job's training jobs, which all begin with `prefix`."""

    prefix: str
    folder: Path

    @classmethod
    def of(cls, context: JobContext) -> Names:
        """Return the names of a job; its id is made up at the first call, and stays. Raises OSError."""
        folder = context.folder.absolute()
        return cls(f"{context.job}-{made_up_id(folder / ID)}", folder)

    @classmethod
    def not_begun(cls, context: JobContext) -> Names:
        """Return the names of a job that is only planned: ID stands for its id."""
        return cls(f"{context.job}-ID", context.folder.absolute())

    def name(self, launch: Launch) -> str:
        """Return the name of a run's training job."""
        return f"{self.prefix}-{launch.trial:04d}-{launch.run}"

    def run_folder(self, name: str) -> Path | None:
        """Return where everything of a run lies; None for the name of no training job of this job."""
        if not name.startswith(self.prefix):
            return None
        run = _RUN.fullmatch(name, len(self.prefix))
        return self.folder / run_place(int(run["trial"]), int(run["run"])) if run else None
