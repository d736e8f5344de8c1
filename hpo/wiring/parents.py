"""Reading the parents of a job, whatever they are: once, before the job is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hpo.core.inherit import inherit, unclaimed
from hpo.core.prior import Parent, ParentReport, Prior, Priors
from hpo.core.restrictions import restrictions
from hpo.errors import HpoError, UsageError
from hpo.spec.algorithms import SECTION
from hpo.spec.document import Document
from hpo.spec.nodes import dotted
from hpo.spec.space import Space, identity
from hpo.wiring.checks import place_of
from hpo.wiring.parent_jobs import Read
from hpo.wiring.parent_reader import Beginner, Reader

_WITHOUT_LEARNING = ("random", "hyperband")

_At = tuple[str | int, ...]
"""The place of a parent in the spec."""


@dataclass(frozen=True, slots=True)
class _Taking:
    """A parent as one beginner takes it; of a shared one every algorithm takes what is its own."""

    at: _At
    name: str  # as the spec has it
    beginner: Beginner
    read: Read
    parent: Parent
    is_shared: bool

    @property
    def restrictions(self) -> Iterator[str]:
        """Yield why the beginner cannot begin with it; an algorithm may have had no trial of several's."""
        if self.parent.trials or not self.is_shared or not any(each.trials for each in self.read.values()):
            yield from restrictions(self.beginner.child, self.parent)


@dataclass(slots=True)
class _Mistakes:
    """What is wrong with parents: told once, where several algorithms find the same of a shared one."""

    found: dict[tuple[_At, str, str], list[str | None]] = field(default_factory=dict)

    def add(self, at: _At, name: str, why: str, algorithm: str | None) -> None:
        self.found.setdefault((at, name, why), []).append(algorithm)

    def tell(self, document: Document, algorithms: Sequence[str | None]) -> None:
        """Add them to the document; those of some algorithms only with their names."""
        for (at, name, why), whose in self.found.items():
            is_of_all = at[0] == SECTION or whose == algorithms
            of = "" if is_of_all else f"{', '.join(map(str, whose))}: "
            document.problem(at, f"`{dotted(at[:-1])}`: {name}: {of}{why}")


def priors_of(document: Document, beginners: Sequence[Beginner]) -> Priors:
    """Read a spec's parents and return what a job of it begins with, for each of its algorithms.

    Mistakes of all parents are added to the document, each at its parent's place.
    """
    mistakes, reader = _Mistakes(), Reader()
    algorithms = [each.algorithm for each in beginners]
    takings = [
        taking
        for each in beginners
        for taking in _takings(document, each, algorithms, reader=reader, mistakes=mistakes)
    ]
    for taking in takings:
        for why in taking.restrictions:
            mistakes.add(taking.at, taking.name, why, taking.beginner.algorithm)
    priors = {
        each.algorithm: inherit(each.heir, [taking.parent for taking in takings if taking.beginner is each])
        for each in beginners
        if each.spec.warm_start is not None
    }
    mistakes.tell(document, algorithms)
    if not document.problems:
        _refuse_useless(document, takings, priors)
        _refuse_all_tried(document, beginners, priors)
    return priors | _unclaimed(takings, algorithms)


def _takings(
    document: Document,
    beginner: Beginner,
    algorithms: Sequence[str | None],
    *,
    reader: Reader,
    mistakes: _Mistakes,
) -> Iterator[_Taking]:
    for position, name in enumerate(beginner.parents):
        at = place_of(document, beginner.algorithm, ("warm_start", "parents", str(position)))
        is_shared = beginner.algorithm is not None and at[0] != SECTION
        try:
            read, named = reader.read(name, beginner)
            if is_shared:
                parent = _shared(read, named, beginner.algorithm, algorithms)
            else:
                parent = _named(read, named, beginner.algorithm, name)
        except HpoError as error:
            mistakes.add(at, name, str(error), beginner.algorithm)
            continue
        if parent is not None:
            yield _Taking(at, name, beginner, read, parent, is_shared)


def _shared(read: Read, named: str, algorithm: str | None, algorithms: Sequence[str | None]) -> Parent | None:
    """Return an algorithm's part of a parent that is given to all of them; None where there is none."""
    elsewhere = f"`{SECTION}.NAME.warm_start`, NAME being the algorithm that begins with them"
    if named:
        raise UsageError(f"trials of one algorithm are given under {elsewhere}")
    if list(read) == [None]:
        raise UsageError(f"its trials are of one algorithm: give them under {elsewhere}")
    if not any(each in read for each in algorithms):
        raise UsageError(f"it tuned {_listed(read)}, and this job has none of them")
    return read.get(algorithm)


