"""Every error that hpo raises on purpose.

HpoError                      exit status 1
├── UsageError                exit status 2: a mistake in how hpo was called
│   ├── SpecError             mistakes in a spec, all of them, each with its place
│   └── JobExists             a job of that name is there already
├── NotFound                  exit status 4
│   ├── JobNotFound
│   └── TrialNotFound
├── JobBusy                   another process runs this job
├── GateNotMet                exit status 3: the result is there, and not good enough
├── StoreError                the job's database cannot be read or written
│   └── DiskFull
└── LauncherError             a launcher could not do what was asked
    ├── CannotStart           this run can never start: the trial fails
    └── NoCapacity            this run cannot start yet: it waits
        └── Preparing         what it needs is on its way

Each text says what happened, where, and what to do next.
"""

from __future__ import annotations

from dataclasses import dataclass

from hpo.passwords import without_password


class HpoError(Exception):
    """Anything hpo refuses or cannot do; the command line prints it without a traceback."""

    exit_status = 1


class UsageError(HpoError):
    """A mistake in the arguments of a command or a function."""

    exit_status = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a spec: where it stands, what is wrong, and what would be right."""

    message: str
    path: str = ""  # dotted, as --set takes it: limits.max_jobs
    file: str = ""
    line: int = 0  # from 1; 0 where there is no line (an override of the command line)
    column: int = 0
    hint: str = ""

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        text = f"{place}: {self.message}" if place else self.message
        return without_password(f"{text}\n    {self.hint}" if self.hint else text)


class SpecError(UsageError):
    """A spec with mistakes: every one of them, in the order of the file."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        count = "1 mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        super().__init__("\n".join([f"the spec has {count}; nothing was started", *map(str, problems)]))


class JobExists(UsageError):
    """A job of that name exists; the text names the ways on."""


class NotFound(HpoError):
    """There is no such thing."""

    exit_status = 4


class JobNotFound(NotFound):
    """There is no job of that name in the state folder."""


class TrialNotFound(NotFound):
    """The job has no trial of that number."""


class JobBusy(HpoError):
    """Another process runs this job now."""


class GateNotMet(HpoError):
    """The job ended well, but its best value misses the asked-for bound."""

    exit_status = 3


class StoreError(HpoError):
    """The job's database cannot be read or written."""


class DiskFull(StoreError):
    """No space is left where the job's state lies; what was committed is safe."""


class LauncherError(HpoError):
    """A launcher could not do what was asked of it; the run may be tried again."""


class CannotStart(LauncherError):
    """The run can never start as the spec has it (no such program, not executable): its trial fails."""


class NoCapacity(LauncherError):
    """The run cannot start yet (no GPU free, a quota used up): it waits, and the text says for what."""


class Preparing(NoCapacity):
    """What the run needs is being fetched, and will be there if one waits."""
