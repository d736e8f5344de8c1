"""Reading one parent, whatever it is: a job, a table, an Optuna study, a tuning job of SageMaker's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from hpo.core.feasibility import required
from hpo.core.inherit import Heir
from hpo.core.prior import WarmStart
from hpo.core.restrictions import Child
from hpo.core.settings import Goal, Objective
from hpo.errors import JobNotFound, UsageError
from hpo.passwords import without_password
from hpo.spec.document import Document
from hpo.spec.models import Spec
from hpo.spec.objectives import Objective as SpecObjective
from hpo.spec.objectives import OneOfSeveral
from hpo.spec.paths import expanded
from hpo.spec.space import Space
from hpo.spec.warm_start import (
    OPTUNA,
    SAGEMAKER,
    TABLES,
    VARIABLE,
    is_path,
    one_of,
)
from hpo.store.home import DATABASE, existing_job
from hpo.wiring.parent_jobs import Heritage, Read, Surroundings, read_job, written_parts
from hpo.wiring.parent_table import Columns, read_table

if TYPE_CHECKING:
    from hpo.wiring.prepared import Prepared


@dataclass(frozen=True, slots=True)
class Beginner:
    """A job, or one of its algorithms as if it were alone, that begins with parents."""

    algorithm: str | None
    spec: Spec
    written: Mapping[str, object]  # the same, as it was written
    options: BaseModel
    space: Space
    base: Path
    say: Callable[[str], None]

    @property
    def parents(self) -> tuple[str, ...]:
        """Its parents as the spec calls them."""
        return self.spec.warm_start.parents if self.spec.warm_start is not None else ()

    @property
    def heir(self) -> Heir:
        """What decides which past trials it can use."""
        start = self.spec.warm_start
        kind = WarmStart(start.type) if start is not None else WarmStart.TRANSFER
        return Heir(kind, self.space, self.spec.fixed)

    @property
    def objectives(self) -> Sequence[SpecObjective | OneOfSeveral]:
        """What it is tuned for."""
        return self.spec.objectives or (self.spec.objective,)

    @property
    def child(self) -> Child:
        """What of it is compared with its parents."""
        objective, *others = (Objective(each.metric, Goal(each.goal)) for each in self.objectives)
        around = Surroundings.of(self.written, self.base)
        return Child(self.heir, objective, tuple(others), around.inputs, around.program)

    @property
    def heritage(self) -> Heritage:
        """What decides which of them are handed on to it: what it requires of its own results."""
        return Heritage(
            self.heir.type,
            tuple(required(text, self.spec.metrics) for text in self.spec.require),
            tuple(each.metric for each in self.objectives),
        )

    def refuse_unknown_metrics(self) -> None:
        """Raise UsageError where trials of which one value is known would count as results."""
        if self.spec.require and self.heir.type is WarmStart.IDENTICAL:
            raise UsageError(
                "only one value of its trials is known, and not whether they meet `require`: "
                "take `type: transfer`, or a job of hpo's"
            )

    def refuse_one_value(self) -> None:
        """Raise UsageError where trials with one value each would be compared by several."""
        if self.spec.objectives:
            metrics = " and ".join(each.metric for each in self.objectives)
            raise UsageError(
                f"its trials have one value each, and this job is tuned for {metrics}: take a job of hpo's "
                "that was tuned for the same, or a table with a column for each"
            )


def beginners(document: Document, parts: Mapping[str | None, Prepared]) -> list[Beginner]:
    """Return what of a spec begins with parents: its algorithms, or the job itself as None."""
    written = written_parts(document)
    return [
        Beginner(name, part.spec, written[name], part.options, part.space, part.base, part.say)
        for name, part in parts.items()
    ]


class Reader:
    """Reads parents; a tuning job of SageMaker's once, for all algorithms that begin with it."""

    def __init__(self) -> None:
        self._tuning_jobs: dict[str, Read] = {}

    def read(self, name: str, beginner: Beginner) -> tuple[Read, str]:
        """Read a parent, and return it with the algorithm that is named behind it; "" where none is.

        Raises HpoError where it is not there, cannot be read, or still runs, and for an address with a
        password: that would be stored and shown with the job.
        """
        if without_password(name) != name:
            raise UsageError(
                "a password has no place in a spec, which is stored with the job: put the storage's address "
                f"into a variable of the environment, and write {OPTUNA}{VARIABLE}NAME#STUDY"
            )
        source, named = one_of(name)
        if named and is_path(name) and (beginner.base / expanded(name)).exists():
            source, named = name, ""
        if source.startswith((OPTUNA, SAGEMAKER)):
            beginner.refuse_unknown_metrics()
            beginner.refuse_one_value()
        if source.startswith(OPTUNA):
            from hpo.search.optuna_study import read_study

            return {None: read_study(source.removeprefix(OPTUNA), name, beginner.base)}, named
        if source.startswith(SAGEMAKER):
            if source not in self._tuning_jobs:
                self._tuning_jobs[source] = _tuning_job(source, name, beginner)
            read = self._tuning_jobs[source]
            return {whose: replace(parent, name=name) for whose, parent in read.items()}, named
        return _read_here(source, name, named, beginner), named


def _read_here(source: str, name: str, named: str, beginner: Beginner) -> Read:
    """Read a job of hpo's by its name or its folder, or a table."""
    if not is_path(source):
        if source == beginner.spec.name:
            raise UsageError("a job cannot be a parent of its own; give the new one another name")
        return read_job(existing_job(source), name, beginner.heritage)
    path = beginner.base / expanded(source)
    if path.suffix in TABLES and not path.is_dir():
        beginner.refuse_unknown_metrics()
        spec = beginner.spec
        whose = named or beginner.algorithm
        others = tuple(each.metric for each in beginner.objectives[1:])
        return read_table(
            path, name, Columns(spec.objective.metric, beginner.space, spec.fixed, whose, others)
        )
    if not (path / DATABASE).exists():
        raise JobNotFound(f"{path} is no job's folder: there is no {DATABASE} in it")
    return read_job(path, name, beginner.heritage)


def _tuning_job(source: str, name: str, beginner: Beginner) -> Read:
    """Read a tuning job of SageMaker's."""
    from hpo.amt.parent import read_parent
    from hpo.amt.service import TuningJobs, name_of

    job = name_of(source) or ""
    region, profile = (_option(beginner.options, key) for key in ("region", "profile"))
    beginner.say(f"reading the trials of SageMaker's tuning job {job}")
    with closing(TuningJobs(region=region, profile=profile)) as jobs:
        return read_parent(job, name, jobs)


def _option(options: BaseModel, key: str) -> str | None:
    value: object = getattr(options, key, None)
    return value if isinstance(value, str) else None