def _named(read: Read, named: str, algorithm: str | None, name: str) -> Parent:
    """Return the part of a parent that is named, or else that of the same algorithm, or the only one."""
    if named and list(read) == [None]:
        raise UsageError(f"it has not several algorithms: leave #{named} out")
    if named and named not in read:
        from hpo.spec.explain import did_you_mean

        names = [each for each in read if each is not None]
        raise UsageError(f"it has no algorithm {named}, but {_listed(read)}{did_you_mean(named, names)}")
    is_open = len(read) > 1 or (None not in read and algorithm is not None)
    if not named and algorithm not in read and is_open:
        raise UsageError(
            f"it tuned {_listed(read)}: name the one whose trials are to be taken, as in "
            f"{name}#{next(each for each in read if each is not None)}"
        )
    return read[named] if named else read.get(algorithm) or next(iter(read.values()))


def _listed(read: Read) -> str:
    return ", ".join(name for name in read if name is not None)


def _unclaimed(takings: Sequence[_Taking], algorithms: Sequence[str | None]) -> dict[str | None, Prior]:
    """Return what is kept of shared parents' trials whose algorithms the job has not."""
    shared = {taking.at: taking for taking in takings if taking.is_shared}.values()
    names = dict.fromkeys(name for taking in shared for name in taking.read if name not in algorithms)
    return {
        name: unclaimed(
            next(iter(shared)).beginner.heir.type,
            [taking.read[name] for taking in shared if name in taking.read],
        )
        for name in names
    }


def _refuse_useless(
    document: Document, takings: Sequence[_Taking], priors: Mapping[str | None, Prior]
) -> None:
    """Add which parents are of no use to an identical start, to none of the algorithms."""
    reports: dict[tuple[_At, str], list[ParentReport]] = {}
    for algorithm, prior in priors.items():
        own = [taking for taking in takings if taking.beginner.algorithm == algorithm]
        for taking, report in zip(own, prior.reports, strict=True):
            if prior.is_evidence:
                reports.setdefault((taking.at, taking.name), []).append(report)
    for (at, name), found in reports.items():
        if not any(report.used or report.beyond or report.repeated for report in found):
            lacked = ", ".join(dict.fromkeys(name for report in found for name in report.lacked))
            counts = {
                "out of range": sum(report.out_of_range for report in found),
                f"without a value of {lacked}": sum(report.incomplete for report in found),
                "with other fixed values": sum(report.different for report in found),
            }
            why = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
            document.problem(at, f"`{dotted(at[:-1])}`: {name}: none of its trials can be used: {why}")


def _refuse_all_tried(
    document: Document, beginners: Sequence[Beginner], priors: Mapping[str | None, Prior]
) -> None:
    if all(
        each.algorithm in priors
        and each.spec.strategy.name == "bayesian"
        and priors[each.algorithm].is_evidence
        and _is_all_tried(each.space, priors[each.algorithm])
        for each in beginners
    ):
        text = "`warm_start`: the parents have tried every configuration of this space already"
        document.problem("warm_start", text, "widen a range, or look at the parents with `hpo best NAME`")


def _is_all_tried(space: Space, prior: Prior) -> bool:
    count = space.cardinality if space.is_finite else None
    return count == len({identity(trial.params or {}) for trial in prior.used})


def prior_warnings(priors: Priors, algorithms: Sequence[str], strategy: str) -> list[str]:
    """Return where parents are of no use, or of less than one may think; `algorithms` are the job's."""
    found, known = [], {name: prior for name, prior in priors.items() if prior.type is not None}
    if known and strategy in _WITHOUT_LEARNING:
        are_evidence = any(prior.is_evidence for prior in known.values())
        shares = "count for which algorithm gets the next trial, and " if algorithms else ""
        shown = f"; their best values {shares}are shown beside the job's own" if are_evidence else ""
        found.append(
            f"warm_start: the strategy {strategy} draws its values without the parents' trials{shown}"
        )
    for name, prior in known.items():
        is_here = name is None or name in algorithms
        if is_here and not any(report.used or report.beyond for report in prior.reports):
            of, it = ("this space", "the job") if name is None else (f"the space of {name}", "it")
            found.append(f"warm_start: no trial of a parent lies in {of}; {it} starts cold")
    return found
