"""What of a spec no model of it checks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel

from hpo.errors import UsageError
from hpo.launchers import registry as launchers
from hpo.metrics.regex import pattern_problem
from hpo.search import registry as strategies
from hpo.spec.algorithms import SECTION, is_own
from hpo.spec.document import Document
from hpo.spec.nodes import dotted
from hpo.spec.strategies import OtherStrategy


def check_base(base: Path) -> None:
    """Raise UsageError for a folder whose name cannot be kept with a job."""
    try:
        str(base).encode()
    except UnicodeEncodeError:
        raise UsageError(
            f"the name of the spec's folder, {str(base)!a}, is not UTF-8, and cannot be kept with a job: "
            "rename the folder"
        ) from None


def check_patterns(document: Document) -> None:
    """Add which of the metrics are no regexes."""
    sections = [("metrics",), *((SECTION, name, "metrics") for name in _algorithms(document))]
    for at in sections:
        metrics = document.value(at)
        for name, regex in metrics.items() if isinstance(metrics, dict) else ():
            if isinstance(regex, str) and regex and (problem := pattern_problem(regex)):
                document.problem((*at, name), f"`{dotted((*at, name))}` is `{regex}`; {problem}")


def check_options(document: Document, strategy: OtherStrategy) -> None:
    """Add which options another package's strategy has not, and which it misses: no model knows them."""
    options = strategy.model_dump(exclude={"name"})
    for option, problem in strategies.refused(strategy.name, options).items():
        at = ("strategy", option) if option else ("strategy",)
        document.problem(at, problem, of_key=bool(option))


def launcher_options(document: Document) -> dict[str | None, BaseModel] | None:
    """Return the launcher's options of each algorithm, or of a job without them, under None.

    None, and the mistakes, where any are wrong.
    """
    model = _options_model(document)
    if model is None:
        return None
    found: dict[str | None, BaseModel | None] = {
        name: document.validate_over(model, (SECTION, name, "launcher"), base=("launcher",), without={"kind"})
        for name in _algorithms(document)
    } or {None: document.validate(model, at="launcher", without={"kind"})}
    options = {name: each for name, each in found.items() if each is not None}
    return options if len(options) == len(found) else None


def place_of(document: Document, algorithm: str | None, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Return where in a spec a key stands that one algorithm sees at a path: its own, or the job's."""
    own = document.value((SECTION, algorithm)) if algorithm is not None else None
    is_its = isinstance(own, dict) and is_own(path, own)
    return (SECTION, algorithm or "", *path) if is_its else path


def _algorithms(document: Document) -> list[str]:
    algorithms = document.value(SECTION)
    return list(algorithms) if isinstance(algorithms, dict) else []


def _options_model(document: Document) -> type[BaseModel] | None:
    """Return the model of the launcher's options; None, and a mistake, where there is no such launcher."""
    kind = document.value("launcher.kind") or "process"
    try:
        return launchers.options_model(str(kind))
    except UsageError as error:
        if not document.has_problem("launcher.kind"):
            document.problem("launcher.kind", str(error))
        return None


def learners_told(
    document: Document, options: Mapping[str | None, BaseModel] | None
) -> dict[str | None, str]:
    """Return which learners of the library the launcher's options tell, by algorithm, or under None."""
    kind = str(document.value("launcher.kind") or "process")
    told = {name: launchers.learner(kind, each) for name, each in (options or {}).items()}
    return {name: learner for name, learner in told.items() if learner is not None}
