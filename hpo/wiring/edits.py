"""Changes to the spec of a job that has begun: what may change, and how that reaches the job."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path

from hpo.core.events import Edited
from hpo.core.settings import Settings
from hpo.errors import HpoError, JobBusy, SpecError, UsageError
from hpo.passwords import without_password
from hpo.scheduler.edits import Edit
from hpo.spec.algorithms import SECTION
from hpo.spec.models import Spec
from hpo.spec.nodes import Plain, dotted, plain, undotted
from hpo.spec.reader import read_text
from hpo.store.edits import MADE, EditLog
from hpo.store.home import DATABASE, SPEC
from hpo.store.lease import Lease, is_held
from hpo.store.sqlite import JobRecord, Store
from hpo.wiring.affordable import worst_cost_within
from hpo.wiring.narrower import pins, refused
from hpo.wiring.prepared import CHANGEABLE, Prepared, prepare

POLL = 0.05
"""Seconds between two looks at whether the job's process has answered."""

PATIENCE = 30.0
"""Seconds after which a process that does not answer counts as hanging."""

_REASONS = {
    "name": "the job's folder and its runs are called by it",
    "seed": "its trials were proposed by it",
    "strategy": "its trials were proposed by it",
    "objective": "the values of its trials would mean something else",
    "objectives": "the values of its trials would mean something else",
    "require": "its trials were judged by it",
    "metrics": "the values of its trials would mean something else",
    "algorithms": "its trials were proposed for them",
    "fixed": "its trials were run with it",
    "inputs": "its trials were run with it",
    "launcher": "its trials were run with it",
    "constraints": "its trials were proposed under it",
    "learner": "its parameters were chosen for it",
    "initial": "its trials are numbered after it",
    "repeats": "the values of its trials are made of them",
    "early_stopping": "its trials were judged by it",
    "warm_start": "its trials were proposed by it",
}
"""Why sections of the spec may not change; others are refused without a reason of their own."""


_NOT_OF_THE_SPEC = {
    "job",
    "objective",
    "others",
    "require",
    "launcher_ends_runs",
    "stops_early",
    "worst_cost",
    "repeats",
    "algorithms",
}
"""What of the settings says nothing that could have been changed: a copied folder is another job's."""


@dataclass(frozen=True, slots=True)
class Change:
    """A job's spec and settings as they are to be, and what of them changes; "" where nothing does."""

    prepared: Prepared
    record: JobRecord
    what: str


def changed(
    folder: Path, record: JobRecord, overrides: Sequence[str] = (), *, is_running: bool = False
) -> Change:
    """Read a job's own spec again, with overrides of what may still change.

    Limits and rules may also have been changed in its spec.yaml. Raises UsageError for what may not change
    or is not right, all of it at once, and where `limits.max_cost` cannot be kept to.
    """
    base = Path(record.base)
    try:
        current = prepare([folder / SPEC], base=base, check_launch=False)
        if current.digest != record.digest:
            raise UsageError(
                f"{folder / SPEC} is not the spec that the job began with: only {', '.join(CHANGEABLE)} "
                "may change there; undo the edit, or start another job with `hpo run`"
            )
        prepared = _overridden(folder, base, current, overrides) if overrides else current
    except SpecError as error:
        raise UsageError(str(error).replace("nothing was started", "nothing was changed", 1)) from None
    settings = replace(prepared.settings(folder.name), worst_cost=record.settings.worst_cost)
    if is_running and settings.launcher_ends_runs:
        _refuse_told(record.settings, settings)
    if settings != record.settings:
        settings = replace(settings, worst_cost=_worst_cost(prepared))
    by_hand = changes(record.settings, current.settings(folder.name))
    notes = [f"{key}={value} (by hand)" for key, value in by_hand.items()]
    notes += _differences(current.text, prepared.text)
    return Change(prepared, replace(record, settings=settings, digest=prepared.digest), ", ".join(notes))


def changes(settings: Settings, wanted: Settings) -> dict[str, str]:
    """Return what of the changeable sections differs: each wanted value, as `--set` takes it, by its key."""
    stop_when = ("target", "not_improving_for", "converged", "running")
    sections = {**dict.fromkeys(stop_when, "stop_when"), "attempts": "retry"}
    return {
        f"{sections.get(field.name, 'limits')}.{field.name}": json.dumps(value)
        for field in fields(Settings)
        if field.name not in _NOT_OF_THE_SPEC
        and (value := getattr(wanted, field.name)) != getattr(settings, field.name)
    }


def edit(folder: Path, overrides: Sequence[str]) -> str:
    """Change a job, whether a process runs it or not, and return what changed; "" where nothing did.

    Raises UsageError for what may not change, JobBusy where the job's process does not answer.
    """
    with closing(Store.open(folder / DATABASE)) as store, EditLog(folder) as log:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if is_held(folder):
                change = changed(folder, store.record(), overrides, is_running=True)
                if not change.what or _is_made_by_another(folder, log, overrides, deadline=deadline):
                    return change.what
            else:
                try:
                    with Lease(folder, folder.name):
                        return _make(folder, store, log, overrides)
                except JobBusy:  # it was resumed just now
                    continue
    raise JobBusy(
        f"the process that runs {folder.name} has not answered for {PATIENCE:.0f} seconds, and nothing was "
        f"changed; `hpo status {folder.name}` shows how it stands"
    )


