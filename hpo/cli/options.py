"""Options and arguments that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hpo.errors import GateNotMet, UsageError
from hpo.plugins import instead
from hpo.store.home import job_names

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Command = TypeVar("Command", bound=Callable[..., Any])


class JobName(click.ParamType[str]):
    """A job's name, completed from the jobs here."""

    name = "name"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the jobs that begin like this."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(name) for name in job_names() if name.startswith(incomplete)]


def job_argument(command: Command) -> Command:
    """Take the job's name."""
    return click.argument("name", type=JobName())(command)


def spec_options(command: Command) -> Command:
    """Take a spec, overlays and single values."""
    for option in (
        click.option(
            "--set",
            "overrides",
            multiple=True,
            metavar="KEY=VALUE",
            help="Override one value of the spec: --set limits.max_jobs=5.",
        ),
        click.option(
            "-c",
            "--config",
            "overlays",
            multiple=True,
            metavar="FILE",
            type=click.Path(path_type=Path),
            help="Overlay the spec with another YAML file, key by key.",
        ),
        click.argument("spec", type=click.Path(path_type=Path)),
    ):
        command = option(command)
    return command


def json_option(command: Command) -> Command:
    """Take --json."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")(command)


def algorithm_option(command: Command) -> Command:
    """Take --algorithm."""
    return click.option("--algorithm", metavar="NAME", help="Of several algorithms only this one.")(command)


def known_algorithm(wanted: str, known: Sequence[str]) -> str:
    """Return the name of one of several algorithms. Raises UsageError where there is none of that name."""
    if wanted in known:
        return wanted
    if not known:
        raise UsageError(f"--algorithm {wanted}: there are not several algorithms; leave it out")
    raise UsageError(f"--algorithm {wanted}: there is no such algorithm; {instead(wanted, list(known))}")


def gate_option(command: Command) -> Command:
    """Take --fail-if."""
    return click.option(
        "--fail-if",
        "gate",
        metavar="CONDITION",
        callback=lambda _ctx, _param, text: None if text is None else Gate(text),
        help="Exit with 3 where the best value meets this: 'best < 0.9', or of several objectives "
        "'METRIC < 0.9'.",
    )(command)


class Gate:
    """A condition on the best value under which the command fails, as `best < 0.9`.

    Of several objectives it is one on the best value of a metric: `accuracy < 0.9`.
    """

    _FORM = re.compile(r"\s*(`[^`]+`|[^\s<>=]+)\s*(<=|>=|<|>)\s*(\S+)\s*")

    def __init__(self, text: str) -> None:
        matched = self._FORM.fullmatch(text)
        try:
            if matched is None:
                raise ValueError
            self._name = matched[1].strip("`")
            self._sign, self._bound = matched[2], float(matched[3])
        except ValueError:
            raise UsageError(f"--fail-if {text!r} is no condition; write it as 'best < 0.9'") from None

    def refuse_unknown(self, metrics: Sequence[str]) -> None:
        """Raise UsageError where it is about nothing that a job with these objectives has a best value of."""
        if len(metrics) == 1 and self._name != "best":
            raise UsageError(f"--fail-if: there is no `{self._name}`; write it as 'best < 0.9'")
        if len(metrics) > 1 and self._name not in metrics:
            raise UsageError(
                f"--fail-if: of several objectives there is no `{self._name}`; name one of them, "
                f"{', '.join(metrics)}, as in '{metrics[0]} < 0.9'"
            )

    def check(self, best: Mapping[str, float]) -> None:
        """Raise GateNotMet where the condition holds for the best values of these metrics."""
        self.refuse_unknown(list(best))
        value = best.get(self._name, next(iter(best.values())))
        fails = {
            "<": value < self._bound,
            "<=": value <= self._bound,
            ">": value > self._bound,
            ">=": value >= self._bound,
        }[self._sign]
        if fails:
            raise GateNotMet(
                f"the gate is not met: {self._name} is {value!r}, and {self._sign} {self._bound!r} fails"
            )
