"""hpo's strategies by ask and tell, for whoever drives the trials: a harness, a notebook, another tuner."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial

from hpo.core.history import History
from hpo.core.settings import Goal, Objective
from hpo.core.trial import Reason, Run, RunState, Trial, TrialStatus
from hpo.search.bayesian.choices import Choices
from hpo.search.bayesian.model import Model
from hpo.search.bayesian.strategy import Bayesian
from hpo.search.registry import build
from hpo.search.strategy import SearchContext, Strategy
from hpo.spec.space import Space, Values

OBJECTIVE = Objective("loss", Goal.MINIMIZE)


class AskAndTell:
    """A strategy with its history: every trial that was asked for and not told yet counts as running.

    Losses are minimized, of each of the objectives. `trials` is how many are planned; more may be asked for.
    `options` are the strategy's.
    """

    def __init__(
        self,
        space: Space,
        *,
        seed: int,
        trials: int,
        strategy: str = "bayesian",
        objectives: int = 1,
        **options: object,
    ) -> None:
        self._history = History(OBJECTIVE)
        self._strategy: Strategy = build(
            strategy,
            space=space,
            seed=seed,
            objective=OBJECTIVE,
            max_jobs=trials,
            options=options,
            others=[replace(OBJECTIVE, metric=f"loss-{place}") for place in range(1, objectives)],
        )

    @property
    def history(self) -> History:
        """Every trial so far."""
        return self._history

    def ask(self) -> tuple[int, Values]:
        """Return a new trial's number, from 1, and its values: those of the active parameters.

        Raises LookupError where the whole space has been tried.
        """
        number = len(self._history.trials) + 1
        proposal = self._strategy.propose(self._history, number)
        if proposal is None:
            raise LookupError("every configuration of the space has been tried")
        self._history.record(Trial(number, proposal.params, proposal.proposed_by, TrialStatus.RUNNING))
        return number, proposal.params

    def tell(self, number: int, value: float | None, *others: float, seconds: float | None = None) -> None:
        """End a trial with its loss, or that of each objective; None says that it failed.

        `seconds` is how long it ran, for a strategy that weighs that.
        """
        trial = self._history.trials[number]
        if seconds is not None:
            state = RunState.FAILED if value is None else RunState.SUCCEEDED
            trial = replace(trial, runs=(Run(1, state, started=0.0, ended=seconds),))
        if value is None:
            ended = replace(trial, status=TrialStatus.FAILED, reason=Reason.EXIT_STATUS)
        else:
            ended = replace(trial, status=TrialStatus.COMPLETED, value=value, others=others)
        self._history.record(ended)


class Switched(AskAndTell):
    """The Bayesian strategy with other choices than those that measured best."""

    def __init__(self, space: Space, *, seed: int, trials: int, choices: Choices) -> None:
        super().__init__(space, seed=seed, trials=trials)
        self._strategy = _Switched(SearchContext(space, seed, OBJECTIVE, trials), choices)


class _Switched(Bayesian):
    def __init__(self, context: SearchContext, choices: Choices) -> None:
        super().__init__(context)
        self._model = lru_cache(maxsize=1)(partial(Model, context, choices=choices))
