"""A spec that was found right, and everything that is made of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import BaseModel, JsonValue

from hpo.core.budget import fits
from hpo.core.feasibility import required
from hpo.core.plan import launch_of
from hpo.core.prior import NO_PRIOR, Prior
from hpo.core.repeats import ONE_RUN, Repeats, Score
from hpo.core.settings import Goal, Objective, Running, Settings, Take
from hpo.core.trial import Trial
from hpo.errors import LauncherError, UsageError
from hpo.launchers import registry as launchers
from hpo.launchers.launcher import JobContext, Launcher, Obstacle, silent
from hpo.metrics.regex import pattern_warnings
from hpo.search import registry as strategies
from hpo.search.median import MedianStopping
from hpo.search.strategy import Strategy
from hpo.spec.autotune import Chosen, choose
from hpo.spec.document import Document
from hpo.spec.feasible import completed
from hpo.spec.load import schema, spec_of
from hpo.spec.models import Spec
from hpo.spec.nodes import dotted
from hpo.spec.objectives import OneOfSeveral
from hpo.spec.repeats import repeats_options
from hpo.spec.space import Scalar, Space
from hpo.spec.stopping import median_rule
from hpo.spec.strategies import OtherStrategy
from hpo.store.home import state_folder
from hpo.wiring.checks import check_base, check_options, check_patterns, learner_told, options_model
from hpo.wiring.parents import prior_of, prior_warnings
from hpo.wiring.space_warnings import space_warnings

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
    prior: Prior = NO_PRIOR  # what a job of it begins with: a new one as the parents are now

    def settings(self, job: str) -> Settings:
        """Return what the state machine must know of the spec."""
        spec, limits, stop = self.spec, self.spec.limits, self.spec.stop_when
        return Settings(
            job=job,
            objective=_objective(spec.objective, step=spec.objective.step),
            max_jobs=limits.max_jobs,
            max_parallel_jobs=limits.max_parallel_jobs,
            max_runtime=limits.max_runtime,
            max_job_runtime=limits.max_job_runtime,
            launcher_ends_runs=launchers.ends_runs(spec.launcher.kind),
            max_failures=limits.max_failures,
            target=stop.target,
            not_improving_for=stop.not_improving_for,
            converged=stop.converged,
            running=Running(stop.running),
            stops_early=spec.strategy.name == "hyperband" or median_rule(spec.early_stopping) is not None,
            attempts=spec.retry.attempts,
            max_cost=limits.max_cost,
            worst_cost=self.worst_cost,
            repeats=self.repeats,
            others=tuple(map(_objective, spec.objectives[1:])),
            require=tuple(required(text, spec.metrics) for text in spec.require),
        )

    @property
    def repeats(self) -> Repeats:
        """What each trial is made of: one run, or one for each of the seeds from 1 on."""
        if self.spec.repeats is None:
            return ONE_RUN
        given = repeats_options(self.spec.repeats)
        return Repeats(given.seed_name, tuple(range(1, given.count + 1)), Score(given.score))

    def default(self) -> dict[str, Scalar]:
        """Return the configuration of defaults, where there are any, and else of mid-range values."""
        return completed(self.space, {})

    def strategy(self, seed: int) -> Strategy:
        """Build the strategy."""
        settings = self.settings(self.spec.name)
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
        rule = median_rule(self.spec.early_stopping)
        if rule is None:
            return strategy
        return MedianStopping(strategy, min_trials=rule.min_trials, min_steps=rule.min_steps)

    def launcher(self, job: str, folder: Path) -> Launcher:
        """Build the launcher for a job's folder."""
        return launchers.build(self.spec.launcher.kind, self._context(job, folder), self.options)

    def remove_runs(self, job: str, folder: Path) -> None:
        """Remove what a job's runs have left outside of its folder. Raises LauncherError."""
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
        found = [
            f"metrics.{name}: {warning}"
            for name, regex in self.spec.metrics.items()
            for warning in pattern_warnings(regex)
        ]
        found += space_warnings(self.space, self.spec)
        if self.spec.objectives and isinstance(self.spec.strategy, OtherStrategy):
            name, first = self.spec.strategy.name, self.spec.objective.metric
            found.append(
                f"strategy: {name}, of another package, may tune for the first objective, {first}, alone"
            )
        return [*found, *prior_warnings(self.prior, self.spec.strategy.name)]

    def longest_seconds(self) -> float | None:
        """Return how long the job can take at most; None where its limits do not say."""
        limits = self.spec.limits
        rounds = math.ceil(limits.max_jobs / limits.max_parallel_jobs) * self.repeats.count
        bounds = [
            limits.max_runtime,
            rounds * limits.max_job_runtime if limits.max_job_runtime is not None else None,
        ]
        return min((bound for bound in bounds if bound is not None), default=None)

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

    def with_cost(self) -> Prepared:
        """Return this with what a run costs, where `limits.max_cost` needs that.

        Raises UsageError where it is not known, or one trial can cost more, and LauncherError.
        """
        limit = self.spec.limits.max_cost
        if limit is None:
            return replace(self, worst_cost=None)
        worst = self.ask_worst_cost()
        if worst is None:
            way = "give the price of its machines an hour under `launcher.prices`, or "
            way = way if "prices" in type(self.options).model_fields else ""
            raise UsageError(
                f"it is {limit:g}, but what a run costs is not known to the {self.spec.launcher.kind} "
                f"launcher: {way}leave max_cost out"
            )
        count = self.repeats.count
        if not fits(limit, count * worst):
            runs = "one run" if count == 1 else f"the {count} runs of one trial"
            raise UsageError(
                f"it is {limit:g}, but {runs} can cost {count * worst:.2f}: raise it, or let runs take less "
                f"time with `limits.max_job_runtime`{self._longest_run()}"
            )
        return replace(self, worst_cost=worst)

    def _longest_run(self) -> str:
        longest = self.spec.limits.max_job_runtime
        return ", which is not given" if longest is None else f", which is {longest:g} seconds"

    def advise(self, log: bytes) -> str:
        """Return the metric doctor's words on a log without the objective, or without some of several."""
        import io

        from hpo.metrics.doctor import diagnose

        several = [each.metric for each in self.spec.objectives or (self.spec.objective,)]
        found = [diagnose(io.BytesIO(log), {each: self.spec.metrics[each]}, each) for each in several]
        unread = [each for each in found if not each.metrics[0].count]
        return "\n".join(dict.fromkeys(each.summary() for each in unread or found))