def _make(folder: Path, store: Store, log: EditLog, overrides: Sequence[str]) -> str:
    log.settle()
    change = changed(folder, store.record(), overrides)
    if change.what:
        log.make(change.record, change.what, change.prepared.text, at=time.time())
    return change.what


def _is_made_by_another(folder: Path, log: EditLog, overrides: Sequence[str], *, deadline: float) -> bool:
    """Ask the process that runs the job, and tell whether it has done so. Raises UsageError."""
    request = log.ask(overrides, at=time.time())
    while is_held(folder) and time.monotonic() < deadline:
        answer = log.answer(request)
        if answer.text is not None or answer.is_forgotten:
            break
        time.sleep(POLL)
    log.withdraw(request)
    answer = log.answer(request)
    if answer.text:
        raise UsageError(answer.text)
    return answer.text == MADE


class JobEditor:
    """Makes what other processes ask for, in the process that runs the job."""

    def __init__(
        self, folder: Path, prepared: Prepared, record: JobRecord, *, began: float, elapsed: float
    ) -> None:
        self._folder = folder
        self._prepared = prepared
        self._record = record
        self._began = began  # this session, in seconds since the epoch
        self.elapsed = elapsed  # seconds in earlier sessions

    @cached_property
    def _log(self) -> EditLog:
        return EditLog(self._folder)  # which most jobs need not

    def close(self) -> None:
        """Close the file."""
        if "_log" in self.__dict__:
            self._log.close()

    def edit(self, request: int) -> Edit | None:
        """Return the edit that a request leads to; None where it was refused, which is its answer."""
        overrides = self._log.asked(request)
        if overrides is None:
            return None
        try:
            change = changed(self._folder, self._record, overrides, is_running=True)
        except HpoError as error:
            self._log.reply(request, str(error))
            return None
        if not change.what:
            self._log.reply(request, MADE)
            return None
        prepared = change.prepared.begun_with(self._prepared.priors)
        record, at = change.record, time.time()

        def commit() -> None:
            self._log.make(record, change.what, prepared.text, at=at, request=request)
            self._prepared, self._record = prepared, record

        deadline = record.settings.deadline(began=self._began, elapsed=self.elapsed)
        event = Edited(record.settings, deadline, change.what, at)
        return Edit(event, prepared.strategy(record.seed), commit)


def _overridden(folder: Path, base: Path, current: Prepared, overrides: Sequence[str]) -> Prepared:
    """Return the spec with overrides. Raises UsageError, SpecError."""
    keys = {override: override.partition("=")[0].strip() for override in overrides}
    problems = [
        f"--set {without_password(override)}: {_reason(section)}"
        for override, key in keys.items()
        if "=" in override and (section := _section(key)) not in {*CHANGEABLE, "parameters"}
    ]
    _raise(problems)
    prepared = prepare([folder / SPEC], overrides=overrides, base=base, check_launch=False)
    pinned = [
        f"{path}={scaling}"
        for path, scaling in pins(current.spec, prepared.spec)
        if path not in keys.values()
    ]
    if pinned:
        prepared = prepare([folder / SPEC], overrides=[*overrides, *pinned], base=base, check_launch=False)
    _raise([f"--set {problem}" for problem in refused(current.spec, prepared.spec)])
    return prepared


def _section(key: str) -> str:
    """Return the section that a key is of; for one of an algorithm's, the algorithm's section."""
    path = undotted(key) or ("",)
    return path[2] if path[0] == SECTION and path[2:] else path[0]


def _reason(section: str) -> str:
    known = _REASONS.get(section)
    of_a_begun = f"of a job that has begun only {', '.join(CHANGEABLE)} may change, and ranges be narrowed"
    if known is None and section not in Spec.model_fields:
        return of_a_begun
    why = f"`{section}` may not change: {known}; " if known else ""
    return f"{why}{of_a_begun}; start another one with `hpo run`"


def _raise(problems: Sequence[str]) -> None:
    if problems:
        raise UsageError("\n".join(["nothing was changed", *problems]) if len(problems) > 1 else problems[0])


def _refuse_told(old: Settings, new: Settings) -> None:
    if old.max_job_runtime != new.max_job_runtime:
        raise UsageError(
            "limits.max_job_runtime: it was told to the machines that run now; stop the job first, and give "
            "it to `hpo resume`"
        )


def _worst_cost(prepared: Prepared) -> float | None:
    try:
        return worst_cost_within(prepared)
    except UsageError as error:
        raise UsageError(f"`limits.max_cost`: {error}") from None


def _differences(before: str, after: str) -> Iterator[str]:
    """Yield what differs between two specs, as `--set` takes it, with what it was."""
    old, new = (dict(_leaves(_read(text))) for text in (before, after))
    for path in dict.fromkeys([*new, *old]):
        if json.dumps(was := old.get(path)) != json.dumps(now := new.get(path)):
            yield f"{path}={json.dumps(now, ensure_ascii=False)} (was {json.dumps(was, ensure_ascii=False)})"


def _read(text: str) -> Plain:
    node, _ = read_text(text, SPEC)
    return plain(node)


def _leaves(value: Plain, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Plain]]:
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _leaves(below, (*path, key))
    else:
        yield dotted(path), value
