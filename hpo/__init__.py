"""hpo: hyperparameter tuning that runs unattended.

The Python interface is small: `load_spec` reads and checks a spec, `tune` runs a job to its end,
`best` returns a job's best trial, `expected` the one that may be better, `front` those of a job with several
objectives. All else is the command line's.
"""

from __future__ import annotations

TYPE_CHECKING = False  # without the import: `hpo.launchers.process.guard` is to start fast
if TYPE_CHECKING:
    from hpo.api import Best, Compromise, Expected, Result, best, expected, front, load_spec, tune
    from hpo.errors import HpoError, SpecError

__all__ = [
    "Best",
    "Compromise",
    "Expected",
    "HpoError",
    "Result",
    "SpecError",
    "best",
    "expected",
    "front",
    "load_spec",
    "tune",
]


def __getattr__(name: str) -> object:
    """Import the interface when it is used: `hpo status` needs none of it."""
    if name not in __all__:
        raise AttributeError(f"module 'hpo' has no attribute {name!r}")
    from importlib import import_module

    module = "hpo.errors" if name.endswith("Error") else "hpo.api"
    return getattr(import_module(module), name)
