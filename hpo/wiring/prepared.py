"""A spec that was found right, and everything that is made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import BaseModel

from hpo.core.plan import launch_of
from hpo.core.prior import NO_PRIOR, Prior, Priors
from hpo.core.repeats import Repeats
from hpo.core.settings import Settings
from hpo.core.trial import Trial
from hpo.errors import LauncherError, UsageError
from hpo.launchers import registry as launchers
from hpo.launchers.algorithms import AlgorithmsLauncher
from hpo.launchers.launcher import JobContext, Launcher, Obstacle, silent
from hpo.search import registry as strategies
from hpo.search.algorithms import Algorithms, Searched
from hpo.search.early_stopping import with_early_stopping
from hpo.search.hints import evidence_of
from hpo.search.strategy import Strategy
from hpo.spec.autotune import Chosen, choose
from hpo.spec.document import Document
from hpo.spec.feasible import completed
from hpo.spec.load import spec_of
from hpo.spec.models import Spec
from hpo.spec.nodes import dotted
from hpo.spec.space import Scalar, Space
from hpo.spec.stopping import stopping_rule
from hpo.spec.strategies import OtherStrategy
from hpo.store.home import state_folder
from hpo.wiring.affordable import worst_cost_within
from hpo.wiring.checks import (
    check_base,
    check_options,
    check_patterns,
    launcher_options,
    learners_told,
    place_of,
)
from hpo.wiring.parent_reader import beginners
from hpo.wiring.parents import prior_warnings, priors_of
from hpo.wiring.settings import repeats_of, settings_of
from hpo.wiring.space_warnings import space_warnings
from hpo.wiring.spec_warnings import regex_warnings, strategy_warnings

CHANGEABLE = ("limits", "stop_when", "retry")
"""What of a spec may change after its job has begun."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A spec that was found right, with everything that is made of it."""

    spec: Spec
    options: BaseModel  # the launcher's
    space: Space
    text: str  # the effective spec, as YAML
    digest: str
    base: Path  # the spec's folder
    chosen: Chosen | None = None  # what `parameters: auto` was written out to
    say: Callable[[str], None] = field(default=silent, compare=False)  # tells the user what takes a while
    worst_cost: float | None = None  # of one run; asked for where the spec has a max_cost
    priors: Priors = field(default_factory=dict)  # what its job begins with: a new one as parents are now
    algorithms: Mapping[str, Prepared] = field(default_factory=dict)  # of several, each as if it were alone

    @property
    def parts(self) -> Mapping[str | None, Prepared]:
        """What is searched, each with a space of its own: the algorithms, or the job itself as None."""
        return dict[str | None, Prepared](self.algorithms.items()) or {None: self}

    @property
    def prior(self) -> Prior:
        """What it begins with, where it has not several algorithms."""
        return self.priors.get(None, NO_PRIOR)

    def begun_with(self, priors: Priors) -> Prepared:
        """Return it for a job whose parents were read, each part with what is its own of them."""
        parts = {
            name: replace(part, priors={None: priors.get(name, NO_PRIOR)})
            for name, part in self.algorithms.items()
        }
        return replace(self, priors=priors, algorithms=parts)

    def taken_over(self, base: Path, priors: Priors) -> Prepared:
        """Return it for a job that has begun: its paths count from that folder, and its parents were read."""
        parts = {name: replace(part, base=base) for name, part in self.algorithms.items()}
        return replace(self, base=base, algorithms=parts).begun_with(priors)

    @property
    def cardinality(self) -> int | None:
        """How many configurations there are in all; None for infinitely many, or more than can be counted."""
        counts = [part.space.cardinality for part in self.parts.values()]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None

    def settings(self, job: str) -> Settings:
        """Return what the state machine must know of the spec."""
        return settings_of(self.spec, job, worst_cost=self.worst_cost)

    @property
    def repeats(self) -> Repeats:
        """What each trial is made of: one run, or one for each of the seeds from 1 on."""
        return repeats_of(self.spec)

    def default(self) -> dict[str, Scalar]:
        """Return the configuration of defaults, where there are any, and else of mid-range values."""
        return completed(self.space, {})

    def strategy(self, seed: int) -> Strategy:
        """Build the strategy."""
        settings = self.settings(self.spec.name)
        if self.algorithms:
            return Algorithms(
                {
                    name: Searched(
                        part.strategy(seed),
                        len(part.spec.first_configurations()),
                        [values for _, values in evidence_of(part.space, part.prior)],
                    )
                    for name, part in self.algorithms.items()
                },
                max_jobs=settings.max_jobs,
                others=[objective.goal for objective in settings.others],
            )
        strategy = strategies.build(
            self.spec.strategy.name,
            space=self.space,
            seed=seed,
            objective=settings.objective,
            max_jobs=settings.max_jobs,
            prior=self.prior.within(self.space),
            options=self.spec.strategy.model_dump(exclude={"name"}),
            initial=self.spec.first_configurations(),
            others=settings.others,
        )
        return with_early_stopping(strategy, stopping_rule(self.spec.early_stopping))

    def launcher(self, job: str, folder: Path) -> Launcher:
        """Build the launcher for a job's folder."""
        if self.algorithms:
            own = {name: part.launcher(job, folder) for name, part in self.algorithms.items()}
            return AlgorithmsLauncher(own)
        return launchers.build(self.spec.launcher.kind, self._context(job, folder), self.options)

    def remove_runs(self, job: str, folder: Path) -> None:
        """Remove what a job's runs have left outside of its folder. Raises LauncherError."""
        for part in self.algorithms.values():
            part.remove_runs(job, folder)
        if not self.algorithms:
            launchers.remove_all(self.spec.launcher.kind, self._context(job, folder), self.options)

    def _context(self, job: str, folder: Path) -> JobContext:
        return JobContext(
            job=job,
            folder=folder,
            base=self.base,
            state=state_folder(),
            max_parallel_jobs=self.spec.limits.max_parallel_jobs,
            fixed=self.spec.fixed,
            inputs=self.spec.inputs,
            metrics=self.spec.metrics,
            last_values=self._last_values,
            max_job_runtime=self.spec.limits.max_job_runtime,
            max_cost=self.spec.limits.max_cost,
            say=self.say,
        )

    def _last_values(self, log: bytes) -> Mapping[str, float]:
        """Return the last value of each metric in a piece of log."""
        from hpo.metrics.scan import compile_metrics

        return {match.metric: match.value for match in compile_metrics(self.spec.metrics).scan(log).matches}

    def warnings(self) -> list[str]:
        """Return what is allowed, but probably not meant."""
        spec = self.spec
        return [
            *regex_warnings(spec),
            *space_warnings(
                spec.limits, {name: (part.space, part.spec) for name, part in self.parts.items()}
            ),
            *strategy_warnings(spec),
            *prior_warnings(self.priors, list(spec.algorithms), spec.strategy.name),
        ]

    def request(self, trial: Trial) -> str:
        """Return exactly what the launcher would be asked for."""
        launch = launch_of(self.settings(self.spec.name), trial)
        return self._launcher_of_a_new_job().request(launch)

    def check(self) -> Sequence[Obstacle]:
        """Return what would keep every run from starting."""
        return self._launcher_of_a_new_job().check()

    def ask_worst_cost(self) -> float | None:
        """Return what one run can cost at the most, in USD; None where nothing is charged, or no price known.

        Raises LauncherError.
        """
        return self._launcher_of_a_new_job().worst_cost()

    def _launcher_of_a_new_job(self) -> Launcher:
        return self.launcher(self.spec.name, state_folder() / "jobs" / self.spec.name)

    def advise(self, log: bytes) -> str:
        """Return the metric doctor's words on a log without the objective, or without some of several."""
        from hpo.metrics.doctor import advice

        objectives = self.spec.objectives or (self.spec.objective,)
        return advice(log, {each.metric: self.spec.metrics[each.metric] for each in objectives})


