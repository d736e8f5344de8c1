"""A job that has ended, to be looked at in every way there is."""

from __future__ import annotations

KINDS = [True, "true", None, 7, 0.5, "a b"]
"""Values of a categorical parameter that only their types tell apart."""

FIXED = {"epochs": 50, "note": "two ${WORDS:-x} $${y}"}
"""Given to every trial; what the second one holds looks like a reference once it was expanded."""

PROGRAM = """
printf '%s\n' "$@" > "args-$HPO_TRIAL"
case "$HPO_TRIAL" in
3) exit 7 ;;
4) echo 'nothing to see' ;;
5) echo 'loss=nan' ;;
*) echo "loss=1$HPO_TRIAL.25"; echo "epoch=$HPO_TRIAL" ;;
esac
"""
"""A job of which every second trial fails, each in a way of its own; trial 1 is its best."""


def exact(value: object) -> object:
    """Return a value in which 1, 1.0 and True differ."""
    match value:
        case dict():
            return {key: exact(item) for key, item in value.items()}
        case list():
            return [exact(item) for item in value]
        case _:
            return (type(value).__name__, value)


BEST = {
    "job": "job",
    "metric": "loss",
    "goal": "minimize",
    "trial": 1,
    "algorithm": None,
    "value": 11.25,
    "parameters": {"kind": True, "max-depth": 1},
    "status": "completed",
    "origin": "job",
    "cost": None,
    "spread": None,
    "standard_error": None,
    "repeats": [],
}


GIVEN = {**BEST, "fixed": {"epochs": 50, "note": "two x ${y}"}, "expected": None}
"""The best as `hpo best` tells of it: with all that its trial was given; no other trial may be better."""
