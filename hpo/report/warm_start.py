"""What a job began with, as data and in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypedDict

from hpo.core.prior import ParentReport, Prior, Priors, PriorTrial, WarmStart
from hpo.core.settings import Goal
from hpo.passwords import without_password
from hpo.spec.space import Scalar


class ParentData(TypedDict):
    """What became of a parent's trials; the counts but `beyond` add up to `trials`.

    `lacked` are parameters that some trials had no value for, with the value that was assumed: null for an
    identical start, which leaves such trials out. `ignored` are parameters that the job has not. `beyond`
    counts those of `out_of_range` that a model knows of nonetheless. `outside` counts, by parameter, the
    trials with a value out of its range; `fixed` are those fixed here that had other values. `algorithm` is
    whose trials they are, null where the job has not several, and `unclaimed` counts those of one that it
    has not.
    """

    parent: str
    algorithm: str | None
    type: str
    trials: int
    used: int
    failed: int
    unfinished: int
    infeasible: int
    out_of_range: int
    beyond: int
    incomplete: int
    different: int
    repeated: int
    unclaimed: int
    lacked: dict[str, Scalar]
    ignored: list[str]
    outside: dict[str, int]
    fixed: list[str]


def warm_start_data(priors: Priors) -> list[ParentData]:
    """Return what became of each parent's trials, by algorithm; empty for a cold start."""
    return [
        _parent_data(algorithm, prior.type, report)
        for algorithm, prior in priors.items()
        if prior.type is not None
        for report in prior.reports
    ]


def _parent_data(algorithm: str | None, kind: WarmStart, report: ParentReport) -> ParentData:
    return ParentData(
        parent=without_password(report.parent),  # which an older hpo took
        algorithm=algorithm,
        type=kind.value,
        trials=report.trials,
        used=report.used,
        failed=report.failed,
        unfinished=report.unfinished,
        infeasible=report.infeasible,
        out_of_range=report.out_of_range,
        beyond=report.beyond,
        incomplete=report.incomplete,
        different=report.different,
        repeated=report.repeated,
        unclaimed=report.unclaimed,
        lacked=dict(report.lacked),
        ignored=list(report.ignored),
        outside=dict(report.outside),
        fixed=list(report.fixed),
    )


def ranked_prior(prior: Prior, goal: Goal) -> list[PriorTrial]:
    """Return the inherited trials that count as results, best first; none where they are but a hint."""
    if not prior.is_evidence:
        return []
    sign = goal.sign
    return sorted(prior.used, key=lambda trial: sign * trial.past.value)


def warm_start_lines(parents: Sequence[ParentData]) -> list[str]:
    """Return a line for each parent, and algorithm: which of its trials are used, and why others are not."""
    return [
        f"parent    {parent['parent']} ({parent['type']}{_whose(parent)}): {_uses(parent)}"
        for parent in parents
    ]


def _whose(parent: ParentData) -> str:
    return "" if parent["algorithm"] is None else f", {parent['algorithm']}"


def _uses(parent: ParentData) -> str:
    counts = {
        "out of range, of use to a model alone": parent["beyond"],
        "out of range, left out": parent["out_of_range"] - parent["beyond"],
        f"without a value of {_names(parent['lacked'])}, left out": parent["incomplete"],
        "with another value of a fixed parameter, left out": parent["different"],
        "known by an earlier parent": parent["repeated"],
        "of an algorithm that is none here": parent["unclaimed"],
        "failed": parent["failed"],
        "not completed": parent["unfinished"],
        "not known to meet what is required": parent["infeasible"],
    }
    parts = [f"{parent['used']} of {parent['trials']} trials are used"]
    parts += [f"{count} {what}" for what, count in counts.items() if count]
    parts += list(_remarks(parent))
    return "; ".join(parts)


def _remarks(parent: ParentData) -> Iterator[str]:
    if parent["outside"]:
        yield f"out of range were {', '.join(f'{name} in {n}' for name, n in parent['outside'].items())}"
    if parent["type"] == WarmStart.TRANSFER.value:
        for name, assumed in parent["lacked"].items():
            yield f"{name} was not known there, {assumed!r} is assumed"
    if parent["ignored"]:
        yield f"parameters that are none here: {_names(parent['ignored'])}"
    if parent["fixed"]:
        yield f"fixed here, and of other values there: {_names(parent['fixed'])}"


def _names(names: object) -> str:
    return ", ".join(names) if isinstance(names, dict | list) else ""
