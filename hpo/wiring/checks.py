"""What of a spec no model of it checks."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from hpo.errors import UsageError
from hpo.launchers import registry as launchers
from hpo.metrics.regex import pattern_problem
from hpo.search import registry as strategies
from hpo.spec.document import Document
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
    metrics = document.value("metrics")
    for name, regex in metrics.items() if isinstance(metrics, dict) else ():
        if isinstance(regex, str) and regex and (problem := pattern_problem(regex)):
            document.problem(("metrics", name), f"`metrics.{name}` is `{regex}`; {problem}")


def check_options(document: Document, strategy: OtherStrategy) -> None:
    """Add which options another package's strategy has not, and which it misses: no model knows them."""
    options = strategy.model_dump(exclude={"name"})
    for option, problem in strategies.refused(strategy.name, options).items():
        at = ("strategy", option) if option else ("strategy",)
        document.problem(at, problem, of_key=bool(option))


def options_model(document: Document) -> type[BaseModel] | None:
    """Return the model of the launcher's options; None, and a mistake, where there is no such launcher."""
    kind = document.value("launcher.kind") or "process"
    try:
        return launchers.options_model(str(kind))
    except UsageError as error:
        if not document.has_problem("launcher.kind"):
            document.problem("launcher.kind", str(error))
        return None


def learner_told(document: Document, options: BaseModel | None) -> str | None:
    """Return which learner of the library the launcher's options tell; None where they tell none."""
    kind = document.value("launcher.kind") or "process"
    return None if options is None else launchers.learner(str(kind), options)
