"""Jobs with parents: the programs that they tune, and what they tell."""

from __future__ import annotations

from typing import Any

from tests.command_line import Hpo

X: dict[str, Any] = {"type": "continuous", "min": 0.0, "max": 1.0}
BOWL = """awk -v x="$SM_HP_X" 'BEGIN {d = x - 0.3; printf "loss=%.17g\\n", d < 0 ? -d : d}'"""
"""The best is at 0.3."""

STEEP = """awk -v x="$SM_HP_X" 'BEGIN {d = 100 * (x - 0.32); printf "loss=%.17g\\n", d < 0 ? -d : d}'"""
"""The other's shape on another scale, and nearly its best."""

HILL = """awk -v x="$SM_HP_X" 'BEGIN {d = x - 0.3; printf "loss=%.17g\\n", d < 0 ? d : -d}'"""
"""The best is where the other's worst is."""


def parent(hpo: Hpo, name: str = "first", program: str = BOWL, jobs: int = 8, **sections: object) -> None:
    """Run a job to begin with."""
    hpo.job(program, name=name, limits={"max_jobs": jobs}, **sections)
    hpo("run", "spec.yaml")


def child(hpo: Hpo, kind: str, *parents: str, program: str = BOWL, **sections: object) -> None:
    """Write the spec of a job with parents."""
    warm_start = {"type": kind, "parents": list(parents or ("first",))}
    given: dict[str, object] = {"name": "second", "strategy": "bayesian", "limits": {"max_jobs": 8}}
    hpo.job(program, **{**given, **sections}, warm_start=warm_start)


def told(hpo: Hpo, name: str = "second") -> dict[str, Any]:
    (data,) = hpo("status", name, "--json").json["warm_start"]
    assert isinstance(data, dict)
    counts = ("used", "failed", "unfinished", "out_of_range", "incomplete", "different", "repeated")
    assert sum(data[count] for count in counts) == data["trials"]
    return data


def trials(hpo: Hpo, name: str = "second") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = hpo("trials", name, "--json").json
    return found


OTHER_DATA = {"inputs": {"train": "."}}
