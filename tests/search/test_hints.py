"""Parents of a transfer: where they say to begin, and how far they are believed."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from hpo.core.history import History
from hpo.core.inherit import Heir, inherit
from hpo.core.prior import NO_PRIOR, Parent, PastTrial, Prior, WarmStart
from hpo.core.settings import Goal, Objective
from hpo.core.trial import Trial, TrialStatus
from hpo.search.bayesian.encoding import Encoding
from hpo.search.bayesian.parents import Parents
from hpo.search.hints import ENOUGH, LEAST, Hints
from hpo.search.registry import build
from hpo.spec.space import Categorical, Continuous, Scalar, Space, Values

SPACE = Space((Continuous("x", 0.0, 1.0), Continuous("y", 0.0, 1.0), Categorical("kind", ("a", "b"))))


def loss(values: Values) -> float:
    x, y = values["x"], values["y"]
    assert isinstance(x, float)
    assert isinstance(y, float)
    return (x - 0.3) ** 2 + (y - 0.8) ** 2 + (values["kind"] == "b")


def drawn(seed: int, count: int) -> list[dict[str, Scalar]]:
    random = Random(seed)
    return [SPACE.from_unit([random.random() for _ in SPACE]) for _ in range(count)]


def parents(*signs: float, count: int = 30) -> Prior:
    """Return parents whose values are the loss times a sign, on a scale of their own."""
    found = []
    for index, sign in enumerate(signs):
        trials = [
            PastTrial(f"p{index}", n, v, 7 + 100 * sign * loss(v)) for n, v in enumerate(drawn(index, count))
        ]
        found.append(Parent(f"p{index}", tuple(trials)))
    return inherit(Heir(WarmStart.TRANSFER, SPACE, {}), found)


def results(count: int) -> History:
    history = History(Objective("loss", Goal.MINIMIZE))
    for number, values in enumerate(drawn(99, count), 1):
        history.record(Trial(number, values, "random"))
        history.record(Trial(number, values, "random", TrialStatus.COMPLETED, value=loss(values)))
    return history


def hints(prior: Prior) -> Hints:
    return Hints(SPACE, prior, Goal.MINIMIZE)


def test_the_start_is_the_parents_best_points_apart_and_random_ones_in_turn() -> None:
    prior, history = parents(1.0), results(0)
    suggested = [hints(prior).start(history, number) for number in range(1, 7)]
    assert [suggestion is None for suggestion in suggested] == [False, True] * 3
    best = min(prior.trials, key=lambda trial: trial.past.value)
    assert suggested[0] is not None
    assert suggested[0].values == best.params
    assert suggested[0].words == f"parent: trial {best.past.number} of p0"
    assert len({str(s.values) for s in suggested if s is not None}) == 3


def test_several_parents_begin_in_turn() -> None:
    suggested = [hints(parents(1.0, -1.0)).start(results(0), number) for number in (1, 3)]
    assert {s.words.rpartition(" of ")[2] for s in suggested if s is not None} == {"p0", "p1"}


@pytest.mark.parametrize("count", [LEAST, 10, ENOUGH - 1])
def test_a_parent_is_believed_as_far_as_it_agrees(count: int) -> None:
    history = results(count)
    assert hints(parents(1.0)).trust(history)[0] > 0.2
    assert hints(parents(-1.0)).trust(history) == [0.0]
    assert hints(parents(-1.0)).start(history, count + 1 + count % 2) is None


@pytest.mark.parametrize("count", [0, LEAST - 1, ENOUGH, ENOUGH + 20])
def test_it_is_not_believed_without_results_and_not_asked_once_there_are_enough(count: int) -> None:
    assert hints(parents(1.0)).trust(results(count)) == [0.0]


def test_of_two_parents_the_one_that_misleads_says_nothing() -> None:
    agrees, misleads = hints(parents(1.0, -1.0)).trust(results(12))
    assert agrees > 0.2
    assert misleads == 0.0


def expected(prior: Prior, trust: list[float], space: Space = SPACE) -> list[float]:
    """Return what parents expect at a good point and at two that are bad, each in a way of its own."""
    encoding = Encoding(space)
    points: list[Values] = [
        {"x": 0.3, "y": 0.8, "kind": "a"},
        {"x": 0.95, "y": 0.1, "kind": "a"},
        {"x": 0.3, "y": 0.8, "kind": "b"},
    ]
    located = np.stack([encoding.point({"z": 0.1, **values}) for values in points])
    mean = Parents(encoding, Hints(space, prior, Goal.MINIMIZE).orders).mean(trust)
    return [float(value) for value in mean(encoding.features(located))]


def test_what_a_parent_expects_is_what_its_trials_say_on_a_scale_of_its_own() -> None:
    good, far, other = expected(parents(1.0), [1.0])
    assert good < -1.0 < 0.0 < min(far, other)
    assert expected(parents(1.0), [0.5]) == pytest.approx([0.5 * value for value in (good, far, other)])


def test_parents_are_heard_as_far_as_each_is_believed() -> None:
    assert expected(parents(1.0, -1.0), [0.4, 0.0]) == pytest.approx(expected(parents(1.0), [0.4]))
    assert expected(parents(1.0, -1.0), [0.0, 0.0]) == [0.0, 0.0, 0.0]
    assert expected(NO_PRIOR, []) == [0.0, 0.0, 0.0]


def test_nothing_is_expected_of_a_parameter_that_a_parent_had_not() -> None:
    wider = Space((*SPACE, Continuous("z", 0.0, 1.0)))
    known = parents(1.0)
    trials = tuple(trial.past for trial in known.trials)
    prior = inherit(Heir(WarmStart.TRANSFER, wider, {}), [Parent("p0", trials)])
    assert expected(prior, [1.0], wider) == pytest.approx(expected(known, [1.0]))


def best_of(prior: Prior, seed: int, *, trials: int = 15) -> float:
    objective = Objective("loss", Goal.MINIMIZE)
    strategy = build("bayesian", space=SPACE, seed=seed, objective=objective, max_jobs=30, prior=prior)
    history = History(objective)
    for number in range(1, trials + 1):
        proposal = strategy.propose(history, number)
        assert proposal is not None
        trial = Trial(number, proposal.params, proposal.proposed_by)
        history.record(trial)
        history.record(replace(trial, status=TrialStatus.COMPLETED, value=loss(proposal.params)))
    return min(trial.value or 0.0 for trial in history.trials.values())


def test_acceptance_17_a_good_parent_helps_and_an_inverted_one_costs_little() -> None:
    def typical(prior: Prior, trials: int = 15) -> float:
        return sorted(best_of(prior, seed, trials=trials) for seed in range(11))[5]

    alone = typical(NO_PRIOR)
    assert typical(parents(1.0)) < 0.5 * alone
    assert typical(parents(-1.0), trials=17) <= 1.3 * alone


@pytest.mark.parametrize("seed", range(5))
def test_an_identical_start_begins_where_its_parents_have_not_been(seed: int) -> None:
    trials = tuple(PastTrial("p", n, {**v, "kind": "b"}, loss(v)) for n, v in enumerate(drawn(seed, 20)))
    prior = inherit(Heir(WarmStart.IDENTICAL, SPACE, {}), [Parent("p", trials)])
    objective = Objective("loss", Goal.MINIMIZE)
    strategy = build("bayesian", space=SPACE, seed=seed, objective=objective, max_jobs=30, prior=prior)
    proposals = [strategy.propose(History(objective), number) for number in (1, 2, 3)]
    assert [proposal and proposal.params["kind"] for proposal in proposals] == ["a"] * 3
    assert len({str(proposal and proposal.params) for proposal in proposals}) == 3