def prepare(
    given: Sequence[Path | Mapping[str, object]],
    *,
    overrides: Sequence[str] = (),
    base: Path | None = None,
    check_launch: bool = True,
    is_begun: Callable[[Spec], bool] | None = None,
    say: Callable[[str], None] = silent,
) -> Prepared:
    """Read a spec, a file or a mapping, with its overlays and overrides, and check all of it.

    Relative paths count from `base`, by default the spec's folder, for a mapping the working directory.
    `check_launch` also looks whether the program, the inputs and the like are there, and reads the parents,
    unless `is_begun` says that there is such a job: that has read its own. Raises SpecError with every
    mistake, and UsageError for a base whose name is not UTF-8.
    """
    base = base or (given[0].absolute().parent if isinstance(given[0], Path) else Path.cwd())
    check_base(base)
    document = Document.read(given, overrides=overrides)
    options = launcher_options(document)
    chosen = choose(document, told=learners_told(document, options))
    spec = spec_of(document, strategies.names)
    if spec is not None and isinstance(spec.strategy, OtherStrategy):
        check_options(document, spec.strategy)
    check_patterns(document)
    if spec is None or options is None:
        document.raise_problems()
        raise AssertionError("what is not valid has problems")
    prepared = _put_together(document, spec, options, chosen, base=base, say=say)
    if isinstance(spec.strategy, OtherStrategy) and not document.problems:
        try:
            prepared.strategy(seed=0)
        except UsageError as error:
            document.problem("strategy", str(error))
    if check_launch:
        prepared = _ready_to_launch(document, prepared, is_begun=is_begun is not None and is_begun(spec))
    document.raise_problems()
    return prepared


def _ready_to_launch(document: Document, prepared: Prepared, *, is_begun: bool) -> Prepared:
    """Look whether all is there, read a new job's parents, and ask what a run costs. Raises SpecError."""
    for name, part in prepared.parts.items():
        for obstacle in part.check():
            path = place_of(document, name, obstacle.path)
            document.problem(path, f"`{dotted(path)}`: {obstacle.message}")
    if not is_begun:
        prepared = prepared.begun_with(priors_of(document, beginners(document, prepared.parts)))
    document.raise_problems()
    try:
        return replace(prepared, worst_cost=worst_cost_within(prepared))
    except (UsageError, LauncherError) as error:
        document.problem(("limits", "max_cost"), f"`limits.max_cost`: {error}")
        document.raise_problems()
        raise


def _put_together(
    document: Document,
    spec: Spec,
    options: Mapping[str | None, BaseModel],
    chosen: Mapping[str | None, Chosen],
    *,
    base: Path,
    say: Callable[[str], None],
) -> Prepared:
    """Make a spec's parts; the options of a job of several algorithms are those of the first one."""
    whole = Prepared(
        spec=spec,
        options=next(iter(options.values())),
        space=spec.space(),
        text=document.merged(),
        digest=document.digest(without={*CHANGEABLE, "name"}),
        base=base,
        chosen=chosen.get(None),
        say=say,
    )
    alone = {name: spec.alone(name) for name in spec.algorithms}
    parts = {
        name: replace(whole, spec=one, options=options[name], space=one.space(), chosen=chosen.get(name))
        for name, one in alone.items()
    }
    return replace(whole, algorithms=parts)
