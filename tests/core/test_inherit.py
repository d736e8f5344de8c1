"""From past trials to what a job begins with."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from hpo.core.inherit import Heir, inherit
from hpo.core.prior import Parent, ParentReport, PastTrial, Prior, WarmStart
from hpo.spec.scaling import Scaling
from hpo.spec.space import Categorical, Continuous, Integer, Scalar, Space, Values

SPACE = Space(
    (
        Continuous("rate", 1e-3, 1.0, Scaling.LOGARITHMIC),
        Integer("width", 8, 64, step=8),
        Categorical("kind", ("a", "b", None)),
    )
)
GIVEN: Values = {"rate": 0.1, "width": 16, "kind": "a"}


def past(number: int = 1, value: float = 0.5, job: str = "p", **changes: Scalar) -> PastTrial:
    params = {name: changes.get(name, known) for name, known in GIVEN.items()}
    return PastTrial(job, number, {**params, **changes}, value)


def other(change: Mapping[str, Scalar]) -> PastTrial:
    return PastTrial("p", 1, {**GIVEN, **change}, 0.5)


def without(name: str) -> PastTrial:
    return PastTrial("p", 1, {key: value for key, value in GIVEN.items() if key != name}, 0.5)


def begin(
    kind: WarmStart, *trials: PastTrial, fixed: Values | None = None, space: Space = SPACE
) -> tuple[Prior, ParentReport]:
    prior = inherit(Heir(kind, space, fixed or {}), [Parent("p", trials)])
    return prior, prior.reports[0]


both = pytest.mark.parametrize("kind", WarmStart)


@both
def test_values_get_the_types_of_the_space(kind: WarmStart) -> None:
    prior, report = begin(kind, past(rate=1, width=16.0, kind=None))
    assert report == ParentReport("p", trials=1, used=1)
    (trial,) = prior.trials
    assert trial.params is not None
    assert {name: (type(value), value) for name, value in trial.params.items()} == {
        "rate": (float, 1.0),
        "width": (int, 16),
        "kind": (type(None), None),
    }
    assert list(trial.params) == ["rate", "width", "kind"]


@both
@pytest.mark.parametrize("change", [{"rate": 2000.0}, {"width": 200}, {"kind": "c"}, {"rate": 0.0}])
def test_what_lies_outside_is_counted_and_kept(kind: WarmStart, change: Mapping[str, Scalar]) -> None:
    prior, report = begin(kind, other(change), past(2))
    assert (report.used, report.out_of_range, report.beyond) == (1, 1, 0)
    assert len(prior.used) == 1
    assert report.outside == dict.fromkeys(change, 1)
    assert prior.trials[0].params is None
    assert prior.trials[0].past == other(change)


@pytest.mark.parametrize("change", [{"rate": 2.0}, {"width": 72}, {"width": 21}, {"rate": 2e-6}])
def test_next_to_the_ranges_it_is_evidence_alone(change: Mapping[str, Scalar]) -> None:
    prior, report = begin(WarmStart.IDENTICAL, other(change), past(2))
    assert (report.used, report.out_of_range, report.beyond) == (1, 1, 1)
    assert (prior.trials[0].beyond, prior.trials[0].params) == (True, {**GIVEN, **change})
    assert [trial.past.number for trial in prior.used] == [2]


def test_of_narrowed_ranges_what_was_within_is_evidence_alone_or_no_hint_any_more() -> None:
    narrower = Space((Continuous("rate", 0.2, 1.0), *SPACE.parameters[1:]))
    for kind, beyond in ((WarmStart.IDENTICAL, True), (WarmStart.TRANSFER, False)):
        prior = begin(kind, past(), past(2, rate=0.5))[0].within(narrower)
        assert [trial.past.number for trial in prior.used] == [2]
        assert prior.trials[0].beyond is beyond
        assert (prior.trials[0].params is not None) is beyond
        assert prior.within(SPACE).trials[0].beyond is False


def test_between_two_steps_a_hint_goes_to_the_nearest() -> None:
    prior, report = begin(WarmStart.TRANSFER, past(width=21))
    assert prior.trials[0].params == {**GIVEN, "width": 24}
    assert report.used == 1


def test_a_parameter_that_was_not_there_is_assumed_in_the_middle_or_its_default_for_a_hint_alone() -> None:
    prior, report = begin(WarmStart.TRANSFER, without("width"), past(2))
    assert prior.trials[0].params == {**GIVEN, "width": 40}
    assert (report.used, dict(report.lacked)) == (2, {"width": 40})
    prior, report = begin(WarmStart.IDENTICAL, without("width"), past(2))
    assert (report.used, report.incomplete, dict(report.lacked)) == (1, 1, {"width": None})
    chosen = Space(SPACE.parameters, defaults={"width": 8})
    assert begin(WarmStart.TRANSFER, without("width"), space=chosen)[1].lacked == {"width": 8}


def test_a_fixed_parameter_that_was_tuned_leaves_the_trials_with_its_value() -> None:
    narrower = Space(SPACE.parameters[:2])
    fixed: Values = {"kind": "a"}
    _, report = begin(WarmStart.IDENTICAL, past(), past(2, kind="b"), fixed=fixed, space=narrower)
    assert (report.used, report.different, report.ignored, report.fixed) == (1, 1, (), ("kind",))
    _, report = begin(WarmStart.TRANSFER, past(), past(2, kind="b"), fixed=fixed, space=narrower)
    assert (report.used, report.different, report.fixed) == (2, 0, ("kind",))
    _, report = begin(WarmStart.TRANSFER, past(), past(2, 0.6), fixed=fixed, space=narrower)
    assert report.fixed == ()


def test_a_tuned_parameter_that_was_fixed_is_known() -> None:
    _, report = begin(WarmStart.IDENTICAL, past(), past(2, 0.6))
    assert report.lacked == {}
    prior, report = begin(WarmStart.TRANSFER, past(epochs=5))
    assert report.ignored == ("epochs",)
    assert prior.trials[0].params == GIVEN


@both
def test_the_same_trial_by_two_ways_counts_once(kind: WarmStart) -> None:
    parents = [Parent("p", (past(), past(2, 0.7))), Parent("q", (past(job="copy"), past(3, 0.9)))]
    prior = inherit(Heir(kind, SPACE, {}), parents)
    assert [(report.used, report.repeated) for report in prior.reports] == [(2, 0), (1, 1)]
    odd = PastTrial("p", 1, {"rate": 0.1, "kind": "a", "gone": 1}, 0.5)
    again = inherit(Heir(kind, SPACE, {}), [Parent("p", (odd,)), Parent("q", (odd,))]).reports[1]
    assert again == ParentReport("q", trials=1, used=0, repeated=1)  # nothing is said of it a second time
    assert len(prior.trials) == 3


def test_values_of_a_hints_own_hints_are_on_scales_of_their_own() -> None:
    trials = (past(job="p"), past(job="grandparent", value=90.0))
    for inherited, scales in ((WarmStart.IDENTICAL, 1), (WarmStart.TRANSFER, 2)):
        parent = Parent("p", trials, inherited=inherited)
        prior = inherit(Heir(WarmStart.TRANSFER, SPACE, {}), [parent])
        assert len({trial.scale for trial in prior.trials}) == scales


def test_a_parameter_of_another_kind_is_not_known_to_a_hint() -> None:
    prior, report = begin(WarmStart.TRANSFER, past(width="wide"))
    assert report.lacked == {"width": 40}
    assert prior.trials[0].params == {**GIVEN, "width": 40}
