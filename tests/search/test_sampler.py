"""The engine as a sampler for Optuna studies."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import timedelta
from statistics import median

import optuna
import pytest

from hpo.search.bayesian.choices import Choices, ImprovementPer
from hpo.search.bayesian.sampler import BayesianSampler
from hpo.spec.conditions import Condition
from hpo.spec.space import Categorical, Continuous, Space


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    yield
    optuna.logging.set_verbosity(verbosity)


def bowl(trial: optuna.Trial) -> float:
    x = trial.suggest_float("x", 1e-4, 1.0, log=True)
    n = trial.suggest_int("n", 2, 20, step=2)
    kind = trial.suggest_categorical("kind", ["a", "b"])
    return float((x - 0.01) ** 2 * 1e3 + abs(n - 8) + (kind == "b"))


def test_it_finds_more_than_random_search_in_a_study_of_the_user_s() -> None:
    def typical(make: type[optuna.samplers.BaseSampler]) -> float:
        found = []
        for seed in range(5):
            study = optuna.create_study(sampler=make(seed=seed))  # type: ignore[call-arg]
            study.optimize(bowl, n_trials=30)
            found.append(study.best_value)
        return median(found)

    assert typical(BayesianSampler) < 0.5 * typical(optuna.samplers.RandomSampler)


def test_maximized_and_minimized_studies_are_one() -> None:
    def values(direction: optuna.study.StudyDirection, sign: float) -> list[dict[str, object]]:
        study = optuna.create_study(sampler=BayesianSampler(3), direction=direction)
        study.optimize(lambda trial: sign * bowl(trial), n_trials=14)
        return [trial.params for trial in study.trials]

    directions = optuna.study.StudyDirection
    assert values(directions.MINIMIZE, 1.0) == values(directions.MAXIMIZE, -1.0)


def test_running_failed_and_pruned_trials_are_told_apart() -> None:
    study = optuna.create_study(sampler=BayesianSampler(1))
    for place in range(12):
        trial = study.ask()
        value = bowl(trial)
        match place % 4:
            case 0:
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
            case 1:
                trial.report(value, 1)
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            case _:
                study.tell(trial, value)
    asked = set()
    for _ in range(4):
        running = study.ask()
        bowl(running)
        asked.add(tuple(running.params.values()))
    assert len(asked) == 4


def test_a_space_s_conditional_parameters_are_sampled_together() -> None:
    space = Space(
        (Categorical("kind", ("sgd", "adam")), Continuous("momentum", 0.0, 1.0), Continuous("x", 0.0, 1.0)),
        {"momentum": (Condition("kind", ("sgd",)),)},
    )

    def objective(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", 0.0, 1.0)
        if trial.suggest_categorical("kind", ["sgd", "adam"]) == "adam":
            return 1.0 + x
        return abs(trial.suggest_float("momentum", 0.0, 1.0) - 0.9) + x

    study = optuna.create_study(sampler=BayesianSampler(2, space=space))
    study.optimize(objective, n_trials=30)
    assert study.best_value < 0.1
    assert study.best_params["kind"] == "sgd"


def test_a_resumed_study_goes_on_as_the_uninterrupted_one() -> None:
    whole = optuna.create_study(sampler=BayesianSampler(5))
    whole.optimize(bowl, n_trials=14)
    resumed = optuna.create_study()
    resumed.add_trials(whole.trials[:11])
    resumed.sampler = BayesianSampler(5)
    resumed.optimize(bowl, n_trials=3)
    assert [trial.params for trial in resumed.trials] == [trial.params for trial in whole.trials]


def test_the_short_trials_of_a_study_are_preferred_where_improvement_counts_per_second() -> None:
    def short(choices: Choices) -> int:
        """Return how many of ten samples lie where trials are short, with as good values on both sides."""
        distributions: dict[str, optuna.distributions.BaseDistribution] = {
            name: optuna.distributions.FloatDistribution(0.0, 1.0) for name in "xy"
        }
        study = optuna.create_study(sampler=BayesianSampler(1, choices=choices))
        for number in range(8):
            x, y = number / 8 + 0.05, number * 3 % 8 / 8
            params = {"x": x, "y": y}
            trial = optuna.trial.create_trial(
                params=params, distributions=distributions, value=(abs(x - 0.5) - 0.3) ** 2 + (y - 0.4) ** 2
            )
            assert trial.datetime_start is not None
            trial.datetime_complete = trial.datetime_start + timedelta(seconds=1.0 if x < 0.5 else 60.0)
            study.add_trial(trial)
        return sum(study.ask(distributions).params["x"] < 0.5 for _ in range(10))

    assert short(Choices(improvement_per=ImprovementPer.SECOND)) >= 8
    assert short(Choices()) <= 7


def test_several_objectives_are_refused() -> None:
    study = optuna.create_study(sampler=BayesianSampler(), directions=["minimize", "maximize"])
    study.add_trial(
        optuna.trial.create_trial(
            params={"x": 0.5},
            distributions={"x": optuna.distributions.FloatDistribution(0.0, 1.0)},
            values=[1.0, 2.0],
        )
    )
    with warnings.catch_warnings(), pytest.raises(ValueError, match="one objective"):
        study.ask({"x": optuna.distributions.FloatDistribution(0.0, 1.0)})