def _objective(objective: OneOfSeveral, *, step: str | None = None) -> Objective:
    return Objective(objective.metric, Goal(objective.goal), Take(objective.take), step)


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
    model = options_model(document)
    options = document.validate(model, at="launcher", without={"kind"}) if model else None
    chosen = choose(document, told=learner_told(document, options))
    spec = spec_of(document, strategies.names)
    if spec is not None and isinstance(spec.strategy, OtherStrategy):
        check_options(document, spec.strategy)
    check_patterns(document)
    if spec is None or options is None:
        document.raise_problems()
        raise AssertionError("what is not valid has problems")
    prepared = Prepared(
        spec=spec,
        options=options,
        space=spec.space(),
        text=document.merged(),
        digest=document.digest(without={*CHANGEABLE, "name"}),
        base=base,
        chosen=chosen,
        say=say,
    )
    if isinstance(spec.strategy, OtherStrategy) and not document.problems:
        try:
            prepared.strategy(seed=0)
        except UsageError as error:
            document.problem("strategy", str(error))
    if check_launch:
        for obstacle in prepared.check():
            document.problem(obstacle.path, f"`{dotted(obstacle.path)}`: {obstacle.message}")
        if is_begun is None or not is_begun(spec):
            prior = prior_of(document, spec, options=options, space=prepared.space, base=base, say=say)
            prepared = replace(prepared, prior=prior)
    document.raise_problems()
    return _with_cost(document, prepared) if check_launch else prepared


def _with_cost(document: Document, prepared: Prepared) -> Prepared:
    """Find out what a run costs, where that is limited. Raises SpecError."""
    try:
        return prepared.with_cost()
    except (UsageError, LauncherError) as error:
        document.problem(("limits", "max_cost"), f"`limits.max_cost`: {error}")
        document.raise_problems()
        raise


def json_schema() -> dict[str, JsonValue]:
    """Return the JSON Schema of a spec, with the options of every launcher."""
    return schema({kind: launchers.options_model(kind) for kind in launchers.names()})
